"""How a flow did lately: counts, durations, and a chart, from its newest instances alone.

Bounded by the flow's own index and by ROWS: of a million instances no more is read than of ten thousand, and the page
says where its figures begin.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast, Substr
from django.utils import timezone

from integrations.models import Flow, Instance
from integrations.present import duration
from integrations.services.flow_counts import ERRORS as BAD
from integrations.services.flow_counts import SUCCESS as GOOD

ROWS = 10_000  # newest instances that are counted
TIMED = 2_000  # newest ended ones whose durations are looked at
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
_MINUTE = 16  # characters of 2024-11-30 02:15


@dataclass
class Span:
    """Counts of a time. `since`: its beginning, or where ROWS ended it."""

    since: datetime
    counts: Counter[str] = field(default_factory=Counter)
    bounded: bool = False

    @property
    def received(self) -> int:
        """All that came."""
        return sum(self.counts.values())

    @property
    def good(self) -> int:
        """Succeeded or skipped."""
        return sum(self.counts[one] for one in GOOD)

    @property
    def bad(self) -> int:
        """Failed or held."""
        return sum(self.counts[one] for one in BAD)


@dataclass(frozen=True)
class Numbers:
    """All figures of the page."""

    day: Span
    week: Span
    hours: list["Bar"]
    days: list["Bar"]
    median: str
    slowest: str  # the 95th percentile
    timed: int


@dataclass(slots=True)
class Bar:
    """One bar of a chart: when it begins, and its counts; heights are percent of the highest."""

    at: datetime
    good: int = 0
    bad: int = 0
    other: int = 0
    highest: int = 1

    @property
    def total(self) -> int:
        """All of it."""
        return self.good + self.bad + self.other

    def parts(self) -> list[tuple[str, float, float]]:
        """(kind, y, height) of its parts from the bottom, in a chart 100 high."""
        found, y = [], 100.0
        for kind, count in (("good", self.good), ("other", self.other), ("bad", self.bad)):
            height = 100 * count / self.highest
            y -= height
            if count:
                found.append((kind, round(y, 2), round(height, 2)))
        return found


def numbers_of(flow: Flow, now: datetime | None = None) -> Numbers:
    """What the flow's page prints."""
    now = now or timezone.now()
    rows = Instance.objects.filter(flow=flow, created_at__gte=now - WEEK).order_by("-created_at")
    found, since = _by_minute(rows)
    hours: dict[datetime, Counter[str]] = {}
    for (at, status), count in found.items():
        hours.setdefault(_hour(at), Counter())[status] += count
    begin = (now - DAY).replace(second=0, microsecond=0)  # minutes are what is counted
    day: Counter[str] = Counter()
    for (at, status), count in found.items():
        day[status] += count if at >= begin else 0
    took = _durations(rows)
    return Numbers(
        day=Span(max(begin, since or begin), day, since is not None and since > begin),
        week=Span(since or now - WEEK, _sum(hours.values()), since is not None),
        hours=_bars(hours, [_hour(now) - HOUR * back for back in range(23, -1, -1)], HOUR),
        days=_daily(hours, now),
        median=duration(_percentile(took, 50)),
        slowest=duration(_percentile(took, 95)),
        timed=len(took),
    )


def _by_minute(rows: Any) -> tuple[Counter[tuple[datetime, str]], datetime | None]:
    """Counts by minute and status, and the minute of the last row that was read where there are more.

    Counted here, not in the database: asked to group, SQLite walks the index of statuses through all flows' rows, and
    took 0.9 s of a million; the newest ROWS, by the flow's own index, take a tenth of that. A stored time begins alike
    in both databases, in UTC, and is not worth making a datetime of for each row.
    """
    minute = Substr(Cast("created_at", TextField()), 1, _MINUTE)
    newest = list(rows.annotate(minute=minute).values_list("minute", "status")[: ROWS + 1])
    texts = Counter(newest[:ROWS])
    times = {text: _time(text) for text, _ in texts}
    found = Counter({(times[text], status): count for (text, status), count in texts.items()})
    return found, times[newest[ROWS - 1][0]] if len(newest) > ROWS else None


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def _sum(counters: Any) -> Counter[str]:
    whole: Counter[str] = Counter()
    for one in counters:
        whole.update(one)
    return whole


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _bars(hours: dict[datetime, Counter[str]], starts: Sequence[datetime], span: timedelta) -> list[Bar]:
    """A bar for each start; an hour belongs to the bar it begins in."""
    bars = []
    for start in starts:
        mine = _sum(one for at, one in hours.items() if start <= at < start + span)
        bar = Bar(timezone.localtime(start), sum(mine[one] for one in GOOD), sum(mine[one] for one in BAD))
        bar.other = sum(mine.values()) - bar.good - bar.bad
        bars.append(bar)
    highest = max((bar.total for bar in bars), default=0) or 1
    for bar in bars:
        bar.highest = highest
    return bars


def _daily(hours: dict[datetime, Counter[str]], now: datetime) -> list[Bar]:
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return _bars(hours, [midnight - timedelta(days=back) for back in range(6, -1, -1)], DAY)


def _durations(rows: Any) -> list[float]:
    """Milliseconds from first start to end of the newest that ended well, among the newest TIMED."""
    newest = rows.values_list("status", "started_at", "ended_at")[:TIMED]
    return [
        (end - start).total_seconds() * 1000
        for status, start, end in newest
        if status == Instance.Status.SUCCEEDED and start and end
    ]


def _percentile(values: list[float], percent: int) -> float | None:
    if len(values) < 2:  # noqa: PLR2004  (quantiles takes two)
        return values[0] if values else None
    return quantiles(values, n=100, method="inclusive")[percent - 1]
