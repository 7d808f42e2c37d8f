"""The beat: ticks schedules, sweeps, sends the outbox, housekeeps, and watches this host's cluster.

Any number of hosts may run one; each task has one leader at a time.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog
from django.conf import settings
from django.db import close_old_connections, connection
from django.utils import timezone

from integrations.engine.cluster import Cluster
from integrations.engine.leadership import lead, step_down
from integrations.engine.leftovers import sweep_leftovers
from integrations.engine.outbox import send_due
from integrations.engine.recovery import sweep, sweep_dead
from integrations.engine.schedule import tick
from integrations.models import Flow, Heartbeat
from integrations.services.chores import chores
from integrations.services.flow_run import schedule_start
from integrations.services.purge import purge

log = structlog.get_logger(__name__)
END_SECONDS = 29


@dataclass(frozen=True)
class Task:
    """Something done every so often by whichever beat leads it."""

    name: str
    every: float
    do: Callable[[], object]


def tasks(stopping: Callable[[], bool] = lambda: False) -> list[Task]:
    """What a beat does, and how often (seconds); `stopping` ends what would take long."""
    return [
        Task("tick", 1, lambda: tick(schedule_start)),
        Task("sweep", 1, sweep),
        Task("sweep dead", settings.HUB_SWEEP_SECONDS, sweep_dead),
        Task("outbox", 1, lambda: send_due(stopping=stopping)),
        Task("tracing", 30, tracing_reverts),
        Task("leftovers", 600, sweep_leftovers),
        Task("retention", 3600, purge),
        *(Task(one.name, one.every, one.do) for one in chores()),
    ]


def tracing_reverts() -> int:
    """Debug tracing whose time is over goes back to production; how many flows."""
    over = Flow.objects.filter(tracing_until__lt=timezone.now())
    for flow in over:
        flow.tracing, flow.tracing_until = Flow.Tracing.PRODUCTION, None
        flow.save(update_fields=["tracing", "tracing_until", "updated_at"])
    return len(over)


class Beat:
    """One host's beat, a thread a task, so that a slow mail server delays no schedule."""

    def __init__(self, *, cluster: Cluster | None) -> None:
        """`cluster`: this host's workers, tended if given."""
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._cluster = cluster
        self._stop = threading.Event()
        self._started = timezone.now()

    def run(self) -> None:
        """Until `stop`."""
        threads = [
            threading.Thread(target=self._loop, args=(task, do), name=task.name, daemon=True)
            for task, do in self._work()
        ]
        for thread in threads:
            thread.start()
        while not self._stop.is_set():
            if self._cluster is not None:
                self._guarded("cluster", self._cluster.tend)
            self._stop.wait(2)
        deadline = time.monotonic() + END_SECONDS
        if self._cluster is not None:
            self._cluster.stop()
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0.1))
        left = [thread.name for thread in threads if thread.is_alive()]
        if left:  # what they are at is claimed, and found again as cut off
            log.warning("beat_did_not_wait", tasks=left)
        self._guarded("step down", self._step_down)

    def stop(self) -> None:
        """End soon; `run` returns once everything has ended."""
        self._stop.set()

    def _work(self) -> list[tuple[Task, Callable[[], object]]]:
        """What each thread does: the tasks where this beat leads, and its own sign of life."""
        led = [(task, partial(self._if_leader, task)) for task in tasks(self._stop.is_set)]
        return [(Task("heartbeat", 2, self._sign_of_life), self._sign_of_life), *led]

    def _loop(self, task: Task, do: Callable[[], object]) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            self._guarded(task.name, do)
            self._stop.wait(max(task.every - (time.monotonic() - started), 0.05))
        connection.close()

    def _if_leader(self, task: Task) -> None:
        if lead(task.name, self.name):
            task.do()

    def _guarded(self, name: str, do: Callable[[], object]) -> None:
        """Whatever goes wrong in one round is logged, and the next round comes."""
        try:
            close_old_connections()
            do()
        except Exception:
            log.exception("beat_task_failed", task=name)

    def _step_down(self) -> None:
        """An end in good order leaves no sign of life behind: it is not somebody who fell silent."""
        step_down(self.name)
        Heartbeat.objects.filter(name=f"beat {self.name}").delete()

    def _sign_of_life(self) -> None:
        Heartbeat.objects.update_or_create(
            name=f"beat {self.name}",
            defaults={
                "role": "beat",
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "started_at": self._started,
                "at": timezone.now(),
                "detail": {"cluster": self._cluster.pid if self._cluster else None},
            },
        )
