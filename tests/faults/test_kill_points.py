"""A worker is killed at each named point; the file is still delivered exactly once, and told of once."""

from collections.abc import Callable

import pytest

from tests.faults.conftest import FULL
from tests.faults.hub import FaultHub
from tests.faults.judging import settle
from tests.faults.report import Case

BOUNDED = [
    "while_copying:3",
    "verified_not_renamed_at_target",
    "published_not_recorded",
    "renamed_not_recorded",
    "before_success_recorded:4",  # with three files the fourth success is the run's own
]
REST = [
    "delivered_not_renamed_at_source",
    "after_claim",
    "ledger_copying",
    "copied_not_verified",
    "between_files",
    "before_success_recorded:1",  # the child's
    "after_success_recorded:1",
    "after_success_recorded:4",
]


@pytest.mark.parametrize("point", [*BOUNDED, *(REST if FULL else [])])
def test_a_worker_killed_at(point: str, hub: FaultHub, case: Callable[[str], Case]) -> None:
    kept = case(f"worker killed at {point}")
    hub.put_many("C1-DCTEX", 3)
    hub.beat(points=point)
    hub.ask("run", prefix="C1-DCTEX")
    hub.wait((hub.marks / point.partition(":")[0]).exists, 30, f"{point} passed")
    (run,) = hub.ended()
    assert run["status"] == "succeeded"
    died = ["succeeded"] if point == "after_success_recorded:4" else ["crashed", "succeeded"]
    assert run["attempts"] == died
    settle(hub, kept)
