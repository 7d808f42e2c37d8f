"""Moments as messages write them."""

from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from integrations.engine.faults import InvalidMessage


def moment_of(text: Any) -> datetime | None:
    """An ISO 8601 date-time with its zone; None for nothing; InvalidMessage for what is no moment (a 31 February)."""
    if text in (None, ""):
        return None
    try:
        found = parse_datetime(str(text))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidMessage(
            f"{text!r} is no date-time with a zone", hint="Write it as 2026-07-01T14:00:00.000Z."
        )
    return found
