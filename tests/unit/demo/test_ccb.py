"""CC&B sends service points and is told by sync request how they came out (seed 000)."""

import threading

import pytest
import requests

from demo.ccb import SERVICE_POINT_SYNC, Ccb, NotInErrorError, service_point_id
from demo.control import Control
from demo.hub_caller import Hub
from demo.sync_requests import AWAITING, ERROR, SYNCHRONISED, UnknownSyncRequestError
from tests.unit.demo.test_dacs_sync import EXCEPTION, USER, acknowledge
from tests.unit.demo.test_derms import TakesAll

AT = f"/ic/api/integration/v1/flows/oracleutilities/{SERVICE_POINT_SYNC.identifier}/1.0/service-point-sync"


@pytest.fixture
def hub():
    with TakesAll(username="CCB", password="secret") as running:
        yield running


@pytest.fixture
def ccb(hub):
    how = {"username": USER[0], "password": USER[1], "slow_seconds": 0.3}
    with Ccb(hub=Hub(hub.url, "CCB", "secret"), population=24, **how) as running:
        yield running


@pytest.fixture
def wrong(ccb):
    """The id of a sync request in error."""
    key = ccb.service_point_message(3)["syncRequestId"]
    assert acknowledge(ccb, key, hasError=True, exceptionInfo=[EXCEPTION]).status_code == 200
    return key


# Seed 000: "When a premise and its service point(s) are created ... the integration process syncs the information".
def test_a_premise_goes_out_with_its_service_points(ccb, hub):
    message = ccb.service_point_message(2, 3)
    answer = ccb.send(message)
    assert (answer.status, answer.instance, hub.came) == (202, "i-1", [(AT, message, None, None)])
    assert [point["spId"] for point in message["servicePoints"]] == [service_point_id(2, n) for n in range(3)]
    assert {point["spType"] for point in message["servicePoints"]} == {"E-RES", "G-RES", "W-RES"}
    assert (message["premiseId"], message["division"] in ("EAST", "WEST")) == ("6000000003", True)
    assert isinstance(message["address"]["latitude"], float)


def test_each_message_has_a_sync_request_of_its_own_that_awaits_its_acknowledgement(ccb):
    keys = [ccb.service_point_message(premise)["syncRequestId"] for premise in (0, 0, 1)]
    assert (len(set(keys)), {ccb.status(key) for key in keys}) == (3, {AWAITING})
    assert {len(key) for key in keys} == {14}


def test_one_service_point_can_be_in_the_object_itself(ccb):
    message = ccb.single_point_message(1, types=("G-COM",), status="INACTIVE")
    assert set(message) == {"spId", "premiseId", "spType", "address", "status", "syncRequestId"}
    assert (message["spId"], message["spType"], message["status"]) == (
        service_point_id(1),
        "G-COM",
        "INACTIVE",
    )
    assert ccb.status(message["syncRequestId"]) == AWAITING


def test_no_two_premises_share_a_service_point(ccb):
    points = [ccb.service_point_message(premise, 1000)["servicePoints"] for premise in (0, 1)]
    assert len({one["spId"] for some in points for one in some}) == 2000


@pytest.mark.parametrize(("premise", "points"), [(24, 1), (-1, 1), (0, 0), (0, 1001)])
def test_what_is_not_there_has_no_message_and_no_sync_request(ccb, premise, points):
    with pytest.raises(ValueError, match=r"premise"):
        ccb.service_point_message(premise, points)
    assert ccb.sync_requests.find() == []


def test_a_positive_acknowledgement_names_the_asset_locations(ccb):
    key = ccb.service_point_message(0, 2)["syncRequestId"]
    assert ccb.asset_locations(key) == []
    told = [
        {"entity": "ASSETLOCATION", "externalPk1": "900000000001"},
        {"entity": "OTHER", "externalPk1": "1"},
        {"entity": "ASSETLOCATION", "externalPk1": "900000000002"},
    ]
    assert acknowledge(ccb, key, externalIds=told).status_code == 200
    assert (ccb.status(key), ccb.asset_locations(key)) == (SYNCHRONISED, ["900000000001", "900000000002"])


# Seed 000: "a negative acknowledgment is sent which transitions the sync request to error state".
def test_a_negative_acknowledgement_puts_the_sync_request_into_error(ccb, wrong):
    (one,) = ccb.sync_requests.find(ERROR)
    assert (one.id, one.texts, ccb.asset_locations(wrong)) == (wrong, ["No such point"], [])


# Seed 000: "so that the user/system can possibly fix the issue and retry to send the message".
def test_one_put_right_goes_again_under_its_id_and_can_be_acknowledged_again(ccb, hub, wrong):
    assert ccb.retry(wrong).status == AWAITING
    message = ccb.service_point_message(3, types=("E-COM",), sync_request=wrong)
    assert ccb.send(message, key="40-2").status == 202
    assert (message["syncRequestId"], len(ccb.sync_requests.find())) == (wrong, 1)
    assert [acknowledge(ccb, wrong).status_code for _ in range(2)] == [200, 400]
    taken = ccb.taken()[wrong]
    assert (ccb.status(wrong), taken.times) == (SYNCHRONISED, 3)
    assert [one["hasError"] for one in taken.messages] == [True, False]


def test_only_what_is_in_error_can_be_tried_again(ccb):
    key = ccb.service_point_message(0)["syncRequestId"]
    with pytest.raises(NotInErrorError, match=AWAITING):
        ccb.retry(key)
    acknowledge(ccb, key)
    with pytest.raises(NotInErrorError, match=SYNCHRONISED):
        ccb.retry(key)
    with pytest.raises(UnknownSyncRequestError, match="999"):
        ccb.retry("999")


def test_of_many_retries_at_once_one_counts(ccb, wrong):
    found = []

    def retry():
        try:
            found.append(ccb.retry(wrong).status)
        except NotInErrorError:
            found.append("refused")

    threads = [threading.Thread(target=retry) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [AWAITING, *["refused"] * 7]


def test_an_acknowledgement_of_what_it_never_made_is_refused(ccb):
    assert (acknowledge(ccb, "99999999999999").status_code, ccb.taken()) == (404, {})


@pytest.mark.parametrize("mode", ["401", "500", "400"])
def test_status_modes_change_nothing(ccb, mode):
    key = ccb.service_point_message(0)["syncRequestId"]
    ccb.fail(mode, 1)
    assert acknowledge(ccb, key).status_code == int(mode)
    assert (ccb.status(key), ccb.taken()) == (AWAITING, {})


def test_down_slow_and_cut_strike_too(ccb):
    first, second = (ccb.service_point_message(0)["syncRequestId"] for _ in range(2))
    ccb.fail("down", 1)
    with pytest.raises(requests.ConnectionError):
        acknowledge(ccb, first)
    ccb.fail("slow", 1)
    with pytest.raises(requests.ReadTimeout):
        acknowledge(ccb, first, timeout=0.1)
    ccb.fail("cut", 1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        acknowledge(ccb, second, idempotency="1:a")
    assert acknowledge(ccb, second, idempotency="1:a").status_code == 200


def test_a_hub_that_is_not_there_is_told(hub):
    assert Ccb(hub=Hub("http://127.0.0.1:9", "CCB", "secret"), population=2).send({}).status is None
    with pytest.raises(ValueError, match="no hub"):
        Ccb(population=2).send({})


def test_sync_requests_last_from_one_start_to_the_next(tmp_path):
    first = Ccb(kept=tmp_path, population=2)
    key = first.service_point_message(0)["syncRequestId"]
    second = Ccb(kept=tmp_path, population=2)
    assert second.status(key) == AWAITING
    assert second.service_point_message(0)["syncRequestId"] > key


def test_its_control_sends_and_sends_again(ccb, hub):
    with Control({"ccb": ccb}, {"ccb": ccb.actions}) as control:

        def tell(verb, **told):
            return requests.post(f"{control.url_of('ccb')}/{verb}", json=told, timeout=5)

        sent = tell("send", premise=5, points=2, type="E-EVC").json()
        key = sent["syncRequestId"]
        assert (sent["status"], tell("retry", syncRequestId=key).status_code) == (202, 400)
        acknowledge(ccb, key, hasError=True, exceptionInfo=[EXCEPTION])
        again = tell("retry", syncRequestId=key, points=2).json()
        assert tell("summary").json()["syncRequests"] == {AWAITING: 1}
    (_, first, *_), (_, second, *_) = hub.came
    assert (again["syncRequestId"], first["premiseId"]) == (key, second["premiseId"])
    assert [point["spType"] for point in first["servicePoints"]] == ["E-EVC", "E-EVC"]
    assert [point["spType"] for point in second["servicePoints"]] == ["E-RES", "G-RES"]


def test_the_catalog_is_there(ccb):
    catalog = requests.get(f"{ccb.url}/openapi.json", auth=USER, timeout=5).json()
    names = {one["operationId"] for item in catalog["paths"].values() for one in item.values()}
    assert names == set(ccb.does) == {"F1-SyncRequest", "F1-HealthCheckRest"}
