"""Retention: payloads of ended instances go after their flow's days, the story without them stays."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from integrations.models import (
    Activity,
    DueRun,
    ErrorInstance,
    Flow,
    Heartbeat,
    Instance,
    Resubmission,
    Step,
)
from integrations.models.instance import ENDED
from integrations.storage import payload_delete_unreferenced

AT_ONCE = 500


@dataclass(frozen=True)
class Purged:
    """How much went."""

    instances: int
    payloads: int


def purge(*, unreferenced_after: timedelta = timedelta(hours=24)) -> Purged:
    """Let go of what is past its flow's retention, then delete contents nothing refers to any more.

    Instances in error that nobody settled keep theirs. `unreferenced_after` spares uploads under way.
    """
    instances = sum(_purge_flow(flow) for flow in Flow.objects.all())
    old = timezone.now() - timedelta(days=settings.HUB_RETENTION_DAYS)
    DueRun.objects.filter(due_at__lt=old).delete()
    Heartbeat.objects.filter(at__lt=timezone.now() - timedelta(days=1)).delete()
    return Purged(instances, payload_delete_unreferenced(unreferenced_after))


def _purge_flow(flow: Flow) -> int:
    days = flow.retention_days if flow.retention_days is not None else settings.HUB_RETENTION_DAYS
    unsettled = [ErrorInstance.State.OPEN, ErrorInstance.State.RESUBMITTED]
    over = Instance.objects.filter(
        flow=flow, purged_at=None, ended_at__lt=timezone.now() - timedelta(days=days), status__in=ENDED
    ).exclude(error__state__in=unsettled)
    count = 0
    while ids := list(over.values_list("pk", flat=True)[:AT_ONCE]):
        _let_go(ids)
        count += len(ids)
    return count


def _let_go(ids: list[uuid.UUID]) -> None:
    with transaction.atomic():
        Activity.objects.filter(instance__in=ids).update(payload_out=None, payload_in=None)
        Step.objects.filter(instance__in=ids).update(result=None)
        ErrorInstance.objects.filter(instance__in=ids).update(detail="")
        Resubmission.objects.filter(instance__in=ids).update(message_before=None, message_after=None)
        Instance.objects.filter(pk__in=ids).update(
            message_payload=None, attachment=None, answer=None, purged_at=timezone.now()
        )
