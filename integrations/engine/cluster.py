"""Keeping django-q2's cluster alive: restarted when it ends, killed with its orphans when it claims nothing.

A worker killed while it holds a queue lock freezes the whole cluster unnoticed (reliability section 1); so
what is watched is not the process but whether due rows are claimed. A row may be due because the queue lost it,
or is down; so before the cluster is judged, one row is put on the queue anew, and has to be claimed.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet

from integrations.engine import wake
from integrations.engine.clock import db_now
from integrations.engine.turns import without_crowded
from integrations.models import Attempt, Heartbeat, Instance

log = structlog.get_logger(__name__)
SUSPECT_AFTER = timedelta(seconds=15)  # without a claim; as long again after the probe, and it is stalled
LATEST_CLAIMS = 200
STOP_SECONDS = 28
LONGEST_PAUSE = 30.0


class Cluster:
    """The qcluster of this host, in a process group of its own."""

    def __init__(self) -> None:
        """Nothing is started yet."""
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = 0.0
        self._probe: tuple[uuid.UUID, datetime] | None = None
        self._stop_file = Path(settings.VAR_DIR) / f"stop-{socket.gethostname()}-{os.getpid()}"

    @property
    def pid(self) -> int | None:
        """The cluster's main process, while there is one."""
        return self._process.pid if self._process else None

    def tend(self) -> None:
        """Start it, restart it when it ended (ever later if it keeps ending), kill it when it stalls."""
        if self._process is not None and self._process.poll() is not None:
            log.error("cluster_ended", code=self._process.returncode)
            self._end_group()
            self._pause = min(max(self._pause * 2, 1.0), LONGEST_PAUSE)
        if self._process is None and time.monotonic() >= self._started + self._pause:
            self._start()
        elif self._process is not None and self._stalled():
            log.error("cluster_stalled", pid=self._process.pid)
            self._end_group()

    def stop(self) -> None:
        """Ask for the end: workers give back what they are at, and what is not gone in time is killed."""
        if self._process is None:
            return
        self._stop_file.touch()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("cluster_killed", after_seconds=STOP_SECONDS)
        self._end_group()
        self._stop_file.unlink(missing_ok=True)

    def _start(self) -> None:
        end_orphans()
        self._stop_file.unlink(missing_ok=True)
        self._process = subprocess.Popen(  # noqa: S603  (our own manage.py, no shell, no outside words)
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
            start_new_session=True,
            env={**os.environ, "HUB_STOP_FILE": str(self._stop_file)},
        )
        self._started = time.monotonic()
        self._probe = None
        log.info("cluster_started", pid=self._process.pid)

    def _end_group(self) -> None:
        """Kill the whole group: a dead main process leaves workers that go on (measured)."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _stalled(self) -> bool:
        """A due row that was put on the queue for this, a worker free, and still nothing claimed."""
        if time.monotonic() - self._started < SUSPECT_AFTER.total_seconds():
            return False
        now = db_now()
        if self._works(now):
            self._probe = None
            return False
        if self._probe is not None and _overdue(now).filter(pk=self._probe[0]).exists():
            return now - self._probe[1] > SUSPECT_AFTER
        self._probe = None
        row = without_crowded(_overdue(now)).order_by("due_at").values_list("pk", flat=True).first()
        # A database that cannot be written to may be locked by a frozen worker, and nobody works anyway.
        if row is not None and (wake.enqueue(row) or "orm" in settings.Q_CLUSTER):
            self._probe = row, now
        return False

    def _works(self, now: datetime) -> bool:
        """Whether there is nothing to do, or every worker is at something, or one claimed something lately."""
        if not without_crowded(_overdue(now)).exists():
            return True
        here = f"{socket.gethostname()}:"
        running = Instance.objects.filter(status="running", lease_until__gte=now, holder__startswith=here)
        busy = {holder for holder in map(_pid, running.values_list("holder", flat=True)) if self._has(holder)}
        if len(busy) >= int(settings.Q_CLUSTER["workers"]):
            return True
        claims = Attempt.objects.filter(holder__startswith=here).order_by("-pk")
        latest = claims.values_list("holder", "started_at")[:LATEST_CLAIMS]
        return any(at >= now - SUSPECT_AFTER and self._has(_pid(holder)) for holder, at in latest)

    def _has(self, pid: int) -> bool:
        """Whether this process is one of the cluster's: a web server of this host claims things too."""
        with suppress(ProcessLookupError):
            return self._process is not None and os.getpgid(pid) == self._process.pid
        return False


def _overdue(now: datetime) -> QuerySet[Instance]:
    """What should have been claimed by now: due, or left by a worker that died."""
    since = now - SUSPECT_AFTER
    ready = Q(status__in=["ready", "waiting"], due_at__lt=since)
    return Instance.objects.filter(ready | Q(status="running", lease_until__lt=since))


def _pid(holder: str) -> int:
    """The process id in a holder's name (host:process:thread)."""
    return int(holder.split(":")[-2])


def end_orphans() -> None:
    """Kill the cluster of a beat of this host that was killed itself: it has nobody to tend it any more.

    What it was at is claimed again once its leases run out. A number that names another process by now is
    left alone.
    """
    for beat in Heartbeat.objects.filter(role="beat", host=socket.gethostname()):
        cluster = beat.detail.get("cluster")
        if cluster and not _runs(beat.pid, "hub_beat") and _runs(cluster, "qcluster"):
            log.warning("orphaned_cluster_killed", pid=cluster)
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(cluster, signal.SIGKILL)


def _runs(pid: int, command: str) -> bool:
    """Whether this process runs and is one of ours by its command line (Linux; elsewhere never)."""
    try:
        return command in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False
