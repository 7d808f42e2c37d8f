"""Operators take callbacks from those who have them: they go back to the queue before their time."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from crm.models import Callback
from crm.outage.holding import hold_in_order
from crm.services.callbacks_automatic import audit_callbacks

State = Callback.State


def callbacks_release(*, callbacks: Iterable[UUID], actor: str) -> int:
    """Dissociate those of the callbacks that are assigned; how many. Results by their former CSR are refused then."""
    wanted = list(callbacks)
    with transaction.atomic():
        held = hold_in_order(Callback.objects.filter(pk__in=wanted, state=State.ASSIGNED))
        Callback.objects.filter(pk__in=held).update(
            state=State.QUEUED, assigned_to="", assigned_at=None, release_at=None, last_update_user=actor
        )
        audit_callbacks(held, actor, "callbacks_release")
    return len(held)
