"""The sweep: wakes what is ready and unclaimed, and what a dead worker left (reliability rule 4)."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import F, Q

from integrations.engine import wake
from integrations.engine.clock import db_now
from integrations.engine.runner import work_on
from integrations.engine.spec import WAITED_FOR
from integrations.models import Instance

log = structlog.get_logger(__name__)
FIRST_WAKE, LONGEST_WAKE = 60, 600  # seconds between wake-ups of one row, doubling
AT_ONCE = 500


def sweep() -> int:
    """Wake every row that is due and was not woken lately; how many were woken."""
    now = db_now()
    never = Q(woken_at=None) | Q(woken_at__lt=F("due_at"))
    due = Instance.objects.filter(status__in=["ready", "waiting"], due_at__lte=now).order_by("due_at")
    fields = ("pk", "fence", "wakes", "woken_at", "due_at")
    forgotten = due.exclude(never).filter(woken_at__lt=now - timedelta(seconds=FIRST_WAKE)).only(*fields)
    woken = 0
    for row in (*due.filter(never).only(*fields)[:AT_ONCE], *forgotten[:AT_ONCE]):
        pause = min(FIRST_WAKE * 2 ** min(row.wakes, 10), LONGEST_WAKE)
        if row.woken_at and row.due_at <= row.woken_at and row.woken_at >= now - timedelta(seconds=pause):
            continue
        if not _wake(row):
            break  # the queue is down: all of them are tried again in the next round
        woken += 1
    return woken


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
            _wake(row)
    return found


def _wake(row: Instance) -> bool:
    """Put it on the queue; only what the queue took counts as woken."""
    if not wake.enqueue(row.pk):
        return False
    Instance.objects.filter(pk=row.pk, fence=row.fence).update(woken_at=db_now(), wakes=F("wakes") + 1)
    return True
