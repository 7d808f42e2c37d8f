"""A figure of the home page: a number, what it counts, and the list behind it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from hub.site import changelist, may_view

CAP = 5_000  # a figure counts no further by itself; neither do the lists behind it


@dataclass(frozen=True)
class Figure:
    """`tone` is "", "good", "warn" or "bad"; warn and bad ask for a person. `more`: there are more than `value`."""

    title: str
    value: int
    link: str
    tone: str = ""
    note: str = ""
    more: bool = False

    @property
    def shown(self) -> str:
        """The number as it is read: 1,204 or 5,000+."""
        return f"{self.value:,}{'+' if self.more else ''}"

    @property
    def asks(self) -> bool:
        """Whether it asks for a person."""
        return self.tone in ("warn", "bad")


# An app's figures as of a time, each with the model whose permission shows it.
Figures = Callable[[datetime], Iterable[tuple[str, Figure]]]
_more: dict[str, Figures] = {}


def also(title: str, figures: Figures) -> None:
    """Let an app of the hub's show figures of its own, in a section with this title."""
    _more[title] = figures


def of_others(at: datetime) -> dict[str, list[tuple[str, Figure]]]:
    """What other apps show, by section."""
    return {title: list(figures(at)) for title, figures in _more.items()}


def seen(request: HttpRequest, figures: Iterable[tuple[str, Figure]]) -> list[Figure]:
    """Those whose model the user may view."""
    return [figure for label, figure in figures if may_view(request, label)]


def listed(label: str, **filters: object) -> str:
    """Address of a model's list with these filters; times and dates in ISO form."""
    values = {
        key: value.isoformat() if isinstance(value, datetime | date) else value
        for key, value in filters.items()
    }
    return f"{address}?{urlencode(values)}" if (address := list_of(label)) else ""


@cache
def list_of(label: str) -> str:
    """Address of a model's list, which stays while the process runs; "" where the model has no pages."""
    return changelist(label)


def page_of(row: Model) -> str:
    """Address of a row's page; "" where the model has no pages."""
    try:
        return reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])
    except NoReverseMatch:
        return ""


def capped(rows: "QuerySet[Any]", most: int = CAP) -> tuple[int, bool]:
    """How many rows, counted no further than `most`, and whether there may be more."""
    number = rows.order_by()[: most + 1].count()
    return min(number, most), number > most


def span(seconds: float) -> str:
    """In the largest unit of which there are at least two, e.g. 119 s, 90 min, 23 h."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(max(seconds, 0))} s"


def ago(then: datetime, now: datetime) -> str:
    """How long ago: `20 s ago`."""
    return f"{span((now - then).total_seconds())} ago"
