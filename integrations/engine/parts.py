"""A sync request whose parts are acknowledged one by one, and answered for as a whole (seed 000, a premise's points).

The row is locked while a part's answer is noted, so that of several that come at once one is the last, and tells.
"""

from typing import TYPE_CHECKING, Any

from integrations.engine.sync_requests import received
from integrations.models import SyncRequest

if TYPE_CHECKING:
    from integrations.engine.context import Run

Part = dict[str, Any]
SETTLED = (SyncRequest.Status.SYNCHRONISED, SyncRequest.Status.ERROR)


def part_acknowledged(run: "Run", sync_request_id: str, name: str, said: Part) -> list[Part]:
    """Note a part's answer; all of them, where it was the last. The run ends as skipped where others are still to come,
    where the sync request has no such part, or where another instance answers for all.

    One for a sync request that was never sent here is passed on as it is: the source system knows.
    """
    row = _note(run, sync_request_id, name, said)
    parts = [{"name": name, **said}]
    if row is not None:
        if reason := _why_not_now(run, row, name):
            run.skip(f"sync request {sync_request_id} {reason}")
        parts = [{"name": part, **answer} for part, answer in row.parts.items()]
    texts = [f"{part['name']}: {part['text']}" for part in parts if not part["positive"]]
    received(run, sync_request_id, positive=not texts, text="; ".join(texts))
    return parts


def _why_not_now(run: "Run", row: SyncRequest, name: str) -> str:
    """Why this instance does not answer for all parts, as the end of a sentence; "" where it does."""
    if name not in row.parts:
        return f"does not wait for an answer about {name}"
    if waiting := sum(not answer for answer in row.parts.values()):
        return f"waits for the answers of {waiting} more"
    if row.acknowledgement_id != run.instance.pk:
        return f"is acknowledged by another instance, {row.acknowledgement_id}"
    return ""


def _note(run: "Run", sync_request_id: str, name: str, said: Part) -> SyncRequest | None:
    """The row with this answer in it, and with the instance that answers for all once none is missing; None where no
    parts are known."""
    package = run.spec.package.name
    with run.claim.writing():
        rows = SyncRequest.objects.select_for_update(of=("self",)).select_related("acknowledgement")
        row = rows.filter(package=package, sync_request_id=sync_request_id).first()
        if row is None or not row.parts:
            return None
        if name in row.parts:
            row.parts[name] = said
            if all(row.parts.values()) and not _in_hand(row):
                row.acknowledgement = run.instance
            row.save(update_fields=["parts", "acknowledgement"])
    return row


def _in_hand(row: SyncRequest) -> bool:
    """Whether an instance has answered for all parts, or is about to: two that come at once must not both."""
    return row.acknowledgement is not None and (row.status in SETTLED or not row.acknowledgement.ended)
