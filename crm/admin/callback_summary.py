"""What the callback queue holds, in a few bars; counted in one question that ends at a bound."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Count, Min, Q, Value, When
from django.utils import timezone

from crm.models import Callback
from crm.present import list_address
from integrations.present import between

COUNTED = 5_000  # callbacks looked at, from the front of the queue
HOLDERS = 8  # people named, those with most first


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what, how many, its length in percent, the list behind it."""

    title: str
    number: int
    percent: str
    link: str


@dataclass(slots=True)
class Summary:
    """What stands above the queue."""

    queued: int = 0
    held: int = 0
    priorities: list[Bar] = field(default_factory=list)
    holders: list[Bar] = field(default_factory=list)
    others: int = 0
    oldest: str = ""
    automatic: int = 0
    bound: int = 0


def callback_summary() -> Summary:
    """Queued ones by priority, held ones by who has them, and how long the oldest has waited."""
    now = timezone.now()
    first = Callback.objects.exclude(state=Callback.State.CLOSED).values("pk")[:COUNTED]
    over = When(Q(state=Callback.State.ASSIGNED, release_at__lte=now), then=Value(""))
    rows: list[Any] = list(
        Callback.objects.filter(pk__in=first)
        .order_by()
        .annotate(holder=Case(over, default="assigned_to"))
        .values("priority", "holder", "automatic")
        .annotate(number=Count("pk"), oldest=Min("created_at"))
    )
    return _summed(rows, now)


def _summed(rows: list[Any], now: datetime) -> Summary:
    queued = [row for row in rows if not row["holder"]]
    held = [row for row in rows if row["holder"]]
    by_priority = _totals(queued, "priority")
    by_holder = Counter(_totals(held, "holder")).most_common()
    oldest = min((row["oldest"] for row in queued), default=None)
    number = sum(row["number"] for row in rows)
    return Summary(
        queued=sum(by_priority.values()),
        held=sum(count for _, count in by_holder),
        priorities=_bars(
            (
                (str(key), count, {"priority": key, "state": "queued"})
                for key, count in sorted(by_priority.items(), reverse=True)
            ),
            by_priority.values(),
        ),
        holders=_bars(
            ((name, count, {"holder": name, "state": "assigned"}) for name, count in by_holder[:HOLDERS]),
            (count for _, count in by_holder),
        ),
        others=len(by_holder[HOLDERS:]),
        oldest=between(oldest, now) if oldest else "",
        automatic=sum(row["number"] for row in queued if row["automatic"]),
        bound=COUNTED if number == COUNTED else 0,
    )


def _totals(rows: Iterable[dict[str, Any]], column: str) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for row in rows:
        found[row[column]] += row["number"]
    return found


def _bars(given: Iterable[tuple[str, int, dict[str, Any]]], numbers: Iterable[int]) -> list[Bar]:
    most = max(numbers, default=0) or 1
    return [
        Bar(title, number, f"{max(100 * number / most, 1):.1f}", list_address(Callback, urlencode(query)))
        for title, number, query in given
    ]
