"""Runs of the file flow: through a worker process of the cluster, or in this process as a worker would do it."""

import time
from dataclasses import dataclass
from typing import Any

from bench.processes import cpu_seconds, forget_peak, peak_mib, resident_mib
from bench.rclone import Spent
from bench.routes import PREFIX, Route

LONGEST_RUN_SECONDS = 3600
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Worker:
    """The one worker of a cluster: its process, and the MiB it had resident after it had moved one file."""

    pid: int
    idle_mib: float

    @staticmethod
    def warm(route: Route) -> "Worker":
        """What moved the route's files, so that all is loaded."""
        pid = _pid(_ended(route, _start(route)))
        return Worker(pid, resident_mib(pid))

    def run(self, route: Route) -> tuple[Spent, float]:
        """From the worker's claim to the instance's end: seconds, the worker's CPU and the peak of its memory; then
        how many of the seconds the activity stream puts down to renaming at the source, where it times that.

        RuntimeError where it fails, or another worker did it: then nothing is known of CPU and memory.
        """
        forget_peak(self.pid)
        before = cpu_seconds([self.pid])
        instance = _ended(route, _start(route))
        if _pid(instance) != self.pid:
            raise RuntimeError(f"Worker {self.pid} has been replaced by {_pid(instance)}")
        seconds = (instance.ended_at - instance.started_at).total_seconds()
        spent = Spent(seconds, cpu_seconds([self.pid]) - before, peak_mib(self.pid))
        lines = instance.activities.filter(kind="renamed", duration_ms__isnull=False)
        return spent, sum(line.duration_ms for line in lines) / 1000


def in_this_process(route: Route) -> None:
    """One run in this process; its files are checked."""
    from integrations.engine.runner import work_on  # noqa: PLC0415  (models need Django set up)

    instance = _start(route)
    work_on(instance.pk)
    _ended(route, instance)
    route.check(renamed=True)


def _start(route: Route) -> Any:
    from integrations.models import Flow  # noqa: PLC0415  (models need Django set up)
    from integrations.services.flow_run import flow_run  # noqa: PLC0415  (as above)

    flow = Flow.objects.get(identifier=route.flow)
    return flow_run(flow=flow, parameters={"extractedFileNamePrefix": PREFIX}, actor="bench")


def _ended(route: Route, instance: Any) -> Any:
    """The instance once it has ended well; a run that waits to try again is not worth measuring."""
    deadline = time.monotonic() + LONGEST_RUN_SECONDS
    instance.refresh_from_db()
    while not (instance.ended or instance.status == "waiting") and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        instance.refresh_from_db()
    if instance.status != "succeeded":
        raise RuntimeError(f"{route.title}: the run is {instance.status}: {instance.fault_text}")
    return instance


def _pid(instance: Any) -> int:
    """The process that did it."""
    return int(instance.holder.split(":")[1])
