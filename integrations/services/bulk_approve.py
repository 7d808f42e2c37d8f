"""A second person's yes to a large bulk resubmission."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from integrations.engine.clock import db_now
from integrations.engine.faults import Conflict
from integrations.models import BulkResubmission
from integrations.services.audit import audit

State = BulkResubmission.State


def bulk_approve(*, order: BulkResubmission, actor: str, user: AbstractBaseUser | None = None) -> None:
    """Let a waiting order begin. Conflict where it does not wait, or where who asked for it approves it."""
    own = order.actor == actor or (user is not None and order.user_id == user.pk)
    if own:
        raise Conflict("You asked for this bulk resubmission", hint="Somebody else has to approve it.")
    with transaction.atomic():
        now = db_now()
        waiting = BulkResubmission.objects.filter(pk=order.pk, state=State.AWAITING)
        if not waiting.update(state=State.RUNNING, approved_by=actor, started_at=now, next_at=now):
            raise Conflict("It does not wait for approval any more")
        audit(actor=actor, action="bulk_approve", subject=f"bulkresubmission:{order.pk}")
    order.refresh_from_db()
