"""The home page's context: only what the user may view is in it."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from hub.home.counts import Counts, count
from hub.home.families import error_figure
from hub.home.figures import Figure, ago, list_of, listed, seen, span
from hub.home.queue import queue_figure
from hub.site import may_view

QUIET_AFTER = timedelta(seconds=60)
STALE_AFTER = timedelta(minutes=2)


def overview(request: HttpRequest) -> dict[str, Any]:
    """What the template shows."""
    counts = count()
    figures = _figures(request, counts)
    more = [(title, kept) for title, given in counts.more.items() if (kept := seen(request, given))]
    found: dict[str, Any] = {
        "asking": sorted((one for one in figures if one.asks), key=lambda one: one.tone),  # bad, then warn
        "in_order": [one for one in figures if not one.asks],
        "more": more,
        "counted_at": counts.at,
    }
    if may_view(request, "integrations.heartbeat"):
        found |= _processes(counts)
    if may_view(request, "integrations.errorinstance"):
        found |= _families(counts)
    found["late"] = [one for one in counts.late if may_view(request, one.label)]
    if may_view(request, "integrations.instance"):
        found |= _day(counts)
    return found | {"stale": _stale(found, counts)}


def _stale(found: dict[str, Any], counts: Counts) -> list[str]:
    """A sentence for each part shown that the beat counted too long ago."""
    parts = [
        ("families", "The error families were", counts.families.counted_at),
        ("bars", "The last 24 hours were", counts.day.counted_at),
        ("bars", "The queue's pace was", counts.queue.counted_at),
    ]
    return [
        f"{words} counted {ago(then, counts.at)}"
        for key, words, then in parts
        if key in found and then and counts.at - then > STALE_AFTER
    ]


def _figures(request: HttpRequest, counts: Counts) -> list[Figure]:
    given = [error_figure(counts.families), queue_figure(counts.queue), *counts.attention]
    return seen(request, given)


def _families(counts: Counts) -> dict[str, Any]:
    families, shown = counts.families, counts.family_rows
    return {
        "families": shown,
        "families_more": max(families.families - len(shown), 0),
        "families_list": listed("integrations.errorfamily", open="yes"),
        "families_age": _age(families.counted_at, counts.at),
        "families_wait": bool(families.open and not families.families),
    }


def _day(counts: Counts) -> dict[str, Any]:
    day, drawn = counts.day, counts.drawn
    return {
        "statuses": drawn.statuses,
        "bars": drawn.bars,
        "flow_rows": drawn.rows,
        "flow_rows_more": drawn.more,
        "flows_list": list_of("integrations.flow"),
        "day_age": _age(day.counted_at, counts.at),
        "day_wait": 0 if day.live else day.missing,
    }


def _processes(counts: Counts) -> dict[str, Any]:
    ages = [(row, counts.at - row["at"]) for row in counts.processes]
    rows = [row | {"age": span(age.total_seconds()), "quiet": age > QUIET_AFTER} for row, age in ages]
    return {
        "processes": rows,
        "no_beat": not any(row["role"] == "beat" and not row["quiet"] for row in rows),
    }


def _age(then: datetime | None, now: datetime) -> str:
    """`counted 20 s ago`; "" for what was counted for this page."""
    return f"counted {ago(then, now)}" if then else ""
