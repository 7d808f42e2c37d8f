"""A worker is frozen past its lease and thawed when another has taken over: it writes nothing any more."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import FULL
from tests.faults.hub import FaultHub
from tests.faults.judging import settle
from tests.faults.processes import kill
from tests.faults.report import Case

POINTS = [
    "after_claim",
    "ledger_copying",
    "while_copying:3",
    "copied_not_verified",
    "verified_not_renamed_at_target",
    "published_not_recorded",
    "delivered_not_renamed_at_source",
    "renamed_not_recorded",
    "between_files",
    "before_success_recorded:1",
    "before_success_recorded:4",
]


def freeze(hub: FaultHub, point: str) -> int:
    """Start a run whose worker freezes at the point; its process id."""
    hub.beat(points=point, HUB_CRASH_SIGNAL="STOP")
    hub.ask("run", prefix="C1-DCTEX")
    return hub.wait(hub.frozen, 40, f"frozen at {point}")


def fenced(hub: FaultHub) -> dict[str, Any]:
    """The run, once its frozen attempt has found out that it came late."""

    def found() -> dict[str, Any] | None:
        run = next(row for row in hub.ask("instances") if not row["child"])
        return run if run["attempts"][0] == "fenced" else None

    return hub.wait(found, 30, "first attempt fenced", every=0.2)


if FULL:

    @pytest.mark.parametrize("point", POINTS)
    def test_a_worker_thawed_after_another_ended_its_run(
        point: str, hub: FaultHub, case: Callable[[str], Case]
    ) -> None:
        kept = case(f"worker frozen at {point}, thawed after another ended its run")
        hub.put_many("C1-DCTEX", 3)
        pid = freeze(hub, point)
        hub.wait(
            lambda: any(row["status"] == "succeeded" and not row["child"] for row in hub.ask("instances")),
            40,
            "another worker ended the run",
            every=0.2,
        )
        kill(pid, signal.SIGCONT)
        run = fenced(hub)
        assert (run["status"], run["attempts"]) == ("succeeded", ["fenced", "succeeded"])
        settle(hub, kept)


@pytest.mark.parametrize("point", ["ledger_copying", *(["while_copying:3"] if FULL else [])])
def test_a_worker_thawed_while_another_copies_the_same_file(
    point: str, hub: FaultHub, case: Callable[[str], Case]
) -> None:
    kept = case(f"worker frozen at {point}, thawed while another copies the file")
    hub.put("C1-DCTEX_0001_00.csv", 24_000_000)
    pid = freeze(hub, point)

    def copying() -> bool:
        rows = hub.ask("transfers")
        return rows[0]["tries"] == 2 and any(large(path) for path in hub.target.iterdir())

    hub.wait(copying, 40, "another worker copies", every=0.01)
    kill(pid, signal.SIGCONT)
    (run,) = hub.ended()
    assert fenced(hub)["attempts"] == ["fenced", "succeeded"]
    assert run["status"] == "succeeded"
    settle(hub, kept)


def large(path: Path) -> bool:
    """Whether some megabytes of it have arrived, so that its end is some way off."""
    return 2_000_000 < path.stat().st_size < 20_000_000
