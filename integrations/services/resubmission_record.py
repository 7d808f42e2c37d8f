"""Writing down, as an order that is finished, what was resubmitted at once: it is found where the other orders are."""

from collections.abc import Sequence

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from integrations.engine.clock import db_now
from integrations.models import BulkItem, BulkResubmission, Instance

Outcome = BulkItem.Outcome


def resubmission_record(
    *,
    sent: Sequence[Instance],
    refused: Sequence[tuple[Instance, str]] = (),
    actor: str,
    user: AbstractBaseUser | None = None,
    reason: str = "",
    from_start: bool = False,
) -> BulkResubmission:
    """The finished order: what was sent, and what was refused and why. Each resubmission is audited by itself."""
    now = db_now()
    with transaction.atomic():
        order = BulkResubmission.objects.create(
            selection={"ids": [str(instance.pk) for instance in (*sent, *(row for row, _ in refused))]},
            title=f"{len(sent)} error{'' if len(sent) == 1 else 's'}, by the API",
            reason=reason,
            from_start=from_start,
            state=BulkResubmission.State.FINISHED,
            actor=actor,
            user_id=user.pk if user else None,
            total=len(sent) + len(refused),
            created_at=now,
            started_at=now,
            ended_at=now,
        )
        outcomes = [(instance, Outcome.RESUBMITTED, "") for instance in sent]
        outcomes += [(instance, Outcome.REFUSED, why) for instance, why in refused]
        BulkItem.objects.bulk_create(
            BulkItem(order=order, position=place, instance=instance, outcome=outcome, text=why, at=now)
            for place, (instance, outcome, why) in enumerate(outcomes, 1)
        )
    return order
