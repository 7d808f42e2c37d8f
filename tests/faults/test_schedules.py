"""Several beats and clusters at once, started twice over: each due time is taken once."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.faults.conftest import FULL
from tests.faults.hub import PREFIX, WHOLE_CLUSTER, FaultHub
from tests.faults.judging import settle
from tests.faults.processes import kill
from tests.faults.report import Case

GROUP = "Schedules"
EVERY = 4  # seconds


def two_hosts(hub: FaultHub) -> None:
    """Two beats, each with a cluster of its own."""
    for _ in range(2):
        hub.beat()
    hub.wait(lambda: len(hub.cluster()) >= 2 * WHOLE_CLUSTER, 60, "both hosts' clusters are up")


def started(hub: FaultHub) -> list[dict[str, Any]]:
    """The due times that made a run."""
    return [due for due in hub.ask("due_runs") if due["outcome"] == "started"]


if FULL:

    def test_two_beats_start_a_due_schedule_once(hub: FaultHub, case: Callable[..., Case]) -> None:
        kept = case("two beats and two clusters, one due schedule", GROUP)
        hub.put_many(3)
        two_hosts(hub)
        hub.ask("schedule", prefix=PREFIX, seconds=3600)
        (run,) = hub.ended()
        time.sleep(3)
        assert len(hub.ask("due_runs")) == 1
        assert [row["id"] for row in hub.ended()] == [run["id"]]
        settle(hub, kept)

    def test_two_hosts_started_twice_take_each_due_time_once(
        hub: FaultHub, case: Callable[..., Case]
    ) -> None:
        kept = case(
            "two beats and two clusters killed and started again, a schedule due all the while", GROUP
        )
        hub.put_many(3)
        two_hosts(hub)
        hub.ask("schedule", prefix=PREFIX, seconds=EVERY)
        hub.wait(lambda: len(started(hub)) >= 3, 40, "three due times")
        for pid in hub.processes():
            kill(pid)
        before = len(started(hub))
        two_hosts(hub)
        hub.wait(lambda: len(started(hub)) >= before + 3, 90, "three more")  # leadership lasts 30 s
        for pid in hub.processes():
            kill(pid)
        hub.beat()
        hub.wait(lambda: len(started(hub)) >= before + 4, 90, "and one more")
        hub.ask("schedules_off")
        runs = hub.ended()
        dues = hub.ask("due_runs")
        assert max(Counter(due["due_at"] for due in dues).values()) == 1
        assert sorted(due["instance_id"] for due in started(hub)) == sorted(run["id"] for run in runs)
        assert {run["status"] for run in runs} == {"succeeded"}
        settle(hub, kept, maybe_twice=True)
