"""What an instance's page shows: header, activity stream, attempts, steps, resubmissions, its relatives."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from integrations.adapters.errors import AdapterError
from integrations.models import Activity, ErrorInstance, Instance, Payload, Resubmission
from integrations.present import between, differences
from integrations.services.instance_resubmit import resubmit_refusal
from integrations.storage import payload_bytes

LINES = 200  # of the activity stream on one page
ROWS = 50  # of each other table
DIFF_BYTES = 200_000  # payloads larger than this are not compared on the page
TROUBLE = (Activity.Level.WARNING, Activity.Level.ERROR)


def instance_context(request: HttpRequest, instance: Instance) -> dict[str, Any]:
    """All of the page but its buttons."""
    return {
        "title": f"{instance.flow.identifier} {instance.primary_key_value}".strip(),
        "keys": instance.keys.all(),
        "over_it": instance.status in (Instance.Status.SUCCEEDED, Instance.Status.SKIPPED),
        "took": between(instance.started_at, instance.ended_at),
        "waited": between(instance.created_at, instance.started_at),
        "failure": ErrorInstance.objects.filter(instance=instance).select_related("family").first(),
        "stream": stream_page(request, instance),
        "attempts": instance.attempts.order_by("-number")[:ROWS],
        "steps": first_rows(instance.steps.order_by("id")),
        "resubmissions": [_resubmission(request, row) for row in instance.resubmissions.all()],
        "children": first_rows(instance.children.select_related("flow").order_by("created_at")),
        "replays": first_rows(instance.replays.order_by("created_at")),
        "handed_on": list(instance.handed_on.select_related("flow").order_by("created_at")[:20]),
        "transfers": first_rows(
            instance.file_transfers.select_related("source", "target").order_by("created_at")
        ),
        "notifications": instance.notifications.all()[:ROWS],
        "sync_requests": first_rows(instance.sync_requests.order_by("id")),
        "acknowledged": instance.acknowledgements.all()[:ROWS],
        "may_read": request.user.has_perm("integrations.read_payload"),
        **resubmit_context(instance),
    }


def resubmit_context(instance: Instance) -> dict[str, Any]:
    """Whether and how it can be sent again, in a line."""
    refusal = resubmit_refusal(instance)
    if refusal:
        said = f"Cannot be resubmitted: {refusal}."
    elif instance.flow.pattern in ("sync", "child", "local"):
        said = "Can be replayed: its caller is gone, so a new instance, marked as a replay, does the work."
    else:
        said = "Can be resubmitted: what was acknowledged before is not repeated."
    open_error = instance.status in ("failed", "held", "ready", "waiting")
    return {
        "refusal": refusal,
        "resubmit_line": said,
        "can_discard": open_error,
        "is_replay": "replayed" in said,
    }


def first_rows(rows: QuerySet[Any]) -> dict[str, Any]:
    """The first rows of a table that may be long; `more` where there are others."""
    found = list(rows[: ROWS + 1])
    return {"rows": found[:ROWS], "more": len(found) > ROWS}


def stream_page(request: HttpRequest, instance: Instance) -> dict[str, Any]:
    """One page of the activity stream by keyset (`after` or `before` a line, or its `end`), with bars drawn."""
    lines = instance.activities.select_related("connection", "payload_in", "payload_out")
    only = request.GET.get("only", "")
    if only == "trouble":
        lines = lines.filter(level__in=TROUBLE)
    found = _window(request, lines)
    rows = list(found["rows"])
    return {
        "lines": _drawn(rows, instance),
        "only": only,
        "first": rows[0].pk if rows else 0,
        "last": rows[-1].pk if rows else 0,
        "earlier": bool(rows) and lines.filter(pk__lt=rows[0].pk).exists(),
        "later": bool(rows) and lines.filter(pk__gt=rows[-1].pk).exists(),
    }


def _window(request: HttpRequest, lines: QuerySet[Activity]) -> dict[str, Sequence[Activity]]:
    after, before = _number(request.GET.get("after")), _number(request.GET.get("before"))
    if before or request.GET.get("end"):
        kept = lines.filter(pk__lt=before) if before else lines
        return {"rows": list(kept.order_by("-pk")[:LINES])[::-1]}
    return {"rows": list(lines.filter(pk__gt=after).order_by("pk")[:LINES])}


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() and len(text) < 19 else 0  # noqa: PLR2004  (a 64-bit number)


def _drawn(rows: list[Activity], instance: Instance) -> list[dict[str, Any]]:
    """Each line with its bar: where in the instance's time it began, and how long it took, in percent."""
    begin = instance.created_at
    end = max([instance.ended_at or timezone.now(), *(row.at for row in rows)])
    whole = max((end - begin).total_seconds() * 1000, 1.0)
    drawn = []
    for row in rows:
        took = row.duration_ms or 0.0
        offset = max((row.at - begin).total_seconds() * 1000 - took, 0.0)
        left = min(100 * offset / whole, 99.0)
        width = min(max(100 * took / whole, 1.2), 100 - left)
        clock = f"{timezone.localtime(row.at):%H:%M:%S.%f}"[:-3]
        since = between(begin, row.at)
        drawn.append(
            {"row": row, "clock": clock, "since": since, "left": f"{left:.2f}", "width": f"{width:.2f}"}
        )
    return drawn


def _resubmission(request: HttpRequest, row: Resubmission) -> dict[str, Any]:
    """One resubmission; for who may read payloads, what was changed in the message."""
    shown: dict[str, Any] = {"row": row, "edited": row.message_after is not None, "diff": [], "trouble": ""}
    if row.message_after is None or not request.user.has_perm("integrations.read_payload"):
        return shown
    before, after = row.message_before, row.message_after
    if max(after.size, before.size if before else 0) > DIFF_BYTES:
        return shown | {"trouble": "The payloads are too large to be compared here."}
    try:
        return shown | {"diff": differences(payload_bytes(before) if before else b"", payload_bytes(after))}
    except (OSError, AdapterError) as error:
        return shown | {"trouble": f"The payloads cannot be read: {error}"}


def payload_of(instance: Instance, digest: str) -> Payload | None:
    """The payload of this digest, if it belongs to this instance; None otherwise."""
    held = digest in (instance.message_payload_id, instance.answer_id, instance.attachment_id)
    held = held or instance.activities.filter(Q(payload_in=digest) | Q(payload_out=digest)).exists()
    held = held or instance.resubmissions.filter(Q(message_before=digest) | Q(message_after=digest)).exists()
    return Payload.objects.filter(pk=digest).first() if held else None


def find_instances(rows: QuerySet[Instance], term: str) -> QuerySet[Instance]:
    """Instances by id, message id or business key (`value`, or `name=value`), each exact and by its index."""
    try:
        same = rows.filter(pk=term)
        if same.exists():
            return same
    except ValidationError:
        pass
    name, equals, value = term.partition("=")
    if equals and name and value:
        return rows.filter(keys__name__iexact=name.strip(), keys__value=value.strip()).distinct()
    ids = list(rows.filter(keys__value=term).values_list("pk", flat=True)[: ROWS * 20])
    ids += rows.filter(primary_key_value=term).values_list("pk", flat=True)[: ROWS * 20]
    ids += rows.filter(message_id=term).values_list("pk", flat=True)[: ROWS * 20]
    return rows.filter(pk__in=set(ids))
