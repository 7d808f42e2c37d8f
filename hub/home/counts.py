"""What the home page counts itself; one count serves everyone for five seconds.

Each figure is bounded. Where there are too many rows to count while a person waits, what the beat has counted is
taken instead, and shown with its age.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from hub.home.attention import attention
from hub.home.day import Day, DrawnDay, count_day, drawn
from hub.home.families import Families, FamilyRow, count_families, family_rows
from hub.home.figures import Figure, of_others
from hub.home.late import Late, count_late
from hub.home.queue import Queue, count_queue
from integrations.models import Heartbeat
from integrations.services.standing_count import standing_known

KEPT_SECONDS = 5
A_DAY = timedelta(days=1)


@dataclass
class Counts:
    """What the database said, and what was drawn of it."""

    at: datetime
    queue: Queue
    families: Families
    late: list[Late]
    day: Day
    drawn: DrawnDay
    family_rows: list[FamilyRow]
    attention: list[tuple[str, Figure]] = field(default_factory=list)
    processes: list[dict[str, Any]] = field(default_factory=list)
    more: dict[str, list[tuple[str, Figure]]] = field(default_factory=dict)


def count() -> Counts:
    """The figures as of now, or of up to five seconds ago."""
    kept: Counts | None = cache.get("hub.dashboard")
    if kept is None:
        kept = _count(timezone.now())
        cache.set("hub.dashboard", kept, KEPT_SECONDS)
    return kept


def _count(at: datetime) -> Counts:
    standing = standing_known()
    late, day, families = count_late(at), count_day(at), count_families(at, standing)
    signs = Heartbeat.objects.filter(at__gte=at - A_DAY).order_by("role", "name")
    return Counts(
        at=at,
        queue=count_queue(at, standing),
        families=families,
        late=late,
        day=day,
        drawn=drawn(day),
        family_rows=family_rows(families),
        attention=list(attention(at, late)),
        processes=[dict(sign) for sign in signs.values("name", "role", "host", "pid", "at")],
        more=of_others(at),
    )
