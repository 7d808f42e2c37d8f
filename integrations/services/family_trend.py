"""How often a family's errors came, hour by hour or day by day."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from django.utils import timezone

from integrations.models import ErrorFamily

HOURS, DAYS = 48, 30


@dataclass(frozen=True, slots=True)
class Span:
    """An hour or a day, and the errors that last failed in it."""

    begin: datetime
    count: int


def family_trend(*, family: ErrorFamily, daily: bool) -> list[Span]:
    """The last 48 hours, or 30 days with `daily`, the oldest first; an error counts where it last failed.

    Days begin at midnight in the console's time zone.
    """
    zone = timezone.get_current_timezone()
    now = timezone.now()
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [hour - timedelta(hours=back) for back in range(HOURS - 1, -1, -1)]
    begins = _days(now.astimezone(zone)) if daily else hours
    # A count each by the index: cutting times off in SQL would take every row through a function.
    return [_span(family, begin, end) for begin, end in pairwise([*begins, now + timedelta(days=1)])]


def _span(family: ErrorFamily, begin: datetime, end: datetime) -> Span:
    return Span(begin, family.errors.filter(last_failed_at__gte=begin, last_failed_at__lt=end).count())


def _days(now: datetime) -> list[datetime]:
    """Midnights, each by its own offset: a day may have 23 hours."""
    today = now.date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    return [datetime(day.year, day.month, day.day, tzinfo=now.tzinfo) for day in days]
