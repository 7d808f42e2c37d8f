"""The synchronous flow through a real web server, against the same callers at the CCS neighbour itself."""

import base64
import json
import os
from collections.abc import Callable
from typing import Any

from django.db import connection

from bench.callers import Load, Target, load
from bench.figures import Fact, Figure, Progress, median, tell
from bench.hub import ACK_PATH, CLIENT, SECRET, ack, prepare, reaches, var_folder, web_server
from bench.machine import SYNCED_WRITE, fsync_ms
from bench.neighbours import CcsProcess, ccs_process
from bench.processes import cpu_seconds, family_of
from bench.sql import counted

ROUNDS = 3
CALLS = {1: 160, 16: 480, 64: 960}  # callers → calls a round
SHORT = (1, 16)
WARM_UP = 24
COUNTED = 5
AT_CCS = "CCS itself"


def measure(*, full: bool) -> None:
    """Each number of callers in rounds, CCS itself and the hub in turn; then the SQL of one request."""
    sizes = list(CALLS) if full else SHORT
    total = 2 * ROUNDS * sum(CALLS[size] for size in sizes) + 3 * WARM_UP + COUNTED
    with ccs_process(total) as ccs:
        prepare(reaches(ccs.reach), {})
        part = f"Synchronous flow, {connection.vendor}"
        with web_server() as (url, pid):
            direct = Target(ccs.url, "PATCH", ccs.user, ccs.password, _ccs_message)
            hub = Target(url, "POST", CLIENT, SECRET, lambda key: (ACK_PATH, ack(key)))
            load(direct, ccs.take(WARM_UP), 2)
            load(hub, ccs.take(2 * WARM_UP), 8)
            for size in sizes:
                _at(part, size, direct, hub, ccs=ccs, pid=pid)
        _statements(part, ccs)


def _ccs_message(key: str) -> tuple[str, dict[str, Any]]:
    """What the hub makes of an acknowledgement, sent by the caller itself."""
    return f"/rest/apis/common/sync/syncRequest/{key}", {"syncRequestId": key, "hasError": False}


def _at(part: str, size: int, direct: Target, hub: Target, *, ccs: CcsProcess, pid: int) -> None:
    by_hub: list[Load] = []
    plain: list[Load] = []
    spent: list[float] = []
    synced: list[float] = []
    for number in range(ROUNDS):
        synced.append(fsync_ms(var_folder()))
        tell(Progress(f"{size} caller(s)", number, ROUNDS))
        plain.append(load(direct, ccs.take(CALLS[size]), size))
        before = cpu_seconds(family_of(pid))
        by_hub.append(load(hub, ccs.take(CALLS[size]), size))
        spent.append((cpu_seconds(family_of(pid)) - before) * 1000 / CALLS[size])
    named = f"{size} caller" + ("s" if size > 1 else "")

    def figure(what: str, unit: str, value: float, yardstick: float, *, more: bool) -> None:
        tell(Figure(part, f"{named}: {what}", value, unit, yardstick, AT_CCS, more, ROUNDS))

    figure("requests", "/s", median(one.rate for one in by_hub), median(one.rate for one in plain), more=True)
    for percent, word in ((50, "median"), (99, "99th percentile")):
        value, yardstick = (median(one.at(percent) for one in loads) for loads in (by_hub, plain))
        figure(word, "ms", value, yardstick, more=False)
        tell(Fact(part, f"{named}: added to the {word}", round(value - yardstick, 2), "ms"))
    alone = median(one.at(50) for one in by_hub)
    tell(Figure(part, f"{named}: median", alone, "ms", median(synced), SYNCED_WRITE, False, ROUNDS))
    tell(Fact(part, f"{named}: CPU of the web server", round(median(spent), 2), "ms a request"))


def _statements(part: str, ccs: CcsProcess) -> None:
    """One request in this process, after a few that fill its caches; with BENCH_SQL also each kind of statement."""
    post = hub_in_this_process()
    for key in ccs.take(COUNTED):
        with counted() as found:
            post(key)
    tell(Fact(part, "SQL statements", found.total, "a request"))
    tell(Fact(part, "SQL statements that write", found.writes, "a request"))
    tell(Fact(part, "Commits that write", found.commits, "a request"))
    if os.environ.get("BENCH_SQL"):
        for kind, count in found.kinds.most_common():
            tell(Fact(part, f"SQL: {kind}", count, "a request"))


def hub_in_this_process() -> Callable[[str], None]:
    """What sends one acknowledgement to the hub in this process, through its middleware and views."""
    from django.test import Client  # noqa: PLC0415  (needs Django set up)

    pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    client = Client(SERVER_NAME="127.0.0.1")

    def post(key: str) -> None:
        message = json.dumps(ack(key))
        shown = {"authorization": f"Basic {pair}"}
        answer = client.post(ACK_PATH, message, content_type="application/json", headers=shown)
        if answer.status_code != 200:
            raise RuntimeError(f"The hub answered {answer.status_code}: {answer.content[:300]!r}")

    return post
