"""CCS takes one acknowledgement a sync request, and says what is wrong with any other."""

import pytest
import requests

from demo.ccs import Ccs
from demo.extracts import CONTACT
from demo.sync_requests import AWAITING, ERROR, PENDING, SYNCHRONISED
from tests.unit.demo.conftest import CCS_USER

EXCEPTION = {
    "sequence": 1,
    "messageCategory": 11114,
    "messageNumber": 11001,
    "messageParameters": [{"parameterSequence": 1, "messageParameterValue": "Contact Type G is unknown"}],
}


def patch(ccs, key, body, auth=CCS_USER):
    return requests.patch(
        f"{ccs.url}/rest/apis/common/sync/syncRequest/{key}", json=body, auth=auth, timeout=5
    )


def status(ccs, key):
    return next(one.status for one in ccs.sync_requests.find() if one.id == key)


def test_a_change_makes_a_pending_sync_request(ccs):
    assert [one.status for one in ccs.change(CONTACT, 2)] == [PENDING, PENDING]


def test_an_extracted_sync_request_awaits_its_acknowledgement(ccs, awaiting):
    assert status(ccs, awaiting) == AWAITING


def test_the_next_extract_holds_only_what_is_new(ccs, shelf, awaiting):
    ccs.change(CONTACT, 2)
    second = ccs.extract("C1-DCTEX", shelf)
    assert second.records == 2
    assert awaiting not in second.references


def test_positive_acknowledgement_synchronises(ccs, awaiting):
    answer = patch(ccs, awaiting, {"syncRequestId": awaiting, "hasError": False})
    assert answer.status_code == 200
    assert status(ccs, awaiting) == SYNCHRONISED


def test_negative_acknowledgement_is_an_error_with_its_text(ccs, awaiting):
    body = {"syncRequestId": awaiting, "hasError": True, "exceptionInfo": [EXCEPTION]}
    assert patch(ccs, awaiting, body).status_code == 200
    (found,) = ccs.sync_requests.find(ERROR)
    assert found.texts == ["Contact Type G is unknown"]


def test_a_second_acknowledgement_is_refused(ccs, awaiting):
    body = {"syncRequestId": awaiting, "hasError": False}
    patch(ccs, awaiting, body)
    answer = patch(ccs, awaiting, body)
    assert answer.status_code == 400
    assert "acknowledged before" in answer.json()["detail"]


def test_an_acknowledgement_before_the_extract_is_refused(ccs):
    (pending,) = ccs.change(CONTACT, 1)
    answer = patch(ccs, pending.id, {"syncRequestId": pending.id, "hasError": False})
    assert (answer.status_code, status(ccs, pending.id)) == (400, PENDING)


def test_an_unknown_id_is_not_found(ccs):
    answer = patch(ccs, "99999999999999", {"syncRequestId": "99999999999999", "hasError": False})
    assert answer.status_code == 404
    assert "99999999999999" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"syncRequestId": "1"}, "the path says"),
        ({"syncRequestId": 5}, "syncRequestId"),
        ({"hasError": "no"}, "hasError"),
        ({"hasError": True}, "exceptionInfo"),
        ({"hasError": True, "exceptionInfo": []}, "exceptionInfo"),
        ({"hasError": True, "exceptionInfo": [{**EXCEPTION, "messageCategory": "11114"}]}, "messageCategory"),
        ({"hasError": True, "exceptionInfo": [{**EXCEPTION, "comments": "x" * 255}]}, "comments"),
        ({"other": 1}, "other"),
    ],
)
def test_an_invalid_message_is_refused_and_named(ccs, awaiting, change, named):
    answer = patch(ccs, awaiting, {"syncRequestId": awaiting, "hasError": False, **change})
    assert answer.status_code == 400
    assert named in answer.json()["detail"]
    assert status(ccs, awaiting) == AWAITING


def test_a_body_that_is_not_json_is_refused(ccs, awaiting):
    url = f"{ccs.url}/rest/apis/common/sync/syncRequest/{awaiting}"
    answer = requests.patch(url, data=b"{", auth=CCS_USER, timeout=5)
    assert (answer.status_code, "not JSON" in answer.json()["detail"]) == (400, True)


def test_the_wrong_password_is_refused(ccs, awaiting):
    answer = patch(ccs, awaiting, {"syncRequestId": awaiting, "hasError": False}, auth=("CCSUSER", "wrong"))
    assert (answer.status_code, status(ccs, awaiting)) == (401, AWAITING)


def test_another_method_is_refused(ccs, awaiting):
    url = f"{ccs.url}/rest/apis/common/sync/syncRequest/{awaiting}"
    answer = requests.post(url, json={}, auth=CCS_USER, timeout=5)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "PATCH")


def test_the_catalog_has_the_operation(ccs):
    catalog = requests.get(f"{ccs.url}/openapi.json", auth=CCS_USER, timeout=5).json()
    operation = catalog["paths"]["/rest/apis/common/sync/syncRequest/{syncRequestId}"]["patch"]
    assert operation["operationId"] == "F1-SyncRequest"


def test_the_health_check_answers(ccs):
    answer = requests.get(f"{ccs.url}/rest/apis/common/system/healthCheck/", auth=CCS_USER, timeout=5)
    assert answer.json()["healthOverallResponse"] == 200


def test_sync_requests_and_batch_numbers_last_over_a_restart(tmp_path, shelf):
    first = Ccs(kept=tmp_path)
    first.change(CONTACT, 2)
    before = first.extract("C1-DCTEX", shelf)
    again = Ccs(kept=tmp_path)
    assert [one.id for one in again.sync_requests.find(AWAITING)] == list(before.references)
    assert again.extract("C1-DCTEX", shelf).name == "C1-DCTEX_0002_00.csv"
    assert again.change(CONTACT, 1)[0].id > before.references[-1]
