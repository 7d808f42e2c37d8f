"""A reservation file through the whole flow, against a bare loop with the same CSV, JSON, target and parallelism.

The bare loop: csv.reader, dicts, orjson, requests with one session, so many threads. The hub: a worker's claim to the
instance's end, with the file checked first, the health check, each segment's intent and end on record, the activity
stream, the acknowledgement and the mail.
"""

import csv
import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import requests
from django.db import connection

from bench.figures import Fact, Figure, Progress, median, tell
from bench.hub import cluster, var_folder
from bench.processes import ROOT, cpu_seconds, end_group, forget_peak, peak_mib, python, resident_mib
from bench.rclone import Spent
from demo.reach import Reach

FLOW = "OUTL_BA_DRMS_DACS_EVT_DVCRESV"
PROJECT = "OU CPMCS DERMS"
CPMCS, DERMS = "OU REST CPMCS for CPMCS-DERMS", "OU REST DERMS for CPMCS-DERMS"
BARE = "bare loop"
SIZE = 1000
ROUNDS = 3
WARM_UP = 5_000
LONGEST_SECONDS = 1800
START, END = "2026-07-01T18:00:00.000Z", "2026-07-01T20:00:00.000Z"
MESSAGE = {
    "drmsInstanceId": "DERMS1",
    "eventId": "EVT-BENCH",
    "eventType": "ECONOMIC",
    "eventStartDateTime": START,
    "eventEndDateTime": END,
}


@dataclass(frozen=True, slots=True)
class Case:
    """How many records, to a target that takes how long, how many segments at once."""

    records: int
    delay_ms: int
    parallel: int

    @property
    def name(self) -> str:
        """As figures name it."""
        target = f"a target that takes {self.delay_ms} ms" if self.delay_ms else "a fast target"
        return f"{self.records:,} records, {self.parallel} at once, to {target}"


SHORT = (Case(200_000, 0, 4), Case(200_000, 20, 16))
FULL = (Case(1_000_000, 0, 4), Case(1_000_000, 20, 16))


def measure(*, full: bool) -> None:
    """Each case in rounds, bare loop and hub in turn."""
    with sink(0) as url:
        _prepare(url)
        with cluster(1):
            pid = _pid(_through_hub(_file(WARM_UP), WARM_UP))
            worker = (pid, resident_mib(pid))
            for case in FULL if full else SHORT:
                _measure(case, worker)


def _measure(case: Case, worker: tuple[int, float]) -> None:
    part = f"Segments, {connection.vendor}"
    path = _file(case.records)
    bare: list[Spent] = []
    hub: list[Spent] = []
    with sink(case.delay_ms) as url:
        _aim(url, case.parallel)
        for number in range(ROUNDS):
            tell(Progress(case.name, number, ROUNDS))
            if number % 2:  # another one first each time
                bare.append(_bare(path, case, url))
            hub.append(_hub(path, case, worker[0]))
            if not number % 2:
                bare.append(_bare(path, case, url))
    value, yardstick = (case.records / median([one.seconds for one in each]) for each in (hub, bare))
    figure = Figure(part, case.name, value, "records/s", yardstick, BARE, True, ROUNDS)
    peak = max(one.peak_mib for one in hub)
    figure = replace(
        figure,
        peak_mib=peak,
        ratios=[round(b.seconds / h.seconds, 3) for h, b in zip(hub, bare, strict=True)],
    )
    tell(figure)
    tell(
        Fact(
            part,
            f"{case.name}: worker's peak memory above its {worker[1]:.0f} MiB idle",
            round(peak - worker[1], 1),
            "MiB",
        )
    )
    micro = median([one.cpu_seconds for one in hub]) * 1e6 / case.records
    tell(Fact(part, f"{case.name}: worker's CPU", round(micro, 2), "µs a record"))


def _hub(path: Path, case: Case, pid: int) -> Spent:
    """One file through the worker."""
    forget_peak(pid)
    before = cpu_seconds([pid])
    instance = _through_hub(path, case.records)
    if _pid(instance) != pid:
        raise RuntimeError(f"Worker {pid} has been replaced by {_pid(instance)}")
    seconds = (instance.ended_at - instance.started_at).total_seconds()
    return Spent(seconds, cpu_seconds([pid]) - before, peak_mib(pid))


def _bare(path: Path, case: Case, url: str) -> Spent:
    """The same without a hub, in this process."""
    began, spent = time.perf_counter(), time.process_time()
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=case.parallel))

    def post(body: bytes) -> None:
        session.post(
            f"{url}/reserve", data=body, headers={"Content-Type": "application/json"}
        ).raise_for_status()

    with path.open(newline="") as file, ThreadPoolExecutor(case.parallel) as pool:
        rows = csv.reader(file)
        next(rows)
        under_way: list[Any] = []
        while segment := list(islice(rows, SIZE)):
            under_way.append(pool.submit(post, orjson.dumps(_body(segment))))
            if len(under_way) > 2 * case.parallel:
                under_way.pop(0).result()
        for one in under_way:
            one.result()
    session.close()
    return Spent(time.perf_counter() - began, time.process_time() - spent, 0.0)


def _body(rows: list[list[str]]) -> dict[str, Any]:
    return {
        "eventExternalIdentifier": MESSAGE["eventId"],
        "eventStartDateTime": START,
        "eventEndDateTime": END,
        "eventType": "X1EC",
        "deviceList": [
            {
                "headEndSystem": row[2],
                "nicId": row[1],
                "reservationStartDateTime": row[3],
                "reservationEndDateTime": row[4],
            }
            for row in rows
        ],
    }


def _file(records: int) -> Path:
    """A reservation of so many devices, made once."""
    from demo.derms_files import reservation, write  # noqa: PLC0415  (only this part needs it)

    path = var_folder() / f"reservation-{records}.csv"
    return path if path.exists() else write(path, reservation(records, start=START, end=END))


def _prepare(url: str) -> None:
    import django  # noqa: PLC0415  (as bench.hub does it)
    from django.core.management import call_command  # noqa: PLC0415  (models need Django set up)

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    _aim(url, 4)
    from integrations.models import Flow  # noqa: PLC0415  (models need Django set up)
    from integrations.services.flow_switch import flow_activate  # noqa: PLC0415  (as above)

    for identifier in (FLOW, "OUTL-BA-DACS_DRMS_ERROR"):
        flow_activate(flow=Flow.objects.get(identifier=identifier), actor="bench")


def _aim(url: str, parallel: int) -> None:
    """Point both connections at a sink."""
    from demo.configure import connections_set  # noqa: PLC0415  (models need Django set up)
    from integrations.models import Connection  # noqa: PLC0415  (as above)

    connections_set([Reach(name, {"auth": "none", "url": url}) for name in (CPMCS, DERMS)])
    Connection.objects.filter(name=CPMCS).update(parallel=parallel)


def _through_hub(path: Path, records: int) -> Any:
    """The flow's instance of this file, once it has ended well."""
    from integrations.services.instance_submit import instance_submit  # noqa: PLC0415  (models need Django set up)
    from integrations.storage import payload_put  # noqa: PLC0415  (as above)

    with path.open("rb") as content:
        stored = payload_put(content, content_type="text/csv")
    message = {**MESSAGE, "messageId": f"{records}-{time.time_ns()}"}
    instance = instance_submit(
        identifier=FLOW,
        resource="reserveDevice",
        version="1.0",
        message=json.dumps(message).encode(),
        attachment=stored,
        attachment_name=path.name,
    ).instance
    deadline = time.monotonic() + LONGEST_SECONDS
    while not (instance.ended or instance.status == "waiting") and time.monotonic() < deadline:
        time.sleep(0.05)
        instance.refresh_from_db()
    if instance.status != "succeeded":
        raise RuntimeError(f"The reservation is {instance.status}: {instance.fault_text}")
    return instance


def _pid(instance: Any) -> int:
    return int(instance.holder.split(":")[1])


@contextmanager
def sink(delay_ms: int) -> Iterator[str]:
    """A sink in a process of its own: its URL."""
    process = subprocess.Popen(
        python("-m", "bench.sink", str(delay_ms)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        line = process.stdout.readline() if process.stdout else b""
        yield json.loads(line)["url"]
    finally:
        end_group(process)
