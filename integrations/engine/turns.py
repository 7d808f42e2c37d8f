"""Whose turn it is: one flow never takes a host's last worker, so that a slow target slows only its own flow.

A worker that is handed an instance of a flow which has all the workers it may, takes what is due of other flows
instead, and comes back to it as soon as that flow has a worker less. Nothing is put back on the queue for this: ten
thousand messages of one flow would go round in it for ever.
"""

import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.db.models import Count, QuerySet

from integrations.engine.clock import db_now
from integrations.engine.leases import running_here, stop_asked
from integrations.models import Instance

LOOK_EVERY = 0.25  # seconds between two looks of a worker that waits


def most_of_a_flow() -> int:
    """The workers of a host that one flow may have: all but one."""
    return max(int(settings.Q_CLUSTER["workers"]) - 1, 1)


def in_turn(instance_id: uuid.UUID, work_on: Callable[[uuid.UUID, int], bool]) -> None:
    """Work on it, or on what other flows have due until it can be; `work_on` says False where its flow is crowded."""
    most = most_of_a_flow()
    while not work_on(instance_id, most) and not stop_asked():
        other = _next_of_others()
        if other is None or not work_on(other, most):
            time.sleep(LOOK_EVERY)


def without_crowded(due: QuerySet[Instance]) -> QuerySet[Instance]:
    """Without the instances of flows that have all the workers they may: those wait for their own."""
    counted = running_here().order_by().values_list("flow_id").annotate(running=Count("pk"))
    crowded = [flow for flow, running in counted if running >= most_of_a_flow()]
    return due.exclude(flow__in=crowded) if crowded else due


def _next_of_others() -> uuid.UUID | None:
    due = without_crowded(Instance.objects.filter(status__in=["ready", "waiting"], due_at__lte=db_now()))
    found: uuid.UUID | None = due.order_by("due_at").values_list("pk", flat=True).first()
    return found
