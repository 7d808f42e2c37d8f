"""Operators move callbacks to the IVR, and back to the agents (seed 004 section 9.1)."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from crm.models import Callback
from crm.outage.callback_queue import waiting
from crm.outage.holding import hold_in_order
from integrations.services.audit import audit

NAMED = 500  # ids in one audit entry


def callbacks_automatic(*, callbacks: Iterable[UUID], automatic: bool, actor: str) -> int:
    """Mark those of the callbacks that wait for somebody as automatic, or no longer; how many that changed."""
    wanted = list(callbacks)
    with transaction.atomic():
        rows = waiting(timezone.now()).filter(pk__in=wanted, automatic=not automatic)
        held = hold_in_order(rows)
        Callback.objects.filter(pk__in=held).update(automatic=automatic, last_update_user=actor)
        audit_callbacks(held, actor, "callbacks_automatic" if automatic else "callbacks_manual")
    return len(held)


def audit_callbacks(callbacks: list[UUID], actor: str, action: str) -> None:
    """One entry for each callback's story where it is one, else one for all of them."""
    if len(callbacks) == 1:
        audit(actor=actor, action=action, subject=f"callback:{callbacks[0]}")
    elif callbacks:
        detail = {"count": len(callbacks), "callbacks": [str(key) for key in callbacks[:NAMED]]}
        audit(actor=actor, action=action, subject="callback:list", detail=detail)
