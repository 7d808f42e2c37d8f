"""The callback queue: who gets which, each exactly once at a time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F, Q, QuerySet

from crm.models import Callback

State = Callback.State


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the queue; None: any."""

    count: int
    priority: int | None = None
    language: int | None = None


def waiting(now: datetime) -> "QuerySet[Callback]":
    """Callbacks that nobody has: queued ones, and those whose time with somebody is over."""
    return Callback.objects.filter(Q(state=State.QUEUED) | Q(state=State.ASSIGNED, release_at__lte=now))


def assign(wanted: Wanted, *, to: str, minutes: int, now: datetime) -> list[Callback]:
    """Assign the next callbacks to a CSR; no other gets them until `minutes` are over. Inside a transaction."""
    rows = waiting(now).filter(automatic=False)
    if wanted.priority is not None:
        rows = rows.filter(priority=wanted.priority)
    if wanted.language is not None:
        rows = rows.filter(language_id=wanted.language)
    return take(rows, wanted.count, to=to, minutes=minutes, now=now)


def assign_automatic(
    count: int, *, priorities: Collection[int], to: str, minutes: int, now: datetime
) -> list[Callback]:
    """Assign callbacks for the IVR: those marked as automatic, and those of the priorities. Inside a transaction."""
    rows = waiting(now).filter(Q(automatic=True) | Q(priority__in=priorities))
    return take(rows, count, to=to, minutes=minutes, now=now)


def take(rows: "QuerySet[Callback]", count: int, *, to: str, minutes: int, now: datetime) -> list[Callback]:
    """The first of the rows, assigned; those that another is just being given are passed over."""
    found = list(_skipping(rows.order_by("-priority", "created_at", "id"))[:count])
    release_at = now + timedelta(minutes=minutes)
    Callback.objects.filter(pk__in=[row.pk for row in found]).update(
        state=State.ASSIGNED,
        assigned_to=to,
        assigned_at=now,
        release_at=release_at,
        times_assigned=F("times_assigned") + 1,
    )
    for row in found:
        row.state, row.assigned_to, row.assigned_at, row.release_at = State.ASSIGNED, to, now, release_at
    return found


def _skipping(rows: "QuerySet[Callback]") -> "QuerySet[Callback]":
    """On SQLite a transaction that writes is alone anyway (it begins IMMEDIATE)."""
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True)
    return rows
