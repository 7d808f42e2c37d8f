"""Waking a worker: the id alone goes through the queue; a queue that is down is logged, never fatal."""

import uuid

import structlog
from django.db import transaction
from django_q.tasks import async_task

from integrations.engine.crash import crash

log = structlog.get_logger(__name__)
TASK = "integrations.tasks.run_instance"


def enqueue(instance_id: uuid.UUID) -> bool:
    """Put the id on the queue; False where the queue did not take it (the sweeper will wake it again)."""
    try:
        async_task(TASK, str(instance_id), task_name=str(instance_id)[:36], save=False)
    except Exception as error:  # noqa: BLE001  (any broker's any error: the row is committed, the sweeper wakes it)
        log.warning("queue_did_not_take", instance=str(instance_id), error=type(error).__name__)
        return False
    return True


def wake_on_commit(instance_id: uuid.UUID) -> None:
    """Queue the id once the row is committed."""
    transaction.on_commit(lambda: _after_commit(instance_id), robust=True)


def _after_commit(instance_id: uuid.UUID) -> None:
    crash("committed_not_enqueued")
    enqueue(instance_id)
