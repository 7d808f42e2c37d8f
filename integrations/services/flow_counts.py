"""How the instances of a span of time stand, flow by flow: from the hours the beat has counted, and what is newer."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from integrations.engine.clock import db_now
from integrations.models import HourCount, Instance
from integrations.models.instance import ENDED
from integrations.services.hours_count import HOUR, KEPT, hour_of

UNCOUNTED = 50_000  # instances counted here at most, of hours that nobody has counted
UNDER_WAY = [state for state in Instance.Status.values if state not in ENDED]
SUCCESS = (Instance.Status.SUCCEEDED, Instance.Status.SKIPPED)
ERRORS = (Instance.Status.FAILED, Instance.Status.HELD)
ABORTED = (Instance.Status.DISCARDED,)
PROCESSED = SUCCESS + ERRORS + ABORTED
EVERY = Q()
ByFlow = dict[int, Counter[str]]


@dataclass(frozen=True, slots=True)
class Ends:
    """A flow's numbers as operators know them; processed is what has ended, however."""

    received: int
    succeeded: int
    errors: int
    aborted: int

    @property
    def processed(self) -> int:
        """All that has ended."""
        return self.succeeded + self.errors + self.aborted


@dataclass
class FlowCounts:
    """Flow's id → status → number. `exact`: false where hours are missing, which the beat has not counted yet."""

    at: datetime
    by_flow: ByFlow = field(default_factory=dict)
    exact: bool = True

    def add(self, flow: int, status: str, number: int) -> None:
        """So many more."""
        self.by_flow.setdefault(flow, Counter())[status] += number

    def ends(self, flow: int) -> Ends:
        """A flow's, by its id."""
        numbers = self.by_flow.get(flow, Counter())
        good, bad, aborted = (sum(numbers[one] for one in kind) for kind in (SUCCESS, ERRORS, ABORTED))
        return Ends(numbers.total(), good, bad, aborted)


def flow_counts(*, since: datetime | None = None) -> FlowCounts:
    """The instances made since then (None: all that is kept), by flow and status.

    Hours that lie wholly in the span are read as the beat has counted them; the first and the last are counted now,
    and what has not ended is, too. A span of less than two hours is counted as a whole.
    """
    now = db_now()
    counts = FlowCounts(now)
    begin = since or now - KEPT
    first, last = hour_of(begin) + HOUR, hour_of(now)
    if since is not None and last - first < HOUR:
        _count(counts, begin, now + HOUR)
        return counts
    known = dict(HourCount.objects.filter(hour__gte=first, hour__lt=last).values_list("hour", "counts"))
    _add_hours(counts, known)
    _count(counts, last, now + HOUR)
    _count(counts, begin, first)
    _count_under_way(counts, first, last)
    _count_missing(counts, known, first, last)
    return counts


def _add_hours(counts: FlowCounts, known: dict[datetime, dict[str, dict[str, int]]]) -> None:
    for by_flow in known.values():
        for flow, numbers in by_flow.items():
            for status, number in numbers.items():
                counts.add(int(flow), status, number)


def _count(counts: FlowCounts, begin: datetime, end: datetime, only: Q = EVERY) -> int:
    """Count those made from `begin` to before `end`; how many. With one bound alone, SQLite would read all rows."""
    rows = Instance.objects.filter(only, created_at__gte=begin, created_at__lt=end).order_by()
    found: Any = rows.values_list("flow_id", "status").annotate(number=Count("*"))
    total = 0
    for flow, status, number in found:
        counts.add(flow, status, number)
        total += number
    return total


def _count_under_way(counts: FlowCounts, begin: datetime, end: datetime) -> None:
    """Those that have not ended, by the index of status and time: grouped or all at once, SQLite reads every row."""
    for status in UNDER_WAY:
        rows = Instance.objects.filter(status=status, created_at__gte=begin, created_at__lt=end)
        flows = list(rows.order_by("-created_at").values_list("flow_id", flat=True)[:UNCOUNTED])
        for flow, number in Counter(flows).items():
            counts.add(flow, status, number)
        counts.exact = counts.exact and len(flows) < UNCOUNTED


def _count_missing(counts: FlowCounts, known: dict[datetime, Any], first: datetime, last: datetime) -> None:
    """Hours between that nobody has counted (no beat yet), the newest first, until UNCOUNTED instances are passed."""
    hours = int((last - first) / HOUR)
    missing = sorted({first + HOUR * number for number in range(hours)} - set(known), reverse=True)
    room = UNCOUNTED
    for begin, end in _spans(missing):
        made = Instance.objects.filter(created_at__gte=begin, created_at__lt=end).order_by(
            "-created_at", "-pk"
        )
        edge = list(made.values_list("created_at", flat=True)[room - 1 : room])
        room -= _count(counts, edge[0] if edge else begin, end, Q(status__in=ENDED))
        if edge or room <= 0:
            counts.exact = False
            return


def _spans(hours: list[datetime]) -> list[tuple[datetime, datetime]]:
    """Hours, newest first, as spans of those that follow one another."""
    spans: list[tuple[datetime, datetime]] = []
    for hour in hours:
        if spans and spans[-1][0] == hour + HOUR:
            spans[-1] = (hour, spans[-1][1])
        else:
            spans.append((hour, hour + HOUR))
    return spans
