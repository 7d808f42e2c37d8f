"""A CSV file on its way to CPMCS in segments, and device scores on theirs to DERMS, while workers are killed."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from demo.cpmcs import Cpmcs
from demo.derms import BASE, Derms
from demo.derms_files import reservation, write
from tests.faults.conftest import FULL
from tests.faults.hub import ENDED, FaultHub
from tests.faults.processes import kill
from tests.faults.report import Case

RESERVED = "/rest/apis/cross/service/programEventParticipation/reserveDevice"
GROUP = "Worker killed while a CSV file goes out in segments (a segment counts as a file)"
SIZE = 1000
SEGMENTS, KILLS = (1000, 10) if FULL else (60, 2)
MOST_AT_ONE_RUN = 4  # the fifth worker that dies over an instance ends it
WORDS = {
    "segments_intended": "intents recorded, nothing sent",
    "segment_sent": "a segment sent, its answer not recorded",
    "segments_sent_not_recorded": "all of a group answered, none recorded",
}
POSTED = {"posting_begun": "recorded as being sent", "posted_not_recorded": "taken, not recorded"}


@pytest.fixture
def sides(hub: FaultHub) -> Iterator[tuple[Cpmcs, Derms]]:
    """CPMCS and DERMS beside the hub, which is pointed at them."""
    with ExitStack() as stack:
        cpmcs, derms = stack.enter_context(Cpmcs()), stack.enter_context(Derms())
        hub.ask(
            "set_up_cpmcs",
            cpmcs=cpmcs.url,
            derms=derms.url + BASE,
            files=hub.source.connection(),
            directory=hub.source.directory,
        )
        yield cpmcs, derms


def file_of(folder: Path, count: int) -> Path:
    return write(folder / f"reservation-{count}.csv", reservation(count))


def ended(hub: FaultHub, instance: str, seconds: float) -> dict:
    def over() -> dict | None:
        found: dict = hub.ask("segments", instance=instance)
        return found if found["status"] in ENDED else None

    found: dict = hub.wait(over, seconds, "the reservation ended")
    return found


def judged(case: Case, sides: tuple[Cpmcs, Derms], event: str, count: int, found: dict) -> None:
    """Every device reserved once, every segment done, one positive acknowledgement and nothing else."""
    there = sides[0].records.reservations
    case.files = (case.files or 0) + count // SIZE
    case.lost = (case.lost or 0) + (count - there.count(event)) // SIZE
    case.doubled = (case.doubled or 0) + there.doubled(event)
    case.damaged = case.mails_doubled = case.uploads_left = 0
    said = [one["ackType"] for one in sides[1].records.messages("deviceReservationAck")]
    assert (there.count(event), there.doubled(event)) == (count, 0), found
    assert (found["status"], found["segments"]) == ("succeeded", {"done": count // SIZE}), found
    assert found["acknowledgements"] == {"positive acknowledgement": "done"}
    assert said == ["SUCCESS"] * len(said)
    case.passed = True


def wait_for(hub: FaultHub, cpmcs: Cpmcs, event: str, devices: float) -> None:
    """Until so many of the event's devices are reserved."""
    hub.wait(lambda: cpmcs.records.reservations.count(event) >= devices, 300, "segments arrived", 0.01)


def kill_worker(hub: FaultHub, before: int) -> int:
    """Kill the worker that holds the run now, which is not the one killed before; its process id."""
    pid = hub.wait(
        lambda: hub.busy_worker() not in (0, before) and hub.busy_worker(), 60, "a worker took over"
    )
    kill(pid)
    return int(pid)


@pytest.mark.parametrize("point", WORDS)
def test_a_worker_killed_at_a_point(
    point: str, hub: FaultHub, sides: tuple[Cpmcs, Derms], case: Callable[..., Case]
) -> None:
    kept = case(f"killed with {WORDS[point]}", GROUP)
    path = file_of(hub.folder, 40 * SIZE)
    hub.arm(f"{point}:{2 if point != 'segment_sent' else 7}")
    instance = hub.ask("reserve", message_id="RSV", event="EVT", path=str(path))
    hub.beat()
    found = ended(hub, instance, 90)
    assert hub.struck()
    assert found["attempts"] == ["crashed", "succeeded"]
    judged(kept, sides, "EVT", 40 * SIZE, found)


@pytest.mark.timeout(1500)
def test_workers_killed_at_any_moment(
    hub: FaultHub, sides: tuple[Cpmcs, Derms], case: Callable[..., Case]
) -> None:  # the issue's: in the middle of 1,000 segments, ten times
    kept = case(f"killed at any moment of {SEGMENTS} segments", GROUP)
    cpmcs, _ = sides
    moments = random.Random("segments")
    path = file_of(hub.folder, SEGMENTS * SIZE)
    hub.beat()
    killed = dead = 0
    while killed < KILLS:
        event = f"EVT-{killed}"
        instance = hub.ask("reserve", message_id=f"RSV-{killed}", event=event, path=str(path))
        strikes = min(MOST_AT_ONE_RUN, KILLS - killed)
        for number in range(strikes):
            part = (number + moments.uniform(0.2, 0.9)) * SEGMENTS * SIZE / strikes
            wait_for(hub, cpmcs, event, part)
            dead = kill_worker(hub, dead)
            killed += 1
        found = ended(hub, instance, 600)
        assert found["attempts"] == ["crashed"] * strikes + ["succeeded"], found
        judged(kept, sides, event, SEGMENTS * SIZE, found)
    kept.tried = killed


@pytest.mark.parametrize("point", POSTED)
def test_a_worker_killed_while_a_score_file_is_posted(
    point: str, hub: FaultHub, sides: tuple[Cpmcs, Derms], case: Callable[..., Case]
) -> None:
    """DERMS knows a file by its key: what is posted again is taken once; without that it would be marked twice."""
    kept = case(f"killed with a file {POSTED[point]}", "Worker killed while files are posted to DERMS")
    _, derms = sides
    names = [hub.put(100_000 + number, number) for number in (1, 2, 3)]
    hub.arm(f"{point}:2")
    hub.ask("send_scores")
    hub.beat()
    (run,) = hub.ended(90)
    assert hub.struck()
    assert (run["status"], run["attempts"]) == ("succeeded", ["crashed", "succeeded"])
    taken = {name: (one.size, one.sha256, one.times) for name, one in derms.records.scores().items()}
    assert taken == {name: (*hub.files[name], 1) for name in names}
    assert sorted(path.name for path in hub.source.folder.iterdir()) == [f"SENT-{name}" for name in names]
    posted = [one["path"] for one in derms.received() if "/device-score/" in one["path"]]
    assert sorted(set(posted)) == [f"{BASE}/device-score/{name}" for name in names]
    kept.files, kept.lost, kept.doubled = len(names), 0, 0
    kept.damaged = kept.mails_doubled = kept.uploads_left = 0
    kept.passed = True
