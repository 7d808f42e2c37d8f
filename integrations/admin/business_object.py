"""The business-object page: everything that happened to one account, service point, ticket, file …, in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from hub.site import may_view
from integrations.present import variant_of
from integrations.services.business_object import Event, Story, business_object, labels

PAGE = 100  # events on one page
LONGEST = 255
LANE, LEFT, RIGHT, TOP, MARK = 34, 130, 24, 14, 6  # of the drawing, in its own units
WIDTH = 1000
SHAPES = {"bad": "triangle", "warn": "diamond", "good": "circle"}


@dataclass(frozen=True, slots=True)
class Mark:
    """One event in the drawing. `shape` says what its colour says, for who does not see it."""

    x: float
    y: float
    variant: str
    shape: str
    points: str
    words: str


def object_url(value: str, name: str = "") -> str:
    """The page of a value, perhaps under one name."""
    asked = {"name": name, "value": value} if name else {"value": value}
    return f"{reverse('business-object')}?{urlencode(asked)}"


def business_object_view(request: HttpRequest) -> TemplateResponse:
    """The page: a box to look for a value, and what happened to it. For who may view any of it."""
    allowed = [label for label in labels() if may_view(request, label)]
    if not allowed:
        raise PermissionDenied
    asked = request.GET
    value, name = asked.get("value", "").strip()[:LONGEST], asked.get("name", "").strip()[:LONGEST]
    if not name and "=" in value and not value.startswith("="):
        name, _, value = (part.strip() for part in value.partition("="))
    story = business_object(
        value=value, name=name, before=asked.get("before", ""), allowed=allowed, limit=PAGE
    )
    context = {
        **admin.site.each_context(request),
        "title": value or "Find",
        "value": value,
        "name": name,
        "paged": bool(asked.get("before")),
        "story": story if value else None,
        "drawing": drawing(story.events) if value and story.events else None,
        "newest": object_url(value, name),
        "older": f"{object_url(value, name)}&{urlencode({'before': story.before})}" if story.before else "",
        "summary": _summary(story),
    }
    return TemplateResponse(request, "admin/integrations/business_object/page.html", context)


def _summary(story: Story) -> str:
    """How many of what, in words."""
    counts: dict[str, int] = {}
    for event in story.events:
        counts[event.kind] = counts.get(event.kind, 0) + 1
    return ", ".join(
        f"{number} {kind.lower().removesuffix('s') if number == 1 else kind.lower()}"
        for kind, number in sorted(counts.items())
    )


def drawing(events: Sequence[Event]) -> dict[str, Any]:
    """Where each event stands: a lane for each kind, the oldest at the left."""
    lanes = sorted({event.kind for event in events})
    first, last = events[-1].at, events[0].at
    span = max((last - first).total_seconds(), 1.0)
    marks = [
        _mark(event, lanes.index(event.kind), (event.at - first).total_seconds() / span) for event in events
    ]
    return {
        "width": WIDTH,
        "height": TOP * 2 + LANE * len(lanes) + 16,
        "lanes": [{"title": lane, "y": TOP + LANE * at + LANE / 2} for at, lane in enumerate(lanes)],
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "marks": marks,
        "ticks": _ticks(first, last, TOP * 2 + LANE * len(lanes)),
    }


def _mark(event: Event, lane: int, share: float) -> Mark:
    x, y = LEFT + share * (WIDTH - LEFT - RIGHT), TOP + LANE * lane + LANE / 2
    variant = variant_of(event.state) if event.state else "plain"
    shape = SHAPES.get(variant, "square")
    words = f"{timezone.localtime(event.at):%d %b %Y %H:%M:%S}: {event.title} {event.state_text}".strip()
    return Mark(round(x, 1), y, variant, shape, _points(shape, x, y), words)


def _points(shape: str, x: float, y: float) -> str:
    corners = {
        "triangle": ((0, -MARK), (MARK, MARK), (-MARK, MARK)),
        "diamond": ((0, -MARK), (MARK, 0), (0, MARK), (-MARK, 0)),
        "square": ((-MARK, -MARK), (MARK, -MARK), (MARK, MARK), (-MARK, MARK)),
    }.get(shape, ())
    return " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)


def _ticks(first: datetime, last: datetime, y: float) -> list[dict[str, Any]]:
    """Times below the lanes: as exact as the span asks for."""
    span = last - first
    form = (
        "%H:%M:%S"
        if span < timedelta(hours=1)
        else "%d %b %H:%M"
        if span < timedelta(days=30)
        else "%d %b %Y"
    )
    shares = (0.0,) if span < timedelta(seconds=1) else (0.0, 0.25, 0.5, 0.75, 1.0)
    return [
        {
            "x": round(LEFT + share * (WIDTH - LEFT - RIGHT), 1),
            "y": y,
            "text": f"{timezone.localtime(first + span * share):{form}}",
            "anchor": "start" if share == 0 else "end" if share == 1 else "middle",
        }
        for share in shares
    ]
