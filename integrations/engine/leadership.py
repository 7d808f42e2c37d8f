"""One process of many in charge of a task: a lease in the database, taken over when its holder falls silent."""

from datetime import timedelta

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


def step_down(holder: str) -> None:
    """Give up every task of this holder, so that another takes over at once."""
    Lease.objects.filter(holder=holder).update(until=None, holder="")
