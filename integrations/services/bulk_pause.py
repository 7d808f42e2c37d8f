"""Holding a bulk resubmission, and letting it go on."""

from django.db import transaction

from integrations.engine.clock import db_now
from integrations.engine.faults import Conflict
from integrations.models import BulkResubmission
from integrations.services.audit import audit

State = BulkResubmission.State


def bulk_pause(*, order: BulkResubmission, actor: str) -> None:
    """Send no more for now; what was sent goes on. Conflict where it is not running."""
    _change(order, actor, State.RUNNING, State.PAUSED, "bulk_pause")


def bulk_resume(*, order: BulkResubmission, actor: str) -> None:
    """Go on where it was paused. Conflict where it is not paused."""
    _change(order, actor, State.PAUSED, State.RUNNING, "bulk_resume")


def _change(order: BulkResubmission, actor: str, before: str, after: str, action: str) -> None:
    with transaction.atomic():
        here = BulkResubmission.objects.filter(pk=order.pk, state=before)
        if not here.update(state=after, next_at=db_now() if after == State.RUNNING else None):
            order.refresh_from_db()
            raise Conflict(f"It is {order.get_state_display().lower()}, not {State(before).label.lower()}")
        audit(actor=actor, action=action, subject=f"bulkresubmission:{order.pk}")
    order.refresh_from_db()
