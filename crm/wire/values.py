"""Simple values of XML Schema as Python's: date-times, booleans, whole numbers."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from uuid import UUID

from django.utils import timezone

_LONGEST_DATE = 64
_MIDNIGHT = re.compile(r"T24:00:00(\.0+)?")  # the end of its day, which Python does not read
_MINUTE = timedelta(minutes=1)


class OutOfRange(ValueError):
    """A date-time that the schema allows and no clock here can hold."""


@lru_cache(maxsize=4096)  # the tickets of a storm tell the same times over and over
def moment_of(text: str) -> datetime:
    """An xs:dateTime, aware, in UTC; without an offset it is the hub's own time zone. OutOfRange, ValueError."""
    text = text.strip()
    if len(text) > _LONGEST_DATE:
        raise OutOfRange(f"{text[:30]}… is no date-time that can be kept")
    try:
        read, days = _MIDNIGHT.subn("T00:00:00", text) if "T24" in text else (text, 0)
        found = datetime.fromisoformat(read) + timedelta(days=days)
        if found.tzinfo is None:
            found = timezone.make_aware(found)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise OutOfRange(f"{text} is no date-time that can be kept") from None


def moment_text(moment: datetime | None) -> str | None:
    """A date-time as the schemas spell it, in the hub's time zone; None stays None."""
    if moment is None:
        return None
    try:
        local = timezone.localtime(moment)
    except OverflowError:  # the first or last day of all years
        return moment.astimezone(UTC).isoformat()
    offset = local.utcoffset()
    # Before there were time zones, places were off by seconds as well, which the schemas have no way to write.
    return (local.astimezone(UTC) if offset and offset % _MINUTE else local).isoformat()


def flag_of(text: str | None) -> bool:
    """An xs:boolean; False where there is none."""
    return (text or "").strip() in ("true", "1")


def whole_of(text: str | None) -> int | None:
    """An xs:integer of any size; None where there is none."""
    if text is None or not text.strip():
        return None
    try:
        return int(
            Decimal(text.strip())
        )  # Decimal: int() refuses more than 4,300 digits with an error of its own
    except (InvalidOperation, ValueError, OverflowError):
        return None


def text_of(value: str | None) -> str:
    """A text without blanks around it; "" where there is none."""
    return (value or "").strip()


def uuid_or_none(text: str) -> UUID | None:
    """The key that an mRID is; None where it is none of ours."""
    try:
        return UUID(text)
    except ValueError:
        return None
