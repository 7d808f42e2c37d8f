"""Whole groups of processes are killed, frozen or stopped; what was under way is finished, once."""

import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.faults.conftest import FULL
from tests.faults.hub import FaultHub
from tests.faults.judging import settle
from tests.faults.processes import group_of, kill
from tests.faults.report import Case


def main_of(hub: FaultHub) -> int:
    """The cluster's main process; 0 while there is none."""
    return next((pid for pid in hub.cluster() if group_of(pid) == pid), 0)


def some_done(hub: FaultHub, more_than: int) -> Callable[[], bool]:
    return lambda: done(hub) > more_than


@contextmanager
def silent_server() -> Iterator[int]:
    """A port where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        yield listening.getsockname()[1]


def done(hub: FaultHub) -> int:
    return sum(row["state"] == "done" for row in hub.ask("transfers"))


def test_sigterm_gives_the_work_back_and_leaves_no_process(
    hub: FaultHub, case: Callable[[str], Case]
) -> None:
    kept = case("SIGTERM to hub_beat under load")
    hub.put_many("C1-DCTEX", 30, 600_000)
    beat = hub.beat()
    hub.ask("run", prefix="C1-DCTEX")
    hub.wait(some_done(hub, 1), 30, "the first files are done")
    began = time.monotonic()
    beat.terminate()
    assert beat.wait(30) == 0
    assert time.monotonic() - began < 30
    assert hub.processes() == []
    (run,) = (row for row in hub.ask("instances") if not row["child"])
    assert (run["status"], run["attempts"], run["crashes"]) == ("ready", ["released"], 0)
    hub.beat()
    (run,) = hub.ended()
    assert (run["status"], run["attempts"]) == ("succeeded", ["released", "succeeded"])
    settle(hub, kept)


if FULL:

    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_the_cluster_is_killed_three_times(seed: int, hub: FaultHub, case: Callable[[str], Case]) -> None:
        kept = case(f"whole cluster killed three times, 30 files (seed {seed})")
        kept.tried = 3
        times = random.Random(seed)
        hub.put_many("C1-DCTEX", 30, 600_000)
        hub.beat()
        hub.ask("run", prefix="C1-DCTEX")
        for _ in range(3):
            before = done(hub)
            hub.wait(some_done(hub, before), 60, f"more than {before} files done")
            time.sleep(times.uniform(0, 0.6))
            os.killpg(main_of(hub), signal.SIGKILL)
        (run,) = hub.ended(90)
        assert run["status"] == "succeeded"
        assert run["attempts"] == ["crashed"] * (len(run["attempts"]) - 1) + ["succeeded"]
        settle(hub, kept)

    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_the_busy_worker_is_killed(seed: int, hub: FaultHub, case: Callable[[str], Case]) -> None:
        kept = case(f"busy worker killed at any moment (seed {seed})")
        hub.put_many("C1-DCTEX", 40, 600_000)
        hub.beat()
        hub.ask("run", prefix="C1-DCTEX")
        pid = hub.wait(hub.busy_worker, 30, "a worker has it")
        time.sleep(random.Random(seed).uniform(0, 1))
        kill(pid)
        (run,) = hub.ended()
        assert (run["status"], run["attempts"]) == ("succeeded", ["crashed", "succeeded"])
        settle(hub, kept)

    def test_the_whole_host_dies(hub: FaultHub, case: Callable[[str], Case]) -> None:
        kept = case("every process of the host killed")
        hub.put_many("C1-DCTEX", 10, 600_000)
        hub.beat()
        hub.ask("run", prefix="C1-DCTEX")
        hub.wait(some_done(hub, 1), 30, "the first files are done")
        for pid in hub.processes():
            kill(pid)
        hub.beat()
        (run,) = hub.ended(90)  # the dead beat's leadership lasts 30 s
        assert (run["status"], run["attempts"]) == ("succeeded", ["crashed", "succeeded"])
        settle(hub, kept)

    def test_a_frozen_cluster_is_killed_and_restarted(hub: FaultHub, case: Callable[[str], Case]) -> None:
        kept = case("whole cluster frozen while it works")
        hub.put_many("C1-DCTEX", 30, 600_000)
        hub.beat()
        hub.ask("run", prefix="C1-DCTEX")
        hub.wait(some_done(hub, 1), 30, "the first files are done")
        for pid in hub.cluster():
            kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        (run,) = hub.ended(90)
        assert time.monotonic() - began < 75
        assert (run["status"], run["attempts"]) == ("succeeded", ["crashed", "succeeded"])
        settle(hub, kept)

    @pytest.mark.parametrize("which", ["main process", "sentinel", "workers, pusher and monitor"])
    def test_parts_of_an_idle_cluster_are_killed(
        which: str, hub: FaultHub, case: Callable[[str], Case]
    ) -> None:
        kept = case(f"idle cluster's {which} killed")
        hub.put_many("C1-DCTEX", 3)
        hub.beat()
        hub.wait(lambda: len(hub.cluster()) >= 6, 30, "main, sentinel, two workers, pusher, monitor")
        time.sleep(1)
        main, sentinel, *rest = hub.cluster()
        for pid in {"main process": [main], "sentinel": [sentinel]}.get(which, rest):
            kill(pid)
        hub.ask("run", prefix="C1-DCTEX")
        (run,) = hub.ended(90)
        assert run["status"] == "succeeded"
        hub.wait(lambda: len(hub.cluster()) == 6, 30, "one cluster again")
        settle(hub, kept)

    def test_a_run_that_kills_every_worker_ends_as_an_error(
        hub: FaultHub, case: Callable[[str], Case]
    ) -> None:
        kept = case("poison: every worker that takes the run dies")
        kept.tried = 5
        hub.put("C1-DSPEX_0001_00.csv", 20_000_000)
        hub.put_many("C1-DCTEX", 3)
        hub.beat(HUB_CRASH_POINTS="while_copying:400")  # no mark: each process dies there, and only there
        poison = hub.ask("run", prefix="C1-DSPEX")
        hub.wait(lambda: hub.instance(poison)["crashes"], 30, "the first worker died")
        other = hub.ask("run", prefix="C1-DCTEX")
        hub.wait(lambda: hub.instance(other)["status"] == "succeeded", 40, "the other ended")
        assert hub.instance(poison)["status"] == "running"
        hub.ended(90, count=2)
        ended = hub.instance(poison)
        assert (ended["status"], ended["fault"]) == ("failed", "worker died 5 times")
        assert ended["attempts"] == ["crashed"] * 5 + ["failed"]
        assert hub.forget("C1-DSPEX_0001_00.csv") == ["C1-DSPEX_0001_00.csv"]
        settle(hub, kept, unsettled=1)

    def test_two_beats_start_a_due_schedule_once(hub: FaultHub, case: Callable[[str], Case]) -> None:
        kept = case("two beats, one due schedule")
        hub.put_many("C1-DCTEX", 3)
        for _ in range(2):
            hub.beat()
        hub.wait(lambda: len(hub.cluster()) >= 12, 40, "both hosts' clusters are up")
        hub.ask("schedule", prefix="C1-DCTEX", seconds=3600)
        (run,) = hub.ended()
        time.sleep(3)
        assert hub.ask("due_runs") == 1
        assert [row["id"] for row in hub.ended()] == [run["id"]]
        settle(hub, kept)

    def test_a_run_whose_submitter_died_before_the_queue_knew(
        hub: FaultHub, case: Callable[[str], Case]
    ) -> None:
        kept = case("submitter killed at committed_not_enqueued")
        hub.put_many("C1-DCTEX", 3)
        hub.beat()
        words = ("run_flow", "OUTL-BA-CCS_DACS_CUST_SYNC_FTP", "--param", "extractedFileNamePrefix=C1-DCTEX")
        died = hub.start("manage.py", *words, HUB_CRASH_POINTS="committed_not_enqueued")
        assert died.wait(30) == -signal.SIGKILL
        (run,) = hub.ended(90)
        assert (run["status"], run["attempts"]) == ("succeeded", ["succeeded"])
        settle(hub, kept)

    def test_a_silent_mail_server_does_not_hold_up_the_end(
        hub: FaultHub, case: Callable[[str], Case]
    ) -> None:
        kept = case("SIGTERM to hub_beat while the mail server is silent")
        hub.put_many("C1-DCTEX", 1)
        hub.put_many("C1-DSPEX", 1)
        with silent_server() as port:
            beat = hub.beat(EMAIL_URL=f"smtp://127.0.0.1:{port}")
            for prefix in ("C1-DCTEX", "C1-DSPEX"):
                hub.ask("run", prefix=prefix)
            hub.ended(count=2)
            hub.wait(
                lambda: any(row["state"] == "sending" for row in hub.ask("mails")), 10, "a mail is being sent"
            )
            beat.terminate()
            assert beat.wait(30) == 0
        assert hub.processes() == []
        kept.passed = True
