"""Aborting an instance that is under way: nothing more is begun for it."""

import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet

from integrations.engine.clock import db_now
from integrations.engine.faults import Conflict
from integrations.engine.stream import Kind, Level, Stream
from integrations.models import Attempt, ErrorInstance, Instance
from integrations.services.audit import audit

Status, State = Instance.Status, ErrorInstance.State
UNDER_WAY = (Status.READY, Status.RUNNING, Status.WAITING)


def instance_abort(*, instance: Instance, actor: str, reason: str = "", address: str | None = None) -> None:
    """End an instance that is ready, running or waiting, with what it has called. Conflict where it has ended already.

    Who works on it loses it: the fence goes up, so whatever it writes comes late and it begins no further effect. A
    call to a target that is under way is not taken back.
    """
    with transaction.atomic():
        now = db_now()
        if not _end(Instance.objects.filter(pk=instance.pk), now):
            raise Conflict(
                f"Instance {instance.pk} cannot be aborted: it is {instance.get_status_display().lower()}",
                hint="Only what is ready, running or waiting can be.",
            )
        ended = [instance.pk, *_end_descendants(instance, now)]
        Attempt.objects.filter(instance__in=ended, outcome=Attempt.Outcome.RUNNING).update(
            outcome=Attempt.Outcome.FENCED, ended_at=now, detail=f"Aborted by {actor}"
        )
        _settle(instance, actor, reason, now)
        stream = Stream(instance, instance.fence)
        stream.say(Kind.NOTED, f"Aborted by {actor}" + (f": {reason}" if reason else ""), level=Level.WARNING)
        stream.flush()
        audit(
            actor=actor,
            action="abort",
            subject=f"instance:{instance.pk}",
            detail={"reason": reason, "was": instance.status},
            address=address,
        )
    instance.refresh_from_db()


def _end_descendants(instance: Instance, now: datetime) -> list[uuid.UUID]:
    """What it has called and waits for, and what that has called."""
    ended: list[uuid.UUID] = []
    parents = [instance.pk]
    while parents:
        under_way = Instance.objects.filter(parent__in=parents, status__in=UNDER_WAY)
        parents = list(under_way.values_list("pk", flat=True))
        _end(Instance.objects.filter(pk__in=parents), now)
        ended += parents
    return ended


def _end(rows: "QuerySet[Instance]", now: datetime) -> int:
    return rows.filter(status__in=UNDER_WAY).update(
        status=Status.DISCARDED, fence=F("fence") + 1, lease_until=None, ended_at=now
    )


def _settle(instance: Instance, actor: str, reason: str, now: datetime) -> None:
    """Its own error is discarded with it; that of the instance it replays is open again."""
    errors = ErrorInstance.objects.filter(state__in=[State.OPEN, State.RESUBMITTED])
    errors.filter(instance=instance).update(
        state=State.DISCARDED, settled_at=now, settled_by=actor, reason=reason
    )
    if instance.replay_of_id:
        errors.filter(instance=instance.replay_of_id).update(state=State.OPEN)
