"""What alert rules look for: one function an event, from a rule and a time to what is so now.

Each is cheap however many instances there are: by index, and never more rows than a bound.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Exists, OuterRef, QuerySet

from integrations.models import AlertRule, ErrorFamily, ErrorInstance, Flow

MOST = 200  # things one rule finds at a time
COUNTED = 1000  # open errors of a family counted at most
MOST_ERRORS = 50_000  # errors of a span counted at most
MESSAGE = 160  # characters of a family's message in a title


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is so: `subject` as model:id, `link` a path of the console, `count` of what the title says."""

    subject: str
    title: str
    text: str
    link: str
    count: int = 1


Find = Callable[[AlertRule, datetime, set[str]], Iterable[Finding]]


def page(model: str, key: object) -> str:
    """A row's page in the console."""
    return f"/admin/integrations/{model}/{key}/change/"


def listed(model: str, query: str) -> str:
    """A list in the console, filtered."""
    return f"/admin/integrations/{model}/?{query}"


def moment(time: datetime, rule: AlertRule) -> str:
    """A time in the rule's zone, e.g. Sat 30 Nov 2024 02:00 GMT."""
    try:
        zone: tzinfo = ZoneInfo(rule.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = UTC
    return f"{time.astimezone(zone):%a %d %b %Y %H:%M %Z}"


def number(count: int, one: str, many: str = "") -> str:
    """`1 error`, `12 errors`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def flow_ids(rule: AlertRule) -> list[int]:
    """The flows the rule is limited to; [] for every flow."""
    return list(rule.flows.values_list("pk", flat=True)) if rule.pk else []


def lasting_ids(lasting: set[str], model: str) -> list[int]:
    """Keys of the subjects of one model."""
    return [int(subject.partition(":")[2]) for subject in lasting if subject.startswith(f"{model}:")]


def families(rule: AlertRule, now: datetime, lasting: set[str]) -> Iterator[Finding]:
    """Kinds of errors that have come up within the span, and those told before while any of them is open."""
    since = now - timedelta(minutes=rule.minutes)
    still_open = ErrorInstance.objects.filter(family=OuterRef("pk"), state=ErrorInstance.State.OPEN)
    rows = ErrorFamily.objects.filter(Exists(still_open)).select_related("flow")
    if flows := flow_ids(rule):
        rows = rows.filter(flow__in=flows)
    recent = rows.filter(last_seen__gte=since).order_by("-last_seen")[:MOST]
    found = {family.pk: family for family in recent}
    rest = [key for key in lasting_ids(lasting, "errorfamily") if key not in found]
    found |= rows.in_bulk(rest) if rest else {}
    for family in found.values():
        yield _family(rule, family, since)


def _family(rule: AlertRule, family: ErrorFamily, since: datetime) -> Finding:
    errors = ErrorInstance.objects.filter(family=family, state=ErrorInstance.State.OPEN).order_by()
    count = errors[:COUNTED].count()
    said = f"{COUNTED} or more errors" if count == COUNTED else number(count, "error")
    kind = "A new kind of error" if family.first_seen >= since else "A known kind of error is open again"
    return Finding(
        subject=f"errorfamily:{family.pk}",
        title=f"{family.flow.identifier}: {_line(family.message, MESSAGE)}",
        text=(
            f"{kind}, {said} open. First seen {moment(family.first_seen, rule)}, "
            f"last {moment(family.last_seen, rule)}."
        ),
        link=page("errorfamily", family.pk),
        count=max(count, 1),
    )


def threshold(rule: AlertRule, now: datetime, _lasting: set[str]) -> Iterator[Finding]:
    """Flows with more errors than the threshold within the span."""
    since = now - timedelta(minutes=rule.minutes)
    counts = _errors_by_flow(since, flow_ids(rule))
    over = {flow: count for flow, count in counts.items() if count > rule.threshold}
    for flow in Flow.objects.filter(pk__in=over).order_by("pk")[:MOST]:
        yield Finding(
            subject=f"flow:{flow.pk}",
            title=f"{flow.identifier}: {number(over[flow.pk], 'error')} in {number(rule.minutes, 'minute')}",
            text=f"More than {rule.threshold:,} since {moment(since, rule)}.",
            link=listed("errorinstance", f"state__exact=open&family__flow__id__exact={flow.pk}"),
            count=over[flow.pk],
        )


def _errors_by_flow(since: datetime, flows: list[int]) -> Counter[int]:
    """Errors that failed since then by flow, at most MOST_ERRORS of them: read from the index of state and time."""
    errors = ErrorInstance.objects.filter(state__in=ErrorInstance.State.values, last_failed_at__gte=since)
    by_family = Counter(errors.order_by().values_list("family_id", flat=True)[:MOST_ERRORS])
    owners = dict(_flows_of(by_family))
    counts: Counter[int] = Counter()
    for family, count in by_family.items():
        if not flows or owners[family] in flows:
            counts[owners[family]] += count
    return counts


def _flows_of(keys: Iterable[int]) -> "QuerySet[ErrorFamily, tuple[int, int]]":
    return ErrorFamily.objects.filter(pk__in=list(keys)).values_list("pk", "flow_id")


def _line(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"
