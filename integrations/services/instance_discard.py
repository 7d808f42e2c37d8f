"""Discarding a failed instance: nothing more is done with it, and why is kept."""

from django.db import transaction

from integrations.engine.clock import db_now
from integrations.engine.faults import Conflict, InvalidMessage
from integrations.engine.stream import Kind, Stream
from integrations.models import ErrorInstance, Instance
from integrations.services.audit import audit

Status = Instance.Status


def instance_discard(*, instance: Instance, actor: str, reason: str) -> None:
    """End an error for good. InvalidMessage without a reason, Conflict where the instance is not in error."""
    if not reason.strip():
        raise InvalidMessage("A reason is needed to discard")
    with transaction.atomic():
        now = db_now()
        taken = Instance.objects.filter(
            pk=instance.pk, status__in=[Status.FAILED, Status.HELD, Status.WAITING, Status.READY]
        ).update(status=Status.DISCARDED, ended_at=now)
        if not taken:
            raise Conflict(
                f"Instance {instance.pk} cannot be discarded: it is {instance.get_status_display().lower()}"
            )
        ErrorInstance.objects.filter(instance=instance).update(
            state=ErrorInstance.State.DISCARDED, settled_at=now, settled_by=actor, reason=reason
        )
        stream = Stream(instance, instance.fence)
        stream.say(Kind.NOTED, f"Discarded by {actor}: {reason}")
        stream.flush()
        audit(actor=actor, action="discard", subject=f"instance:{instance.pk}", detail={"reason": reason})
    instance.refresh_from_db()
