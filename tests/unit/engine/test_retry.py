"""Retries are values."""

import pytest

from integrations.engine.faults import BusinessFault, Fault, RemoteFault
from integrations.engine.retry import retry_for

DOWN = RemoteFault("down", passing=True)


@pytest.mark.parametrize(
    ("fault", "made", "allowed", "waits", "seconds"),
    [
        (DOWN, 0, 4, False, 1.0),
        (DOWN, 1, 4, False, 2.0),
        (DOWN, 3, 4, False, 8.0),
        (DOWN, 4, 4, False, None),
        (DOWN, 20, 99, False, 300.0),
        (DOWN, 0, 4, True, None),
        (DOWN, 0, 0, False, None),
        (BusinessFault("no"), 0, 4, False, None),
        (RemoteFault("later", passing=True, retry_after=77), 0, 4, False, 77.0),
        (RemoteFault("open", code="HUB-BREAKER-OPEN", passing=True, retry_after=12), 9, 0, False, 12.0),
    ],
)
def test_when_a_fault_is_tried_again(
    fault: Fault, made: int, allowed: int, waits: bool, seconds: float | None
):
    retry = retry_for(fault, made=made, allowed=allowed, waits=waits, roll=1.0)
    assert (retry.wait.total_seconds() if retry else None) == seconds


def test_jitter_never_waits_less_than_half():
    retry = retry_for(DOWN, made=3, allowed=4, waits=False, roll=0.0)
    assert retry is not None
    assert retry.wait.total_seconds() == 4.0


def test_waiting_on_a_breaker_is_not_counted_as_a_retry():
    fault = RemoteFault("open", code="HUB-BREAKER-OPEN", passing=True, retry_after=12)
    retry = retry_for(fault, made=0, allowed=4, waits=False)
    assert retry is not None
    assert retry.counted is False
