"""A PostgreSQL of our own crashes, or is away for a while, in the middle of a run."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.faults.conftest import FULL
from tests.faults.databases import Postgres
from tests.faults.hub import FaultHub
from tests.faults.judging import settle
from tests.faults.proxy import TO_SERVER
from tests.faults.report import Case
from tests.servers import PrivatePostgres, private_postgres

GROUP = "A private PostgreSQL"
AWAY = 20  # seconds

if FULL or os.environ.get("HUB_FAULT_PG"):

    @pytest.fixture(scope="module")
    def private_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePostgres]:
        """A server that may be stopped."""
        with private_postgres(tmp_path_factory.mktemp("postgres") / "server") as server:
            yield server

    @pytest.fixture(scope="module")
    def template(
        private_server: PrivatePostgres, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[Postgres]:
        """A migrated database on it."""
        made = Postgres(tmp_path_factory.mktemp("private"), private_server.url)
        yield made
        made.close()

    def crash_and_return(server: PrivatePostgres, seconds: float = 0) -> None:
        """What pg_ctl calls immediate: no connection is ended in good order, recovery at the next start."""
        try:
            server.stop("immediate")
        except subprocess.CalledProcessError as error:
            raise AssertionError(f"pg_ctl: {error.stdout!r} {error.stderr!r}") from error
        time.sleep(seconds)
        server.start()

    @pytest.mark.parametrize("megabytes", [1, 9, 17] if FULL else [9])
    def test_a_database_that_is_restarted_mid_run(
        megabytes: int, private_server: PrivatePostgres, hub: FaultHub, case: Callable[..., Case]
    ) -> None:
        kept = case("restarted (immediate) in the middle of a run", GROUP)
        interrupted(hub, megabytes, lambda: crash_and_return(private_server))
        settle(hub, kept)

    if FULL:

        def test_a_database_that_is_away_while_files_move(
            private_server: PrivatePostgres, hub: FaultHub, case: Callable[..., Case]
        ) -> None:
            kept = case(f"away for {AWAY} s in the middle of a run", GROUP)
            interrupted(hub, 9, lambda: crash_and_return(private_server, AWAY))
            settle(hub, kept)

    def interrupted(hub: FaultHub, megabytes: float, do: Callable[[], None]) -> None:
        """A run of small and large files, in which this is done when so much has been copied."""
        hub.put_many(12, 500_000)
        for number in (13, 14):
            hub.put(7_000_000, number)
        hub.beat()
        hub.cluster_up()
        hub.run()
        passed: list[float] = []
        hub.target.proxy.at(TO_SERVER, int(megabytes * 1e6), lambda: passed.append(time.monotonic()))
        deadline = time.monotonic() + 60
        while not passed and time.monotonic() < deadline:  # not by asking: that would need the database
            time.sleep(0.01)
        assert passed, "The run did not come so far"
        do()
        (run,) = hub.ended(150)
        assert run["status"] == "succeeded", run["fault"]
        assert set(run["attempts"][:-1]) <= {"retry", "crashed"}, run["attempts"]
