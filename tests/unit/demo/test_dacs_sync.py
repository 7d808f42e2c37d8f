"""DACS takes one acknowledgement for each sync request, and says 400 to a second one (seed 003)."""

import threading

import pytest
import requests

from demo.control import Control
from demo.dacs_sync import CATALOG, DacsSync
from demo.operations import Catalog
from demo.sync_requests import AWAITING, ERROR, SYNCHRONISED

USER = ("HUB", "dacs-password")
SYNC = "/rest/apis/common/sync/syncRequest"
EXCEPTION = {
    "sequence": 1,
    "messageCategory": 11114,
    "messageNumber": 11001,
    "messageParameters": [{"parameterSequence": 1, "messageParameterValue": "No such point"}],
    "comments": "No such point",
}


@pytest.fixture
def dacs():
    with DacsSync(username=USER[0], password=USER[1], slow_seconds=0.3) as running:
        yield running


def acknowledge(dacs, key, *, idempotency="", path="", auth=USER, timeout=5, **message):
    headers = {"Idempotency-Key": idempotency} if idempotency else {}
    body = {"syncRequestId": key, "hasError": False, **message}
    url = f"{dacs.url}{SYNC}/{path or key}"
    return requests.patch(url, json=body, headers=headers, auth=auth, timeout=timeout)


def states(dacs):
    return {one.id: one.status for one in dacs.sync_requests.find()}


def test_each_enrolment_awaits_an_acknowledgement_of_its_own(dacs):
    ids = dacs.enrol(3)
    answers = [acknowledge(dacs, key) for key in ids[:2]]
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (200, {"syncRequestId": key}) for key in ids[:2]
    ]
    assert states(dacs) == dict(zip(ids, [SYNCHRONISED, SYNCHRONISED, AWAITING], strict=True))
    assert {len(key) for key in ids} == {14}


def test_a_negative_one_puts_it_into_error_with_the_text(dacs):
    (key,) = dacs.enrol()
    assert acknowledge(dacs, key, hasError=True, exceptionInfo=[EXCEPTION]).status_code == 200
    (one,) = dacs.sync_requests.find(ERROR)
    assert one.texts == ["No such point"]


# Seed 003, Error Handling: "DACS throws 400 error when a duplicate request is found with syncrequestid".
def test_a_second_one_is_refused_with_400_and_counted(dacs):
    first, second = dacs.enrol(2)
    assert [acknowledge(dacs, key).status_code for key in (second, first, second, second)] == [
        200,
        200,
        400,
        400,
    ]
    taken = dacs.taken()
    assert [(one.id, one.times, len(one.messages)) for one in taken.values()] == [
        (second, 3, 1),
        (first, 1, 1),
    ]
    assert taken[first].messages == ({"syncRequestId": first, "hasError": False},)
    assert dacs.summary() == {
        "syncRequests": {SYNCHRONISED: 2},
        "acknowledgements": 2,
        "refusedAgain": 2,
        "repeats": 0,
    }


def test_one_it_does_not_know_is_refused_with_404_and_not_kept(dacs):
    answer = acknowledge(dacs, "99999999999999")
    assert (answer.status_code, dacs.taken()) == (404, {})
    assert "99999999999999" in answer.json()["detail"]


def test_a_key_it_has_seen_is_answered_as_before(dacs):
    (key,) = dacs.enrol()
    assert [acknowledge(dacs, key, idempotency="1:a").status_code for _ in range(2)] == [200, 200]
    assert (dacs.taken()[key].times, dacs.summary()["repeats"]) == (1, 1)


WRONG = [
    ({"hasError": True}, "exceptionInfo"),
    ({"hasError": True, "exceptionInfo": []}, "exceptionInfo"),
    ({"hasError": "false"}, "hasError"),
    ({"status": "SUCCESS"}, "status"),
    ({"hasError": True, "exceptionInfo": [{**EXCEPTION, "comments": "x" * 255}]}, "comments"),
]


@pytest.mark.parametrize(("message", "named"), WRONG)
def test_what_its_schema_does_not_allow_is_refused_and_the_place_named(dacs, message, named):
    (key,) = dacs.enrol()
    answer = acknowledge(dacs, key, **message)
    assert (answer.status_code, named in answer.json()["detail"]) == (400, True)
    assert (states(dacs), dacs.taken()) == ({key: AWAITING}, {})


def test_another_id_in_the_path_is_refused_and_nothing_is_taken(dacs):
    first, second = dacs.enrol(2)
    assert acknowledge(dacs, first, path=second).status_code == 400
    assert (set(states(dacs).values()), dacs.taken()) == ({AWAITING}, {})


# Seed 003, Enrollment Acknowledgement: "when processing the 6th record, an error was encountered".
def test_one_of_many_can_be_refused_so_often(dacs):
    ids = dacs.enrol(3)
    dacs.answer_with(ids[1], 503, 2)
    assert [acknowledge(dacs, key).status_code for key in ids] == [200, 503, 200]
    assert [acknowledge(dacs, ids[1], idempotency="1:a").status_code for _ in range(3)] == [503, 200, 200]
    assert list(dacs.taken()) == [ids[0], ids[2], ids[1]]


def test_a_reset_ends_such_refusals_and_keeps_what_was_taken(dacs):
    ids = dacs.enrol(2)
    acknowledge(dacs, ids[0])
    dacs.answer_with(ids[1], 500)
    dacs.reset()
    assert acknowledge(dacs, ids[1]).status_code == 200
    assert list(dacs.taken()) == ids


@pytest.mark.parametrize("status", [200, 399, 600])
def test_a_status_that_refuses_nothing_is_no_refusal(dacs, status):
    with pytest.raises(ValueError, match=str(status)):
        dacs.answer_with("1", status)


@pytest.mark.parametrize("mode", ["401", "500", "400"])
def test_status_modes_change_nothing(dacs, mode):
    (key,) = dacs.enrol()
    dacs.fail(mode, 1)
    assert acknowledge(dacs, key).status_code == int(mode)
    assert (states(dacs), dacs.taken()) == ({key: AWAITING}, {})


def test_down_slow_and_cut_strike_too(dacs):
    first, second, third = dacs.enrol(3)
    dacs.fail("down", 1)
    with pytest.raises(requests.ConnectionError):
        acknowledge(dacs, first)
    dacs.fail("slow", 1)
    with pytest.raises(requests.ReadTimeout):
        acknowledge(dacs, second, timeout=0.1)
    dacs.fail("cut", 1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        acknowledge(dacs, third)
    assert states(dacs)[first] == AWAITING
    assert acknowledge(dacs, third).status_code == 400  # it was taken, only the answer was lost


def test_the_wrong_password_is_refused(dacs):
    (key,) = dacs.enrol()
    assert acknowledge(dacs, key, auth=("HUB", "wrong")).status_code == 401


def test_of_many_at_once_one_is_taken(dacs):
    (key,) = dacs.enrol()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(acknowledge(dacs, key).status_code)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200, *[400] * 7]
    assert (dacs.taken()[key].times, len(dacs.taken()[key].messages)) == (8, 1)


def test_sync_requests_last_from_one_start_to_the_next(tmp_path):
    with DacsSync(kept=tmp_path) as first:
        done, open_one = first.enrol(2)
        acknowledge(first, done)
    with DacsSync(kept=tmp_path) as second:
        assert states(second) == {done: SYNCHRONISED, open_one: AWAITING}
        assert second.enrol()[0] > open_one


def test_its_control_makes_sync_requests_and_refuses_one(dacs):
    with Control({"dacs-sync": dacs}, {"dacs-sync": dacs.actions}) as control:

        def tell(verb, **told):
            return requests.post(f"{control.url_of('dacs-sync')}/{verb}", json=told, timeout=5)

        ids = tell("sync-requests", kind="program subscription", count=2).json()["syncRequestIds"]
        assert tell("answer-with", syncRequestId=ids[1], status=500, times=1).status_code == 200
        assert tell("answer-with", syncRequestId=ids[1], status=200).status_code == 400
        assert [acknowledge(dacs, key).status_code for key in ids] == [200, 500]
        assert tell("summary").json()["syncRequests"] == {SYNCHRONISED: 1, AWAITING: 1}


def test_the_catalog_and_the_health_check_are_there(dacs):
    catalog = requests.get(f"{dacs.url}/openapi.json", auth=USER, timeout=5).json()
    health = requests.get(f"{dacs.url}/rest/apis/common/system/healthCheck/", auth=USER, timeout=5)
    names = {one["operationId"] for item in catalog["paths"].values() for one in item.values()}
    assert names == set(dacs.does) == {"F1-SyncRequest", "F1-HealthCheckRest"}
    assert (catalog["servers"], health.status_code) == ([{"url": dacs.url}], 200)
    assert {one.schema for one in Catalog(CATALOG).operations} == {"SyncRequestUpdate", ""}
