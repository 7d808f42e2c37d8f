"""Whole groups of processes are killed, frozen or stopped; what was under way is finished, once."""

import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.faults.conftest import FULL, shapes
from tests.faults.hub import PREFIX, WHOLE_CLUSTER, FaultHub
from tests.faults.judging import settle
from tests.faults.points import OS, SFTP
from tests.faults.processes import kill
from tests.faults.proxy import TO_SERVER
from tests.faults.report import Case

GROUP = "Clusters, beats and hosts killed, frozen or stopped"
FILES, SIZE = 30, 600_000
to_both = pytest.mark.parametrize("hub", [SFTP, OS], indirect=True, ids=str)


def under_way(hub: FaultHub, megabytes: float, do: Callable[[], object]) -> None:
    """Wait until so much more has gone to the target, and do this at that very moment."""
    before = hub.target.proxy.struck
    hub.target.proxy.at(TO_SERVER, int(megabytes * 1e6), do)
    hub.wait(
        lambda: hub.target.proxy.struck > before, 60, f"{megabytes:.1f} MB more at the target", every=0.02
    )


def kill_all(pids: list[int], number: int = signal.SIGKILL) -> None:
    """The same signal to each."""
    for pid in pids:
        kill(pid, number)


def kill_cluster(hub: FaultHub) -> None:
    """All of its processes at once; group 0 would be our own."""
    if main := hub.main_of_cluster():
        os.killpg(main, signal.SIGKILL)


@contextmanager
def silent_server() -> Iterator[int]:
    """A port where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        yield listening.getsockname()[1]


def forget(hub: FaultHub, name: str) -> None:
    """A file that was not to arrive, and did not, is taken away."""
    del hub.files[name]
    assert name not in hub.target.contents()
    (hub.source.folder / name).unlink()


def test_sigterm_gives_the_work_back_and_leaves_no_process(hub: FaultHub, case: Callable[..., Case]) -> None:
    kept = case("SIGTERM to hub_beat under load", GROUP)
    hub.put_many(FILES, SIZE)
    beat = hub.beat()
    hub.run()
    under_way(hub, 3, beat.terminate)
    began = time.monotonic()
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

    @to_both
    @pytest.mark.parametrize("seed", [1, 2])
    def test_the_cluster_is_killed_three_times(seed: int, hub: FaultHub, case: Callable[..., Case]) -> None:
        kept = case(f"whole cluster killed three times, {FILES} files", GROUP)
        kept.tried = 3
        moments = random.Random(seed)
        hub.put_many(FILES, SIZE)
        hub.beat()
        hub.run()
        for _ in range(3):
            hub.wait(hub.main_of_cluster, 60, "a cluster")
            under_way(hub, moments.uniform(0.2, 5), lambda: kill_cluster(hub))
        (run,) = hub.ended(90)
        assert run["status"] == "succeeded"
        assert run["attempts"] == ["crashed"] * (len(run["attempts"]) - 1) + ["succeeded"]
        settle(hub, kept)

    @pytest.mark.parametrize("hub", [OS], indirect=True, ids=str)
    def test_the_cluster_is_killed_in_a_multipart_upload(hub: FaultHub, case: Callable[..., Case]) -> None:
        kept = case("whole cluster killed in a multipart upload", GROUP)
        hub.put(30_000_000)
        hub.beat()
        hub.run()
        under_way(hub, 20, lambda: kill_cluster(hub))
        (run,) = hub.ended(90)
        assert (run["status"], run["attempts"]) == ("succeeded", ["crashed", "succeeded"])
        settle(hub, kept)

    @shapes(SFTP, OS)
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_the_busy_worker_is_killed(seed: int, running: FaultHub, case: Callable[..., Case]) -> None:
        kept = case(f"busy worker killed at any moment, {FILES} files", GROUP)
        running.put_many(FILES, SIZE)
        running.run()
        moment = random.Random(seed).uniform(0.2, FILES * SIZE / 1e6 - 1)
        under_way(running, moment, lambda: kill(running.busy_worker()))
        (run,) = running.ended()
        assert (run["status"], run["attempts"]) == ("succeeded", ["crashed", "succeeded"])
        settle(running, kept)

    def test_the_whole_host_dies(hub: FaultHub, case: Callable[..., Case]) -> None:
        kept = case("every process of the host killed", GROUP)
        hub.put_many(FILES, SIZE)
        hub.beat()
        hub.run()
        under_way(hub, 5, lambda: kill_all(hub.processes()))
        hub.beat()
        (run,) = hub.ended(90)  # the dead beat's leadership lasts 30 s
        assert (run["status"], run["attempts"]) == ("succeeded", ["crashed", "succeeded"])
        settle(hub, kept)

    def test_a_frozen_cluster_is_killed_and_restarted(hub: FaultHub, case: Callable[..., Case]) -> None:
        kept = case("whole cluster frozen while it works", GROUP)
        hub.put_many(FILES, SIZE)
        hub.beat()
        hub.run()
        under_way(hub, 5, lambda: kill_all(hub.cluster(), signal.SIGSTOP))
        began = time.monotonic()
        (run,) = hub.ended(90)
        assert time.monotonic() - began < 75
        assert (run["status"], run["attempts"]) == ("succeeded", ["crashed", "succeeded"])
        settle(hub, kept)

    @pytest.mark.parametrize("which", ["main process", "sentinel", "workers, pusher and monitor"])
    def test_parts_of_an_idle_cluster_are_killed(
        which: str, hub: FaultHub, case: Callable[..., Case]
    ) -> None:
        kept = case(f"idle cluster's {which} killed", GROUP)
        hub.put_many(3)
        hub.beat()
        hub.cluster_up()
        time.sleep(1)
        main, sentinel, *rest = hub.cluster()
        for pid in {"main process": [main], "sentinel": [sentinel]}.get(which, rest):
            kill(pid)
        hub.run()
        (run,) = hub.ended(90)
        assert run["status"] == "succeeded"
        hub.wait(lambda: len(hub.cluster()) == WHOLE_CLUSTER, 30, "one cluster again")
        settle(hub, kept)

    @to_both
    def test_a_run_that_kills_every_worker_ends_as_an_error(hub: FaultHub, case: Callable[..., Case]) -> None:
        kept = case("poison: every worker that takes the run dies", GROUP)
        kept.tried = 5
        poisonous = hub.put(20_000_000, prefix="C1-DSPEX")
        hub.put_many(3, 1000)  # they pass the point less often than it takes to strike
        hub.beat(HUB_CRASH_POINTS="while_copying:15")  # no mark: each process dies there, and only there
        poison = hub.run("C1-DSPEX")
        hub.wait(lambda: hub.instance(poison)["crashes"], 30, "the first worker died")
        other = hub.run()
        hub.wait(lambda: hub.instance(other)["status"] == "succeeded", 40, "the other ended")
        assert hub.instance(poison)["status"] == "running"
        hub.ended(90, count=2)
        ended = hub.instance(poison)
        assert (ended["status"], ended["fault"]) == ("failed", "worker died 5 times")
        assert ended["attempts"] == ["crashed"] * 5 + ["failed"]
        forget(hub, poisonous)
        assert hub.ask("leftovers_swept") == 1
        settle(hub, kept, unsettled=1)

    def test_a_run_whose_submitter_died_before_the_queue_knew(
        hub: FaultHub, case: Callable[..., Case]
    ) -> None:
        kept = case("submitter killed, run stored, not queued", GROUP)
        hub.put_many(3)
        hub.beat()
        words = ("run_flow", "OUTL-BA-CCS_DACS_CUST_SYNC_FTP", "--param", "extractedFileNamePrefix=C1-DCTEX")
        died = hub.start("manage.py", *words, HUB_CRASH_POINTS="committed_not_enqueued")
        assert died.wait(30) == -signal.SIGKILL
        (run,) = hub.ended(90)
        assert (run["status"], run["attempts"]) == ("succeeded", ["succeeded"])
        settle(hub, kept)

    def test_a_silent_mail_server_does_not_hold_up_the_end(hub: FaultHub, case: Callable[..., Case]) -> None:
        kept = case("SIGTERM to hub_beat while the mail server is silent", GROUP)
        hub.put_many(1)
        hub.put_many(1, prefix="C1-DSPEX")
        with silent_server() as port:
            beat = hub.beat(EMAIL_URL=f"smtp://127.0.0.1:{port}")
            for prefix in (PREFIX, "C1-DSPEX"):
                hub.run(prefix)
            hub.ended(count=2)
            hub.wait(
                lambda: any(row["state"] == "sending" for row in hub.ask("mails")), 10, "a mail is being sent"
            )
            beat.terminate()
            assert beat.wait(30) == 0
        assert hub.processes() == []
        hub.beat()
        hub.ask("mails_cut_off_are_due")
        hub.mails_settled(60)
        settle(hub, kept, maybe_twice=True)
