"""A worker is frozen past its lease and thawed when another has taken over: it writes nothing any more."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults import points
from tests.faults.conftest import FULL, shapes
from tests.faults.hub import FaultHub
from tests.faults.judging import settle
from tests.faults.points import BEFORE_SUCCESS, OS, SFTP
from tests.faults.processes import kill
from tests.faults.report import Case

GROUP = "Worker frozen past its lease, thawed when another has taken over"
POINTS = [
    "after_claim",
    "ledger_copying",
    "while_copying",
    "copied_not_verified",
    "verified_not_renamed_at_target",
    "published_not_recorded",
    "delivered_not_renamed_at_source",
    "renamed_not_recorded",
    "between_files",
    BEFORE_SUCCESS,
]
AT_OS = ["ledger_copying", "published_not_recorded"]


def freeze(hub: FaultHub, point: str) -> int:
    """Start a run whose worker freezes at the point; its process id."""
    hub.arm(point, "STOP")
    hub.run()
    hub.wait(hub.struck, 40, f"{point} passed")
    frozen: int = hub.wait(hub.frozen, 10, f"frozen at {point}")
    return frozen


def fenced(hub: FaultHub) -> dict[str, Any]:
    """The run, once its frozen attempt has found out that it came late."""

    def found() -> dict[str, Any] | None:
        run = next(row for row in hub.ask("instances") if not row["child"])
        return run if run["attempts"][0] == "fenced" else None

    late: dict[str, Any] = hub.wait(found, 30, "first attempt fenced")
    return late


def a_thawed_worker_writes_nothing(hub: FaultHub, point: str, kept: Case) -> None:
    """The whole of such a case."""
    pid = freeze(hub, point)
    hub.wait(
        lambda: any(row["status"] == "succeeded" and not row["child"] for row in hub.ask("instances")),
        40,
        "another worker ended the run",
    )
    kill(pid, signal.SIGCONT)
    run = fenced(hub)
    assert (run["status"], run["attempts"]) == ("succeeded", ["fenced", "succeeded"])
    settle(hub, kept)


if FULL:

    @shapes(SFTP)
    @pytest.mark.parametrize("put", [points.small, points.large], ids=lambda put: put.__name__)
    @pytest.mark.parametrize("point", POINTS)
    def test_a_worker_thawed_after_another_ended_its_run(
        point: str, put: Callable[[FaultHub], None], running: FaultHub, case: Callable[..., Case]
    ) -> None:
        kept = case(f"frozen {points.WORDS[point]}", GROUP)
        put(running)
        a_thawed_worker_writes_nothing(running, point, kept)

    @shapes(OS)
    @pytest.mark.parametrize("point", AT_OS)
    def test_a_worker_thawed_before_object_storage(
        point: str, running: FaultHub, case: Callable[..., Case]
    ) -> None:
        kept = case(f"frozen {points.WORDS[point]} (object storage)", GROUP)
        points.small(running)
        a_thawed_worker_writes_nothing(running, point, kept)


@shapes(SFTP)
@pytest.mark.parametrize("point", ["ledger_copying", *(["while_copying"] if FULL else [])])
def test_a_worker_thawed_while_another_copies_the_same_file(
    point: str, running: FaultHub, case: Callable[..., Case]
) -> None:
    kept = case(f"frozen {points.WORDS[point]}, thawed while another copies the file", GROUP)
    running.put(24_000_000)
    pid = freeze(running, point)

    def copying() -> bool:
        rows = running.ask("transfers")
        return rows[0]["tries"] == 2 and any(partly(path) for path in running.target_folder.iterdir())

    running.wait(copying, 40, "another worker copies", every=0.01)
    kill(pid, signal.SIGCONT)
    (run,) = running.ended()
    assert fenced(running)["attempts"] == ["fenced", "succeeded"]
    assert run["status"] == "succeeded"
    settle(running, kept)


def partly(path: Path) -> bool:
    """Whether some megabytes of it have arrived, so that its end is some way off."""
    return 2_000_000 < path.stat().st_size < 20_000_000
