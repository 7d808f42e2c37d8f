"""Keeping django-q2's cluster alive: restarted when it ends, killed with its orphans when it claims nothing.

A worker killed while it holds a queue lock freezes the whole cluster unnoticed (reliability section 1); so
what is watched is not the process but whether due rows are claimed.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings

from integrations.engine.clock import db_now
from integrations.models import Attempt, Instance

log = structlog.get_logger(__name__)
STALL_SECONDS = 30
STOP_SECONDS = 28
LONGEST_PAUSE = 30.0


class Cluster:
    """The qcluster of this host, in a process group of its own."""

    def __init__(self) -> None:
        """Nothing is started yet."""
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = 0.0
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
        self._stop_file.unlink(missing_ok=True)
        self._process = subprocess.Popen(  # noqa: S603  (our own manage.py, no shell, no outside words)
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
            start_new_session=True,
            env={**os.environ, "HUB_STOP_FILE": str(self._stop_file)},
        )
        self._started = time.monotonic()
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
        """Rows due for half a minute, a worker free, and no claim in that time."""
        if time.monotonic() - self._started < STALL_SECONDS:
            return False
        since = db_now() - timedelta(seconds=STALL_SECONDS)
        due = Instance.objects.filter(status__in=["ready", "waiting"], due_at__lt=since).exists()
        if not due or Attempt.objects.filter(started_at__gte=since).exists():
            return False
        here = f"{socket.gethostname()}:"
        busy = Instance.objects.filter(status="running", holder__startswith=here).count()
        return busy < int(settings.Q_CLUSTER["workers"])
