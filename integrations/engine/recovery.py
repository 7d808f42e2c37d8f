"""The sweep: wakes what is ready and unclaimed, and what a dead worker left (reliability rule 4)."""

import uuid
from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import F, Q

from integrations.engine import wake
from integrations.engine.clock import db_now
from integrations.engine.runner import work_on
from integrations.models import Flow, Instance

log = structlog.get_logger(__name__)
FIRST_WAKE, LONGEST_WAKE = 60, 600  # seconds between wake-ups of one row, doubling
AT_ONCE = 500
WAITED_FOR = (Flow.Pattern.SYNCHRONOUS, Flow.Pattern.CHILD, Flow.Pattern.LOCAL)


def sweep() -> int:
    """Wake every row that is due and was not woken lately; how many were woken."""
    now = db_now()
    never = Q(woken_at=None) | Q(woken_at__lt=F("due_at"))
    due = Instance.objects.filter(status__in=["ready", "waiting"], due_at__lte=now)
    fresh = due.filter(never).values_list("pk", flat=True)[:AT_ONCE]
    woken = [pk for pk in fresh if _wake(pk)]
    forgotten = due.exclude(never).filter(woken_at__lt=now - timedelta(seconds=FIRST_WAKE))
    for row in forgotten.only("pk", "wakes", "woken_at")[:AT_ONCE]:
        pause = min(FIRST_WAKE * 2 ** min(row.wakes, 10), LONGEST_WAKE)
        if row.woken_at and row.woken_at < now - timedelta(seconds=pause) and _wake(row.pk):
            woken.append(row.pk)
    return len(woken)


def sweep_dead() -> int:
    """Rows whose holder's lease ran out: woken, or ended at once where a caller was waiting; how many."""
    now = db_now()
    grace = timedelta(seconds=settings.HUB_SWEEP_SECONDS)
    dead = Instance.objects.filter(status="running", lease_until__lt=now).select_related("flow")
    found = 0
    for row in dead[:AT_ONCE]:
        found += 1
        if row.flow.pattern in WAITED_FOR and row.cause != Instance.Cause.REPLAY:
            work_on(row.pk)  # only records that its process died: nobody waits for it any more
        elif row.woken_at is None or row.woken_at < now - grace:
            _wake(row.pk)
    return found


def _wake(pk: uuid.UUID) -> bool:
    Instance.objects.filter(pk=pk).update(woken_at=db_now(), wakes=F("wakes") + 1)
    return wake.enqueue(pk)
