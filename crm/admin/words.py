"""Codes in words: languages, times, places."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from crm.config import PACKAGE
from lookups.cache import lookups

LANGUAGES = f"{PACKAGE}_Languages"
SEARCHES = f"{PACKAGE}_LandbaseSearches"


def languages() -> dict[int, str]:
    """Language id → what it is called."""
    rows = lookups.table(LANGUAGES).rows()
    return {int(row[0]): row[1] or row[0] for row in rows if row[0].strip().isdigit()}


def language(key: int) -> str:
    """What a language is called, or its id where the lookup does not have it."""
    return languages().get(key, str(key))


def search_types() -> dict[str, str]:
    """Landbase search type → its parameters as they are written."""
    return {row[0]: row[1] for row in lookups.table(SEARCHES).rows()}


def moment(at: datetime | None, otherwise: str = "") -> str:
    """A time to the minute, in the console's zone."""
    return f"{timezone.localtime(at):%-d %b %Y %H:%M}" if at else otherwise


def period(given: dict[str, Any]) -> str:
    """When a customer wants to be called: from, to, or both."""
    start, end = (parse_datetime(str(given.get(name) or "")) for name in ("start", "end"))
    if start and end:
        return f"between {moment(start)} and {moment(end)}"
    return f"from {moment(start)} on" if start else f"until {moment(end)}" if end else ""


def places(location: list[dict[str, Any]]) -> list[str]:
    """A ticket's Location elements as they came, a line each."""
    return [line for one in location if (line := _place(one))]


def _place(one: dict[str, Any]) -> str:
    point = one.get("PositionPoint") or {}
    words = " ".join(str(one[name]) for name in ("type", "description", "name") if one.get(name))
    at = ", ".join(f"{axis[0]} {point[axis]}" for axis in ("xPosition", "yPosition") if point.get(axis))
    return " at ".join(part for part in (words, at) if part)
