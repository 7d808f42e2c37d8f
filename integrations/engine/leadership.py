"""One process of many in charge of a task: a lease in the database, taken over when its holder falls silent."""

from datetime import timedelta

from django.db import connection
from django.db.models import Q

from integrations.engine.clock import db_now
from integrations.models import Lease

LEASE_SECONDS = 30


def lead(task: str, holder: str) -> bool:
    """Whether `holder` is in charge of `task` for the next 30 seconds; renews the lease of who was already."""
    now = db_now()
    Lease.objects.get_or_create(name=task)
    free = Q(holder=holder) | Q(until=None) | Q(until__lt=now)
    until = now + timedelta(seconds=LEASE_SECONDS)
    return bool(Lease.objects.filter(free, name=task).update(holder=holder, until=until))


def queue_up(task: str) -> None:
    """Within a transaction: wait until no other that has queued up for `task` is open, and see what it wrote.

    SQLite needs nothing: its transactions begin IMMEDIATE, one at a time.
    """
    if connection.features.has_select_for_update:
        Lease.objects.bulk_create([Lease(name=task)], ignore_conflicts=True)
        Lease.objects.select_for_update().get(name=task)


def step_down(holder: str) -> None:
    """Give up every task of this holder, so that another takes over at once."""
    Lease.objects.filter(holder=holder).update(until=None, holder="")
