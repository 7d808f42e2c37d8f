"""Success and failure over the last 24 hours: of all flows by hour, and of each."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from hub.home.drawing import Spark, spark
from hub.home.figures import Figure, capped, listed, page_of
from integrations.models import Flow, Instance
from integrations.services.hours_count import HOUR, hour_of, hours_known

HOURS = 24
LIVE = 1_000  # instances that are counted while a person waits
FLOWS_SHOWN = 15
BAD = ("failed", "held")
GOOD = ("succeeded", "skipped")
UNENDED = ("ready", "running", "waiting")
INSTANCE = "integrations.instance"


@dataclass
class Series:
    """A flow's numbers by hour, oldest first."""

    good: list[int] = field(default_factory=lambda: [0] * HOURS)
    bad: list[int] = field(default_factory=lambda: [0] * HOURS)


@dataclass
class Day:
    """`counted_at` is set where the beat counted, whose `missing` hours wait to be counted."""

    since: datetime
    series: dict[int, Series] = field(default_factory=dict)
    totals: Counter[str] = field(default_factory=Counter)
    unended: dict[str, tuple[int, bool]] = field(default_factory=dict)
    live: bool = True
    counted_at: datetime | None = None
    missing: int = 0

    def place(self, moment: datetime) -> int:
        """Which of the hours a moment is in; below 0 and from HOURS on it is in none."""
        return (moment - self.since) // HOUR

    def add(self, place: int, flow: int, numbers: Mapping[str, int]) -> None:
        """So many more of each status in an hour; what has not ended is not in the series."""
        self.totals.update(numbers)
        good, bad = (sum(numbers.get(status, 0) for status in kind) for kind in (GOOD, BAD))
        if (good or bad) and 0 <= place < HOURS:
            series = self.series.setdefault(flow, Series())
            series.good[place] += good
            series.bad[place] += bad


def count_day(at: datetime) -> Day:
    """Counted here where few were made; else by the beat, with what has not ended counted here."""
    day = Day(hour_of(at) - HOUR * (HOURS - 1))
    made = Instance.objects.filter(created_at__gte=day.since).order_by()
    if not made.values_list("pk")[LIVE : LIVE + 1]:
        for moment, flow, status in made.values_list("created_at", "flow_id", "status"):
            day.add(day.place(moment), flow, {status: 1})
        day.unended = {status: (day.totals[status], False) for status in UNENDED}
        return day
    known = hours_known(since=day.since, until=at)
    day.live, day.counted_at, day.missing = False, known.counted_at, known.missing
    for hour, flows in known.by_hour.items():
        place = day.place(hour)
        for key, numbers in flows.items():
            day.add(place, int(key), numbers)
    day.unended = {status: capped(made.filter(status=status)) for status in UNENDED}
    return day


@dataclass(frozen=True)
class Bar:
    """An hour of the chart; heights in percent of the chart's height."""

    label: str
    good: int
    bad: int
    good_height: float
    bad_height: float
    link: str
    good_link: str
    bad_link: str


def bars(day: Day) -> list[Bar]:
    """The hours in order; the highest fills the chart."""
    every = list(day.series.values())
    good = [sum(column) for column in zip(*(one.good for one in every), strict=True)] or [0] * HOURS
    bad = [sum(column) for column in zip(*(one.bad for one in every), strict=True)] or [0] * HOURS
    highest = max(map(sum, zip(good, bad, strict=True))) or 1
    return [_bar(day.since + HOUR * place, good[place], bad[place], highest) for place in range(HOURS)]


def _bar(hour: datetime, good: int, bad: int, highest: int) -> Bar:
    def link(statuses: tuple[str, ...]) -> str:
        wanted = ",".join(statuses)
        return listed(INSTANCE, status__in=wanted, created_at__gte=hour, created_at__lt=hour + HOUR)

    bad_height = max(100 * bad / highest, 1.5) if bad else 0.0
    return Bar(
        label=timezone.localtime(hour).strftime("%H:%M"),
        good=good,
        bad=bad,
        good_height=min(round(100 * good / highest, 1), 100 - bad_height),
        bad_height=round(bad_height, 1),
        link=link(GOOD + BAD),
        good_link=link(GOOD),
        bad_link=link(BAD),
    )


def statuses(day: Day) -> list[Figure]:
    """How many of the last 24 hours' instances are in each status."""
    tones = dict.fromkeys(BAD, "bad") | dict.fromkeys(GOOD, "good")
    found = []
    for status in Instance.Status.values:
        number, more = day.unended.get(status, (day.totals[status], False))
        link = listed(INSTANCE, status__exact=status, created_at__gte=day.since)
        tone = tones.get(status, "") if number else ""
        found.append(Figure(str(Instance.Status(status).label), number, link, tone, "", more))
    return found


@dataclass(frozen=True)
class FlowRow:
    """A flow's last 24 hours."""

    flow: Flow
    page: str
    good: int
    bad: int
    rate: str
    spark: Spark
    link: str
    good_link: str
    bad_link: str


def flow_rows(day: Day) -> tuple[list[FlowRow], int]:
    """The flows with most failures first, then the busiest; and how many more had something to do."""
    total = {key: (sum(one.bad), sum(one.good)) for key, one in day.series.items()}
    ended = sorted((key for key in total if any(total[key])), key=total.__getitem__, reverse=True)
    flows = Flow.objects.in_bulk(ended[:FLOWS_SHOWN])
    rows = [_flow_row(day, flows[key]) for key in ended[:FLOWS_SHOWN] if key in flows]
    return rows, max(len(ended) - FLOWS_SHOWN, 0)


@dataclass(frozen=True)
class DrawnDay:
    """All that is shown of a day; `more`: flows that had something to do and are not among the rows."""

    statuses: list[Figure]
    bars: list[Bar]
    rows: list[FlowRow]
    more: int


def drawn(day: Day) -> DrawnDay:
    """A day's figures, chart and rows."""
    rows, more = flow_rows(day)
    return DrawnDay(statuses(day), bars(day), rows, more)


def _flow_row(day: Day, flow: Flow) -> FlowRow:
    def link(statuses: tuple[str, ...]) -> str:
        wanted = ",".join(statuses)
        return listed(INSTANCE, flow__id__exact=flow.pk, status__in=wanted, created_at__gte=day.since)

    series = day.series[flow.pk]
    good, bad = sum(series.good), sum(series.bad)
    words = f"By hour, last 24 hours: {good:,} succeeded, {bad:,} failed"
    return FlowRow(
        flow=flow,
        page=page_of(flow),
        good=good,
        bad=bad,
        rate=success_rate(good, bad),
        spark=spark(series.good, series.bad, words),
        link=link(GOOD + BAD),
        good_link=link(GOOD),
        bad_link=link(BAD),
    )


def success_rate(good: int, bad: int) -> str:
    """In percent, rounded down: with one failure it is never 100."""
    if not good + bad:
        return ""
    return f"{1000 * good // (good + bad) / 10:.1f} %" if bad else "100 %"
