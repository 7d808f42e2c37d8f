"""When a row is valid: from its first day to its last, both included, by the hub's time zone; a blank end is open."""

import re
from datetime import date, datetime, time, timedelta

from django.utils import timezone

FROM, UNTIL = "Valid from", "Valid until"  # what files, pages and merges call the two days
VALID, COMING, ENDED = "valid", "coming", "ended"
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")


def today() -> date:
    """The day it is in the hub's time zone (HUB_TIME_ZONE)."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def day_of(value: object) -> date | None:
    """A day from a date or its text (2026-01-31); None for a blank. ValueError is the end of a sentence."""
    if isinstance(value, datetime):
        value = value.date()
    if value is None or isinstance(value, date):
        return value
    text = str(value).strip()
    if not text:
        return None
    found = _DAY.fullmatch(text)
    try:
        return date.fromisoformat(found.group(1) if found else text)
    except ValueError:
        raise ValueError(f"is {text[:40]!r}, not a day as 2026-01-31") from None


def day_text(day: date | None) -> str:
    """As files and history keep a day; "" for none."""
    return day.isoformat() if day else ""


def overlap(first: tuple[date | None, date | None], second: tuple[date | None, date | None]) -> bool:
    """Whether two periods share a day."""
    (begins, ends), (other_begins, other_ends) = first, second
    after = begins and other_ends and other_ends < begins
    before = ends and other_begins and ends < other_begins
    return not (after or before)


def state_on(day: date, begins: date | None, ends: date | None) -> str:
    """VALID, COMING or ENDED."""
    if begins and day < begins:
        return COMING
    return ENDED if ends and ends < day else VALID


def midnight(day: date) -> float:
    """When a day begins in the hub's time zone, in seconds since the epoch."""
    return datetime.combine(day, time.min, timezone.get_default_timezone()).timestamp()


def next_day(day: date) -> date:
    """The day after; the last day there is has none after it."""
    return day if day == date.max else day + timedelta(days=1)
