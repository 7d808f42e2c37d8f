"""Ending a bulk resubmission early."""

from django.db import transaction

from integrations.engine.clock import db_now
from integrations.engine.faults import Conflict
from integrations.models import BulkItem, BulkResubmission
from integrations.services.audit import audit
from integrations.services.bulk_choice import UNFINISHED

Outcome = BulkItem.Outcome


def bulk_cancel(*, order: BulkResubmission, actor: str) -> int:
    """Send no more, ever; how many were not reached. What was sent goes on. Conflict where it has ended."""
    with transaction.atomic():
        now = db_now()
        going = BulkResubmission.objects.filter(pk=order.pk, state__in=UNFINISHED)
        if not going.update(state=BulkResubmission.State.CANCELLED, ended_at=now, next_at=None):
            raise Conflict("This bulk resubmission has ended already")
        waiting = BulkItem.objects.filter(order=order, outcome=Outcome.WAITING)
        dropped = waiting.update(outcome=Outcome.DROPPED, at=now)
        audit(
            actor=actor,
            action="bulk_cancel",
            subject=f"bulkresubmission:{order.pk}",
            detail={"dropped": dropped},
        )
    order.refresh_from_db()
    return dropped
