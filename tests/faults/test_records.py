"""A feedback file on its way to DACS record by record, while workers are killed (seed 003, Enrollment Ack)."""

import itertools
import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from demo.dacs_sync import DacsSync
from demo.derms_files import write
from demo.namespaces import NamespaceServer
from demo.ouai_files import feedback
from tests.faults.conftest import FULL
from tests.faults.hub import ENDED, FaultHub
from tests.faults.processes import kill
from tests.faults.report import Case

GROUP = "Worker killed while records go out one by one (a record counts as a file)"
RECORDS, KILLS = (5000, 10) if FULL else (600, 2)
MOST_AT_ONE_RUN = 4  # the fifth worker that dies over an instance ends it
NAMESPACE = "ouaifaults"
NAME = "feedback.dacs.program_subscription.20230210.csv"
# Where a worker is killed, at which passing, and how many records were then in flight: taken, not counted.
POINTS = {
    "record_taken": ("a record taken, its answer not looked at", 200, 1),
    "record_sent_not_counted": ("a record taken, not counted", 250, 1),
    "counted_not_renamed": ("all counted, the file not renamed", 1, 0),
    "renamed_not_noted": ("the file renamed, that not recorded", 1, 0),
}
_numbers = itertools.count(1)


class Sides:
    """OUAI's bucket and DACS, which knows no keys: a record that comes twice is refused with 400."""

    def __init__(self, stack: ExitStack) -> None:
        """moto has one set of bucket names a process: each place has one of its own."""
        self.bucket = f"feedback-{os.getpid()}-{next(_numbers)}"
        self.objects = stack.enter_context(NamespaceServer(NAMESPACE, [self.bucket]))
        stack.callback(lambda: self.objects.reset(files=True))
        self.dacs = stack.enter_context(DacsSync(most_keys=0))

    def put(self, folder: Path, count: int, name: str = NAME) -> list[str]:
        """A file of so many records; their sync requests."""
        ids = self.dacs.enrol(count)
        self.objects.shelf(self.bucket).put(name, write(folder / name, feedback(ids)))
        return ids

    def names(self) -> list[str]:
        """What the bucket holds."""
        return [item.name for item in self.objects.shelf(self.bucket).items()]

    def taken(self, ids: list[str]) -> int:
        """How many of these DACS has taken."""
        there = self.dacs.taken()
        return sum(key in there and len(there[key].messages) == 1 for key in ids)

    def again(self, ids: list[str]) -> int:
        """How often one of these came after it was taken, and was refused."""
        there = self.dacs.taken()
        return sum(there[key].times - len(there[key].messages) for key in ids if key in there)


@pytest.fixture
def sides(hub: FaultHub) -> Iterator[Sides]:
    """OUAI and DACS beside the hub, which is pointed at them."""
    with ExitStack() as stack:
        made = Sides(stack)
        where = {"endpoint_url": made.objects.url, "access_key": made.objects.access_key}
        hub.ask(
            "set_up_ouai",
            objects={"settings": where, "secrets": {"secret_key": made.objects.secret_key}},
            namespace=NAMESPACE,
            bucket=made.bucket,
            dacs=made.dacs.url,
        )
        yield made


def ended(hub: FaultHub, instance: str, seconds: float) -> dict:
    def over() -> dict | None:
        found: dict = hub.ask("records", instance=instance)
        return found if found["status"] in ENDED else None

    found: dict = hub.wait(over, seconds, "the acknowledgements ended")
    return found


def judged(
    case: Case, sides: Sides, ids: list[str], found: dict, name: str = NAME, *, in_flight: int
) -> None:
    """Every record acknowledged; twice came only those in flight at a kill, and these are told as passed over."""
    taken, again = sides.taken(ids), sides.again(ids)
    case.files = (case.files or 0) + len(ids)
    case.lost = (case.lost or 0) + len(ids) - taken
    case.doubled = (case.doubled or 0) + max(again - in_flight, 0)
    case.damaged = case.mails_doubled = case.uploads_left = 0
    assert taken == len(ids), found
    assert again <= in_flight, found
    assert (
        found["passed_over"] <= again
    )  # a record may be in flight at two kills, and is told of once it is counted
    assert found["status"] == "succeeded", found
    (file,) = found["files"]
    assert (file["source_name"], file["state"], file["records_done"]) == (name, "done", len(ids))
    assert f"Sent-{name}" in sides.names()
    assert not any("_ErrInRcd_" in one for one in sides.names())
    case.passed = True


def wait_for(hub: FaultHub, sides: Sides, ids: list[str], count: int) -> None:
    """Until DACS has taken so many of these."""
    hub.wait(lambda: sides.taken(ids) >= count, 300, "records arrived", 0.01)


def kill_worker(hub: FaultHub, before: int) -> int:
    """Kill the worker that holds the run now, which is not the one killed before; its process id."""
    pid = hub.wait(
        lambda: hub.busy_worker() not in (0, before) and hub.busy_worker(), 60, "a worker took over"
    )
    kill(pid)
    return int(pid)


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_a_point(
    point: str, hub: FaultHub, sides: Sides, case: Callable[..., Case]
) -> None:
    words, passing, in_flight = POINTS[point]
    kept = case(f"killed with {words}", GROUP)
    ids = sides.put(hub.folder, 400)
    hub.arm(f"{point}:{passing}")
    instance = hub.ask("acknowledge_enrolments")
    hub.beat()
    found = ended(hub, instance, 120)
    assert hub.struck()
    assert found["attempts"] == ["crashed", "succeeded"], found
    judged(kept, sides, ids, found, in_flight=in_flight)
    assert sides.again(ids) == found["passed_over"] == in_flight
    assert [one["kind"] for one in hub.ask("mails")] == ["process-complete"]


@pytest.mark.parametrize("point", ["counted_not_renamed", "renamed_not_noted"])
def test_a_worker_killed_while_a_file_is_named_after_the_record_it_stopped_at(
    point: str, hub: FaultHub, sides: Sides, case: Callable[..., Case]
) -> None:  # the issue: "the rename to _ErrInRcd_N and the checkpoint never disagree"
    kept = case(f"killed with {POINTS[point][0]}, which an error had stopped", GROUP)
    ids = sides.put(hub.folder, 60)
    sides.dacs.answer_with(ids[40], 500, 1)
    hub.arm(point)
    instance = hub.ask("acknowledge_enrolments")
    hub.beat()
    found = ended(hub, instance, 120)
    assert hub.struck()
    assert found["attempts"] == ["crashed", "succeeded"], found
    judged(kept, sides, ids, found, in_flight=0)


@pytest.mark.timeout(1500)
def test_workers_killed_at_any_moment(hub: FaultHub, sides: Sides, case: Callable[..., Case]) -> None:
    # the issue: "Kill -9 in the middle of an acknowledgement file of 5,000 records, 10 times"
    kept = case(f"killed at any moment of {RECORDS} records", GROUP)
    moments = random.Random("records")
    hub.beat()
    hub.cluster_up()
    killed = dead = 0
    while killed < KILLS:
        name = f"feedback.dacs.program_subscription.{killed:08}.csv"
        ids = sides.put(hub.folder, RECORDS, name)
        instance = hub.ask("acknowledge_enrolments")
        strikes = min(MOST_AT_ONE_RUN, KILLS - killed)
        for number in range(strikes):
            part = (number + moments.uniform(0.2, 0.9)) * RECORDS / strikes
            wait_for(hub, sides, ids, int(part))
            dead = kill_worker(hub, dead)
            killed += 1
        found = ended(hub, instance, 600)
        assert found["attempts"] == ["crashed"] * strikes + ["succeeded"], found
        judged(kept, sides, ids, found, name, in_flight=strikes)
    kept.tried = killed
