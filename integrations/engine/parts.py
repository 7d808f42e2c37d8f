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
    or where another instance answered for all.

    One for a sync request or part that was never sent here is passed on as it is: the source system knows.
    """
    row, parts = _note(run, sync_request_id, name, said)
    waiting = sum(not answer for answer in row.parts.values()) if row else 0
    if waiting:
        run.skip(f"sync request {sync_request_id} waits for the answers of {waiting} more")
    if row is not None and row.status in SETTLED and row.acknowledgement_id != run.instance.pk:
        run.skip(
            f"sync request {sync_request_id} was acknowledged before, by instance {row.acknowledgement_id}"
        )
    texts = [f"{part['name']}: {part['text']}" for part in parts if not part["positive"]]
    received(run, sync_request_id, positive=not texts, text="; ".join(texts))
    return parts


def _note(run: "Run", sync_request_id: str, name: str, said: Part) -> tuple[SyncRequest | None, list[Part]]:
    package = run.spec.package.name
    with run.claim.writing():
        rows = SyncRequest.objects.select_for_update()
        row = rows.filter(package=package, sync_request_id=sync_request_id).first()
        if row is None or name not in row.parts:
            return None, [{"name": name, **said}]
        row.parts[name] = said
        row.save(update_fields=["parts"])
    return row, [{"name": part, **answer} for part, answer in row.parts.items() if answer]
