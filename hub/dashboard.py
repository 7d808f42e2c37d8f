"""The overview page's figures: how the last day went, what needs a person, what is at work.

Every figure is a link to the list it counts. Counting is kept cheap: at most one pass over the last day's
instances, else partial indexes; and one count serves everyone for five seconds.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db.models import Count
from django.db.models.functions import TruncHour
from django.http import HttpRequest
from django.utils import timezone

from hub.site import changelist, may_view
from integrations.models import (
    Breaker,
    ErrorInstance,
    Heartbeat,
    Instance,
    Notification,
    SyncRequest,
    TrustCertificate,
)

KEPT_SECONDS = 5
HOURS = 24
AN_HOUR = timedelta(hours=1)
EXPIRES_WITHIN = timedelta(days=30)
QUIET_AFTER = timedelta(seconds=60)
FAMILIES_SHOWN = 6
BAD = {"failed", "held"}
GOOD = {"succeeded", "skipped"}


@dataclass(frozen=True)
class Figure:
    """A number, what it counts, the list behind it; `tone` is "", "good", "warn" or "bad"."""

    title: str
    value: int
    link: str
    tone: str = ""
    note: str = ""


# An app's figures as of a time, each with the model whose permission shows it.
Figures = Callable[[datetime], Iterable[tuple[str, Figure]]]
_more: dict[str, Figures] = {}


def also(title: str, figures: Figures) -> None:
    """Let an app of the hub's show figures of its own, in a section with this title."""
    _more[title] = figures


@dataclass(frozen=True)
class Bar:
    """An hour of the chart; heights in percent of the chart's height."""

    label: str
    good: int
    bad: int
    good_height: float
    bad_height: float
    link: str


@dataclass
class Counts:
    """What the database said, before anything is drawn."""

    at: datetime
    by_status: Counter[str] = field(default_factory=Counter)
    by_hour: dict[datetime, Counter[str]] = field(default_factory=dict)
    backlog: int = 0
    oldest_due: datetime | None = None
    open_errors: int = 0
    families: list[dict[str, Any]] = field(default_factory=list)
    overdue: int = 0
    outbox: int = 0
    breakers: list[tuple[int, str]] = field(default_factory=list)
    certificates: int = 0
    processes: list[dict[str, Any]] = field(default_factory=list)
    more: dict[str, list[tuple[str, Figure]]] = field(default_factory=dict)


def _instances(counts: Counts) -> None:
    since = counts.at.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    counts.by_hour = {since + timedelta(hours=hour): Counter() for hour in range(HOURS)}
    rows = (
        Instance.objects.filter(created_at__gte=since)
        .order_by()
        .annotate(hour=TruncHour("created_at", tzinfo=UTC))
        .values_list("hour", "status")
        .annotate(number=Count("id"))
    )
    for hour, status, number in rows:
        counts.by_status[status] += number
        counts.by_hour.setdefault(hour, Counter())[status] += number


def _work(counts: Counts) -> None:
    due = Instance.objects.filter(status__in=["ready", "waiting"], due_at__lte=counts.at)
    counts.backlog = due.count()
    counts.oldest_due = due.order_by("due_at").values_list("due_at", flat=True).first()
    counts.outbox = Notification.objects.filter(state__in=["pending", "sending"]).count()
    counts.overdue = SyncRequest.objects.filter(status="awaiting", overdue_at__lt=counts.at).count()
    recent = Heartbeat.objects.filter(at__gte=counts.at - timedelta(days=1))
    signs = recent.order_by("role", "name").values("name", "role", "host", "pid", "at")
    counts.processes = [dict(sign) for sign in signs]


def _trouble(counts: Counts) -> None:
    counts.open_errors = ErrorInstance.objects.filter(state="open").count()
    families = (
        ErrorInstance.objects.filter(state="open")
        .order_by()
        .values("family", "family__flow__identifier", "family__message", "family__fault_class")
        .annotate(number=Count("id"))
        .order_by("-number", "family")[:FAMILIES_SHOWN]
    )
    counts.families = [dict(family) for family in families]
    counts.breakers = list(
        Breaker.objects.filter(open_until__gt=counts.at).values_list("connection_id", "connection__name")
    )
    counts.certificates = TrustCertificate.objects.filter(not_after__lt=counts.at + EXPIRES_WITHIN).count()


def count() -> Counts:
    """The figures as of now, or of up to five seconds ago."""
    kept: Counts | None = cache.get("hub.dashboard")
    if kept is not None:
        return kept
    counts = Counts(at=timezone.now())
    for part in (_instances, _work, _trouble):
        part(counts)
    counts.more = {title: list(figures(counts.at)) for title, figures in _more.items()}
    cache.set("hub.dashboard", counts, KEPT_SECONDS)
    return counts


def _list(label: str, **filters: object) -> str:
    values = {
        key: value.isoformat() if isinstance(value, datetime) else value for key, value in filters.items()
    }
    return changelist(label, urlencode(values))


def _bars(counts: Counts) -> list[Bar]:
    hours = sorted(counts.by_hour.items())[-HOURS:]
    totals = [(sum(by[s] for s in GOOD), sum(by[s] for s in BAD)) for _, by in hours]
    highest = max([good + bad for good, bad in totals], default=0) or 1
    return [
        Bar(
            label=timezone.localtime(hour).strftime("%H:00"),
            good=good,
            bad=bad,
            good_height=round(100 * good / highest, 1),
            bad_height=round(100 * bad / highest, 1),
            link=_list(
                "integrations.instance", created_at__gte=hour, created_at__lt=hour + timedelta(hours=1)
            ),
        )
        for (hour, _), (good, bad) in zip(hours, totals, strict=True)
    ]


def _statuses(counts: Counts) -> list[Figure]:
    since = min(counts.by_hour)
    tones = dict.fromkeys(BAD, "bad") | dict.fromkeys(GOOD, "good")
    return [
        Figure(
            title=str(Instance.Status(status).label),
            value=counts.by_status[status],
            link=_list("integrations.instance", status__exact=status, created_at__gte=since),
            tone=tones.get(status, "") if counts.by_status[status] else "",
        )
        for status in Instance.Status.values
    ]


def _span(seconds: float) -> str:
    """In the largest unit of which there are at least two, e.g. 119 s, 90 min, 23 h."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def _waited(counts: Counts) -> str:
    if counts.oldest_due is None:
        return ""
    return f"oldest due for {_span((counts.at - counts.oldest_due).total_seconds())}"


def _attention(counts: Counts) -> Iterable[tuple[str, Figure]]:
    """The figures that ask for a person, each with the model whose permission shows it."""
    waited = _waited(counts)
    late = counts.oldest_due is not None and counts.at - counts.oldest_due > QUIET_AFTER
    yield (
        "integrations.errorinstance",
        Figure(
            "Open errors",
            counts.open_errors,
            _list("integrations.errorinstance", state__exact="open"),
            "bad" if counts.open_errors else "",
        ),
    )
    yield (
        "integrations.instance",
        Figure(
            "Queue backlog",
            counts.backlog,
            _list("integrations.instance", status__in="ready,waiting", due_at__lte=counts.at),
            "warn" if late else "",
            waited,
        ),
    )
    yield (
        "integrations.syncrequest",
        Figure(
            "Overdue acknowledgements",
            counts.overdue,
            _list("integrations.syncrequest", status__exact="awaiting", overdue_at__lt=counts.at),
            "warn" if counts.overdue else "",
        ),
    )
    yield (
        "integrations.connection",
        Figure(
            "Open breakers",
            len(counts.breakers),
            _list("integrations.connection", id__in=",".join(str(key) for key, _ in counts.breakers) or "0"),
            "bad" if counts.breakers else "",
            ", ".join(name for _, name in counts.breakers),
        ),
    )
    yield (
        "integrations.notification",
        Figure(
            "Mails to send", counts.outbox, _list("integrations.notification", state__in="pending,sending")
        ),
    )
    yield (
        "integrations.trustcertificate",
        Figure(
            "Certificates expiring in 30 days",
            counts.certificates,
            _list("integrations.trustcertificate", not_after__lt=counts.at + EXPIRES_WITHIN),
            "warn" if counts.certificates else "",
        ),
    )


def _families(counts: Counts) -> list[dict[str, Any]]:
    return [
        {
            "flow": row["family__flow__identifier"],
            "message": row["family__message"],
            "fault_class": row["family__fault_class"],
            "number": row["number"],
            "link": _list("integrations.errorinstance", family__id__exact=row["family"], state__exact="open"),
        }
        for row in counts.families
    ]


def _processes(counts: Counts) -> list[dict[str, Any]]:
    ages = [(row, counts.at - row["at"]) for row in counts.processes]
    return [row | {"age": _span(age.total_seconds()), "quiet": age > QUIET_AFTER} for row, age in ages]


def _seen(request: HttpRequest, figures: Iterable[tuple[str, Figure]]) -> list[Figure]:
    return [figure for label, figure in figures if may_view(request, label)]


def overview(request: HttpRequest) -> dict[str, Any]:
    """The template's context: only what the user may view is in it."""
    counts = count()
    seen: dict[str, Any] = {
        "attention": _seen(request, _attention(counts)),
        "more": [(title, kept) for title, given in counts.more.items() if (kept := _seen(request, given))],
    }
    if may_view(request, "integrations.instance"):
        seen |= {"statuses": _statuses(counts), "bars": _bars(counts)}
    if may_view(request, "integrations.errorinstance"):
        seen |= {"families": _families(counts)}
    if may_view(request, "integrations.heartbeat"):
        seen |= {"processes": _processes(counts)}
    return seen | {"counted_at": counts.at}
