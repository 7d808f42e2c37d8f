"""What a list is asked for: the parameter q with its criteria, time windows, and parameters of few values."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from integrations.api.errors import BadRequest

# Hours; RETENTIONPERIOD is all that is kept.
WINDOWS = {"1h": 1, "6h": 6, "1d": 24, "2d": 48, "3d": 72}
RETENTION = "RETENTIONPERIOD"
SPAN = frozenset({"timewindow", "startdate", "enddate"})
_PAIR = re.compile(
    r"\s*[\"']?(\w+)[\"']?\s*:\s*(?:'([^']*)'|\"([^\"]*)\"|([^,'\"{}]+?))\s*(?:,|$)",
)
_QUOTED = 2


def criteria_of(text: str, known: frozenset[str]) -> dict[str, str]:
    """The parameter q, e.g. {timewindow:'1d', status:'FAILED'}; BadRequest where it is not read or not known.

    A value in quotes within its quotes ('"two words"'), as OIC writes phrases, is taken without them.
    """
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1].strip()
    found: dict[str, str] = {}
    at = 0
    while at < len(inner):
        pair = _PAIR.match(inner, at)
        if pair is None:
            raise BadRequest(
                f"The parameter q cannot be read from {inner[at : at + 40]!r}", hint="q={name:'value', …}"
            )
        if pair.group(1) not in known:
            raise BadRequest(
                f"q does not know {pair.group(1)[:60]}", hint=f"Known: {', '.join(sorted(known))}."
            )
        found[pair.group(1)] = _bare(next(value for value in pair.groups()[1:] if value is not None))
        at = pair.end()
    return found


def _bare(value: str) -> str:
    return value[1:-1] if len(value) > _QUOTED and value[0] == value[-1] == '"' else value


def choice(parameters: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    """A parameter of few values, the first by default; BadRequest for another."""
    value = parameters.get(name, choices[0])
    if value not in choices:
        raise BadRequest(f"The parameter {name} is {value[:40]!r}; it is one of {', '.join(choices)}")
    return value


def one_of(name: str, value: str, choices: Sequence[str]) -> str:
    """A criterion of few values; BadRequest for another."""
    if value not in choices:
        raise BadRequest(f"{name} is {value[:40]!r}; it is one of {', '.join(choices)}")
    return value


def number_of(name: str, value: str) -> int:
    """A whole number that a 64-bit column holds; BadRequest otherwise."""
    if not (value.isascii() and value.isdigit() and len(value) < 19):  # noqa: PLR2004  (digits of a 64-bit key)
        raise BadRequest(f"{name} is {value[:40]!r}, which is no number")
    return int(value)


def time_of(name: str, value: str) -> datetime:
    """OIC's yyyy-MM-dd HH:mm:ss, in UTC."""
    try:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise BadRequest(f"{name} is {value[:40]!r}; it is written yyyy-MM-dd HH:mm:ss, in UTC") from None


def window_start(value: str) -> datetime | None:
    """When a timewindow begins; None for all that is kept."""
    if one_of("timewindow", value, [*WINDOWS, RETENTION]) == RETENTION:
        return None
    return timezone.now() - timedelta(hours=WINDOWS[value])


def within(criteria: Mapping[str, str], column: str) -> Q:
    """The rows whose `column` lies in the timewindow and between startdate and enddate."""
    wanted = Q()
    if "timewindow" in criteria and (start := window_start(criteria["timewindow"])):
        wanted &= Q(**{f"{column}__gte": start})
    if "startdate" in criteria:
        wanted &= Q(**{f"{column}__gte": time_of("startdate", criteria["startdate"])})
    if "enddate" in criteria:
        wanted &= Q(**{f"{column}__lte": time_of("enddate", criteria["enddate"])})
    return wanted


def named(column: str, value: str) -> Q:
    """OIC's two ways to name: 'x' is the name in any case, /x/ a part of it."""
    if len(value) > _QUOTED and value[0] == value[-1] == "/":
        return Q(**{f"{column}__icontains": value[1:-1]})
    return Q(**{f"{column}__iexact": value})
