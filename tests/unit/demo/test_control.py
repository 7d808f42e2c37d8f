"""Every neighbour is told to fail, asked what it received, and reset, the same way (contract)."""

import time

import pytest
import requests

from demo.control import Control
from demo.faults import MODES, Faults
from tests.unit.demo.conftest import CCS_USER


@pytest.fixture
def control(ccs):
    with Control(
        {"ccs": ccs}, {"ccs": {"double": lambda values: {"twice": values["number"] * 2}}}
    ) as running:
        yield running.url_of("ccs")


def fail(control, mode, **values):
    return requests.post(f"{control}/fail", json={"mode": mode, **values}, timeout=5)


def health(ccs, timeout=5):
    return requests.get(f"{ccs.url}/rest/apis/common/system/healthCheck/", auth=CCS_USER, timeout=timeout)


def test_down_closes_without_an_answer(ccs, control):
    fail(control, "down")
    with pytest.raises(requests.ConnectionError):
        health(ccs)


def test_cut_ends_in_the_middle_of_the_answer(ccs, control):
    fail(control, "cut")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        health(ccs)


def test_slow_outlasts_the_read_timeout(ccs, control):
    fail(control, "slow", times=1)
    with pytest.raises(requests.ReadTimeout):
        health(ccs, timeout=0.2)


def test_slow_answers_in_the_end(ccs, control):
    fail(control, "slow", times=1)
    began = time.monotonic()
    assert health(ccs).status_code == 200
    assert time.monotonic() - began >= 0.6


@pytest.mark.parametrize("mode", ["401", "500", "400"])
def test_status_modes_answer_with_that_status(ccs, control, mode):
    fail(control, mode)
    answer = health(ccs)
    assert (answer.status_code, answer.json()["httpStatus"]) == (int(mode), int(mode))


@pytest.mark.parametrize("mode", ["401", "500", "400"])
def test_a_fault_strikes_as_often_as_asked(ccs, control, mode):
    fail(control, mode, times=2)
    assert [health(ccs).status_code for _ in range(3)] == [int(mode), int(mode), 200]


def test_received_has_every_call_and_no_password(ccs, control):
    fail(control, "500", times=1)
    health(ccs)
    health(ccs)
    answer = requests.get(f"{control}/received", timeout=5)
    assert [(entry["status"], entry["fault"]) for entry in answer.json()] == [(500, "500"), (200, "")]
    assert CCS_USER[1] not in answer.text


def test_a_call_refused_while_down_is_received(ccs, control):
    fail(control, "down", times=1)
    with pytest.raises(requests.ConnectionError):
        health(ccs)
    (entry,) = requests.get(f"{control}/received", timeout=5).json()
    assert (entry["status"], entry["fault"]) == (None, "down")


def test_reset_mends_and_forgets(ccs, control):
    fail(control, "500")
    health(ccs)
    requests.post(f"{control}/reset", timeout=5)
    assert ccs.received() == []
    assert health(ccs).status_code == 200


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"mode": "sulk"}, "sulk"),
        ({}, "mode"),
        ({"mode": "500", "times": 0}, "times"),
        ({"mode": "500", "times": "two"}, "two"),
        ([], "JSON object"),
    ],
)
def test_a_control_call_that_means_nothing_is_refused(control, body, named):
    answer = requests.post(f"{control}/fail", json=body, timeout=5)
    assert answer.status_code == 400
    assert named in answer.json()["detail"]


@pytest.mark.parametrize("path", ["fail", "x", ""])
def test_an_unknown_verb_is_not_found(control, path):
    assert requests.get(f"{control}/{path}", timeout=5).status_code == 404


def test_an_unknown_neighbour_is_not_found(control):
    answer = requests.get(control.replace("/ccs", "/nobody") + "/received", timeout=5)
    assert (answer.status_code, "nobody" in answer.json()["detail"]) == (404, True)


def test_a_neighbour_offers_more(control):
    assert requests.post(f"{control}/double", json={"number": 21}, timeout=5).json() == {"twice": 42}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_can_be_cleared(mode):
    faults = Faults()
    faults.set(mode)
    faults.clear()
    assert faults.take() == ""
