"""Queue pick-up: from an instance's commit to its claim by a worker, against a bare loop over one SQLite table.

`python -m bench.pickup FILE SECONDS` is that loop: it claims rows of FILE and sleeps so long where there is none.
"""

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson

from bench.figures import Fact, Figure, Progress, median, percentile, tell
from bench.hub import ACK_FLOW, ack, cluster, prepare, reaches, var_folder
from bench.neighbours import CcsProcess, ccs_process
from bench.processes import ROOT, cpu_seconds, end_group, family_of, python

TIMES, WARM_UP = 200, 5
WORKERS = 2
IDLE_SECONDS = 5
PATIENCE_SECONDS = 60
LOOP = "a bare loop that polls as often"


def measure(*, full: bool) -> None:
    """One instance at a time, at random moments of the poll; `full` changes nothing but the database it may be on."""
    from django.conf import settings  # noqa: PLC0415  (settings are read once the environment stands)
    from django.db import connection  # noqa: PLC0415  (as above)

    poll = float(settings.Q_CLUSTER["poll"])
    chance = random.Random(2024)
    with ccs_process(TIMES + WARM_UP) as ccs:
        prepare(reaches(ccs.reach), {})
        part = f"Queue pick-up, {connection.vendor}"
        with cluster(WORKERS) as pid:
            _repeat(part, WARM_UP, poll, chance, lambda: _pick_up(ccs))
            hub = _repeat(part, TIMES, poll, chance, lambda: _pick_up(ccs))
            before = cpu_seconds(family_of(pid))
            time.sleep(IDLE_SECONDS)
            idle = (cpu_seconds(family_of(pid)) - before) * 100 / IDLE_SECONDS
        with _bare_loop(var_folder() / "bare.sqlite3", poll) as pick_up:
            bare = _repeat(part, TIMES, poll, chance, pick_up)
    for word, value, yardstick in (
        ("median", median(hub), median(bare)),
        ("99th percentile", percentile(hub, 99), percentile(bare, 99)),
    ):
        tell(Figure(part, f"Commit to claim: {word}", value, "ms", yardstick, LOOP, False, TIMES))
    tell(Fact(part, "Poll of the queue", poll * 1000, "ms"))
    tell(Fact(part, f"CPU of an idle cluster with {WORKERS} workers", round(idle, 1), "% of a core"))


def _repeat(
    part: str, times: int, poll: float, chance: random.Random, once: Callable[[], float]
) -> list[float]:
    found = []
    for number in range(times):
        if number % 20 == 0:
            tell(Progress(part, number, times))
        time.sleep(chance.uniform(0, poll))
        found.append(once())
    return found


def _pick_up(ccs: CcsProcess) -> float:
    """Milliseconds from the commit of one acknowledgement that is run anew to its claim; waits for its end."""
    from django.db import transaction  # noqa: PLC0415  (models need Django set up)

    from integrations.engine.wake import wake_on_commit  # noqa: PLC0415  (as above)
    from integrations.models import Instance  # noqa: PLC0415  (as above)

    instance = _instance(ccs.take(1)[0])
    committed: list[float] = []
    with transaction.atomic():
        transaction.on_commit(lambda: committed.append(time.time()))
        instance.save(force_insert=True)
        wake_on_commit(instance.pk)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not instance.ended and time.monotonic() < deadline:
        time.sleep(0.02)
        instance.refresh_from_db(fields=["status", "started_at", "fault_text"])
    if instance.status != Instance.Status.SUCCEEDED or instance.started_at is None:
        raise RuntimeError(f"The instance is {instance.status}: {instance.fault_text}")
    claimed: float = instance.started_at.timestamp()
    return (claimed - committed[0]) * 1000


def _instance(key: str) -> Any:
    from django.utils import timezone  # noqa: PLC0415  (models need Django set up)

    from integrations.models import Flow, Instance  # noqa: PLC0415  (as above)
    from integrations.storage import payload_put  # noqa: PLC0415  (as above)

    flow, now = Flow.objects.get(identifier=ACK_FLOW), timezone.now()
    return Instance(
        flow=flow,
        flow_version=flow.version,
        cause=Instance.Cause.REPLAY,
        message_payload=payload_put(orjson.dumps(ack(key)), content_type="application/json"),
        created_at=now,
        due_at=now,
        woken_at=now,
    )


@contextmanager
def _bare_loop(path: Path, poll: float) -> Iterator[Callable[[], float]]:
    """What inserts a row for the loop in another process and gives the milliseconds until it was claimed."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE work (id INTEGER PRIMARY KEY, claimed REAL)")

        def pick_up() -> float:
            row = database.execute("INSERT INTO work (claimed) VALUES (NULL)").lastrowid
            committed = time.time()
            deadline = time.monotonic() + PATIENCE_SECONDS
            while time.monotonic() < deadline:
                time.sleep(0.02)
                claimed = database.execute("SELECT claimed FROM work WHERE id = ?", (row,)).fetchone()[0]
                if claimed is not None:
                    return float(claimed - committed) * 1000
            raise RuntimeError("The bare loop claims nothing")

        process = subprocess.Popen(
            python("-m", "bench.pickup", str(path), str(poll)), cwd=ROOT, start_new_session=True
        )
        try:
            pick_up()
            yield pick_up
        finally:
            end_group(process)


def claim_for_ever(path: str, poll: float) -> None:
    """Claim each row that is nobody's, one at a time."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as database:
        database.execute("PRAGMA synchronous=FULL")
        while True:
            waiting = database.execute("SELECT id FROM work WHERE claimed IS NULL LIMIT 1").fetchone()
            if waiting is None:
                time.sleep(poll)
                continue
            database.execute("UPDATE work SET claimed = ? WHERE id = ?", (time.time(), waiting[0]))


if __name__ == "__main__":
    claim_for_ever(sys.argv[1], float(sys.argv[2]))
