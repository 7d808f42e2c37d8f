"""What an instance's page shows: header, activity stream, attempts, steps, resubmissions, its relatives."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from integrations.admin.instance_resubmissions import resubmissions_of
from integrations.engine.tracing import effective_tracing
from integrations.models import Activity, ErrorInstance, Flow, Instance
from integrations.present import between
from integrations.services.instance_abort import UNDER_WAY
from integrations.services.instance_resubmittable import CALLER_IS_GONE, resubmittable

LINES = 200  # of the activity stream on one page
ROWS = 50  # of each other table
TROUBLE = (Activity.Level.WARNING, Activity.Level.ERROR)


def instance_context(request: HttpRequest, instance: Instance) -> dict[str, Any]:
    """All of the page but its buttons."""
    return {
        "title": f"{instance.flow.identifier} {instance.primary_key_value}".strip(),
        "keys": instance.keys.order_by("id")[: ROWS * 2],
        "over_it": instance.status in (Instance.Status.SUCCEEDED, Instance.Status.SKIPPED),
        "took": between(instance.started_at, instance.ended_at),
        "waited": between(instance.created_at, instance.started_at),
        "failure": ErrorInstance.objects.filter(instance=instance).select_related("family").first(),
        "stream": stream_page(request, instance),
        "tabs": tabs(instance, _number(request.GET.get("attempt"))),
        "attempts": instance.attempts.order_by("-number")[:ROWS],
        "steps": first_rows(instance.steps.order_by("id")),
        "resubmissions": resubmissions_of(instance, ROWS * 2),
        "children": first_rows(instance.children.select_related("flow").order_by("created_at")),
        "replays": first_rows(instance.replays.order_by("created_at")),
        "handed_on": first_rows(instance.handed_on.select_related("flow").order_by("created_at")),
        "transfers": first_rows(
            instance.file_transfers.select_related("source", "target").order_by("created_at")
        ),
        "notifications": instance.notifications.all()[:ROWS],
        "sync_requests": first_rows(instance.sync_requests.order_by("id")),
        "acknowledged": instance.acknowledgements.all()[:ROWS],
        "may_read": request.user.has_perm("integrations.read_payload"),
        "may_resubmit": request.user.has_perm("integrations.resubmit_instance"),
        "may_discard": request.user.has_perm("integrations.discard_instance"),
        "can_abort": instance.status in UNDER_WAY,
        "keeps": Flow.Tracing(effective_tracing(instance.flow)).label.partition(":")[0],
        **resubmit_context(instance),
    }


def resubmit_context(instance: Instance) -> dict[str, Any]:
    """Whether and how it can be sent again, in a line."""
    can, said = resubmittable(instance)
    return {
        "can_resubmit": can,
        "refusal": "" if can else said.partition(": ")[2].rstrip("."),
        "resubmit_line": said,
        "can_discard": instance.status in ("failed", "held", "ready", "waiting"),
        "is_replay": can and instance.flow.pattern in CALLER_IS_GONE,
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
    attempt = _number(request.GET.get("attempt"))
    if attempt:
        lines = lines.filter(attempt=attempt)
    found = _window(request, lines)
    rows = list(found["rows"])
    return {
        "lines": _drawn(rows, instance),
        "only": only,
        "attempt": attempt,
        "kept": urlencode({"only": only} | ({"attempt": attempt} if attempt else {})),
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
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0  # noqa: PLR2004  (a 64-bit number)


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


def tabs(instance: Instance, chosen: int) -> list[dict[str, Any]]:
    """All lines, then each attempt's own, the newest last; one attempt needs no tabs."""
    rows = list(instance.attempts.order_by("-number")[:ROWS])[::-1]
    if len(rows) < 2 and not chosen:  # noqa: PLR2004  (one is no choice)
        return []
    every: dict[str, Any] = {"number": 0, "title": "All attempts", "row": None, "current": not chosen}
    found = [
        {"number": row.number, "title": f"Attempt {row.number}", "row": row, "current": row.number == chosen}
        for row in rows
    ]
    return [every, *found]
