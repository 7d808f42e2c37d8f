"""Claims and leases: one conditional update takes an instance, a fencing number tells late writers apart.

A claim is renewed by one thread of the process while the work goes on; every write of the holder says
`WHERE fence = mine`. (reliability rules 2, 3 and 5)
"""

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections, transaction
from django.db.models import F, Q, QuerySet

from hub.asked import Asked
from integrations.engine.clock import db_now
from integrations.engine.crash import crash
from integrations.engine.faults import LeaseLost
from integrations.engine.rows import change_rows
from integrations.engine.spec import WAITED_FOR
from integrations.models import Attempt, Flow, Instance

log = structlog.get_logger(__name__)
MAX_CRASHES = 5
_held = Asked(
    lambda pk, fence: (
        Instance.objects.filter(pk=pk, fence=fence, status=Instance.Status.RUNNING)
        .select_for_update()
        .order_by()
        .only("pk")
    ),
    uuid.UUID,
    int,
)


class Released(BaseException):
    """The process is asked to stop: the instance is given back, to go on elsewhere from its checkpoint."""


def holder_name() -> str:
    """Who claims: host, process and thread."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_native_id()}"[:100]


@dataclass
class Claim:
    """The right to work on an instance, as long as its lease is renewed."""

    instance_id: uuid.UUID
    fence: int
    crashed: bool = False
    lost: bool = False
    renewed: float = field(default_factory=time.monotonic)
    under: "Claim | None" = None  # a child's: the claim of the instance that called it

    def mine(self) -> QuerySet[Instance]:
        """The instance's row, if it is still this claim's."""
        return Instance.objects.filter(pk=self.instance_id, fence=self.fence, status=Instance.Status.RUNNING)

    def write(self, **fields: Any) -> bool:
        """Change the instance's row; False, and nothing is written, if it is no longer this claim's."""
        mine = {"pk": self.instance_id, "fence": self.fence, "status": Instance.Status.RUNNING}
        return change_rows(Instance, mine, **fields) > 0

    def hold(self) -> bool:
        """Lock the instance's row until the transaction ends; False if it is no longer this claim's."""
        self.lost = not _held(self.instance_id, self.fence)
        return not self.lost

    def renew(self) -> bool:
        """Lengthen the lease; False once another holder has the instance."""
        started = time.monotonic()
        until = db_now() + timedelta(seconds=settings.HUB_LEASE_SECONDS)
        self.lost = not self.write(lease_until=until)
        self.renewed = started
        return not self.lost

    def check(self) -> None:
        """Before each effect: LeaseLost if the lease ran out and another took over, Released at shutdown."""
        if self.lost or (
            time.monotonic() - self.renewed > settings.HUB_LEASE_SECONDS / 2 and not self.renew()
        ):
            raise LeaseLost(f"instance {self.instance_id} has another holder")
        if self.under is not None:
            self.under.check()
        if stop_asked():
            raise Released

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that is begun only while the instance is this claim's, and keeps it so: LeaseLost otherwise.

        For what a holder that was frozen past its lease would overwrite or say a second time.
        """
        with transaction.atomic():
            self._hold()
            yield

    def _hold(self) -> None:
        if not self.hold():
            raise LeaseLost(f"instance {self.instance_id} has another holder")
        if self.under is not None:
            self.under._hold()


def stop_asked() -> bool:
    """Whether the supervisor asked this host's workers to give their work back."""
    path = os.environ.get("HUB_STOP_FILE", "")
    return bool(path) and Path(path).exists()


class Crowded(Exception):
    """The instance's flow has all the workers of this host that it may have (turns.py)."""


def running_here() -> QuerySet[Instance]:
    """What this host's workers are at: no children, and nothing whose caller waits in a web process."""
    held = Instance.objects.filter(
        status="running", lease_until__gte=db_now(), holder__startswith=f"{socket.gethostname()}:"
    )
    return held.filter(parent=None).exclude(flow__pattern__in=WAITED_FOR)


def claim(instance_id: uuid.UUID, most_here: int = 0) -> Claim | None:
    """Take an instance that is due, or whose holder died; None where there is nothing to take.

    `most_here`: how many of its flow this host may work on at once (0: any number); Crowded where it does.
    """
    with transaction.atomic():
        now = db_now()
        due = Q(status__in=["ready", "waiting"], due_at__lte=now) | Q(status="running", lease_until__lt=now)
        found = Instance.objects.filter(due, pk=instance_id).first()
        if found is not None and most_here:
            Flow.objects.select_for_update().get(
                pk=found.flow_id
            )  # two that count at once would both find room
            if running_here().filter(flow=found.flow_id).count() >= most_here:
                raise Crowded
        if found is None or not _take(found, now_crashed=found.status == "running"):
            return None
    crash("after_claim")
    return Claim(found.pk, found.fence + 1, crashed=found.status == Instance.Status.RUNNING)


def _take(found: Instance, *, now_crashed: bool) -> bool:
    """Raise the fence where nobody else did meanwhile, and write the attempt down."""
    now = db_now()
    taken = Instance.objects.filter(pk=found.pk, fence=found.fence, status=found.status).update(
        status=Instance.Status.RUNNING,
        fence=F("fence") + 1,
        attempts_made=F("attempts_made") + 1,
        crashes=F("crashes") + (1 if now_crashed else 0),
        holder=holder_name(),
        lease_until=now + timedelta(seconds=settings.HUB_LEASE_SECONDS),
        started_at=found.started_at or now,
        wakes=0,
    )
    if not taken:
        return False
    if now_crashed:
        Attempt.objects.filter(instance=found, outcome=Attempt.Outcome.RUNNING).update(
            outcome=Attempt.Outcome.CRASHED,
            ended_at=now,
            detail="Its lease ran out: the worker died or hung.",
        )
    Attempt.objects.create(instance=found, number=found.fence + 1, round=found.round, holder=holder_name())
    return True


class Renewable(Protocol):
    """What a keeper keeps."""

    def renew(self) -> bool:
        """Lengthen the lease; False once it is lost."""
        ...


class Keeper:
    """Renews the leases of everything this process is working on, from one thread."""

    def __init__(self) -> None:
        """No thread runs until there is something to keep."""
        self._by_id: dict[int, Renewable] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def keeping(self, held: Renewable) -> Iterator[None]:
        """Renew this until the block ends."""
        with self._lock:
            self._by_id[id(held)] = held
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._beat, name="lease-keeper", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._by_id.pop(id(held), None)

    def _beat(self) -> None:
        while True:
            time.sleep(settings.HUB_HEARTBEAT_SECONDS)
            with self._lock:
                held = list(self._by_id.values())
                if not held:
                    self._thread = None
                    return
            self._renew(held)

    def _renew(self, held: list[Renewable]) -> None:
        try:
            for one in held:
                one.renew()
        except DatabaseError as error:
            log.warning("lease_not_renewed", error=str(error))
        finally:
            connections.close_all()


keeper = Keeper()


def forget_keeper() -> None:
    """After a fork the parent's thread and lock are not ours."""
    global keeper  # noqa: PLW0603  (one keeper a process is the point)
    keeper = Keeper()


os.register_at_fork(after_in_child=forget_keeper)
