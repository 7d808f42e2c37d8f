"""CPMCS checks what it is sent by its own schemas, keeps it, and does no keyed call twice (seed 002)."""

import hashlib
import socket
import threading

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from demo.control import Control
from demo.cpmcs import CATALOG, Cpmcs
from demo.cpmcs_messages import (
    AGGREGATOR,
    DEVICE_STATUS,
    ENROLMENT,
    FLOWS,
    OPT_OUT,
    PROGRAM_RULES,
    UNAVAILABILITY,
    aggregator,
    device_status,
    enrolment,
    opt_out,
    program_rules,
    send,
    unavailability,
)
from demo.derms_devices import device, devices
from demo.http import Answer
from demo.hub_caller import Hub
from demo.idempotent import Idempotent
from demo.neighbour import HttpNeighbour
from demo.operations import Catalog
from demo.quick_check import quick_check
from demo.sync_requests import AWAITING, ERROR, SYNCHRONISED

USER = ("HUB", "cpmcs-password")
ASSETS, SERVICE = "/rest/apis/cross/digitalAssets", "/rest/apis/cross/service"
ENROL, ACK = f"{ASSETS}/programEnrollments/enroll", f"{ASSETS}/programEnrollments/postAcknowledgement"
STATUS, EVENT = f"{ASSETS}/controllableDeviceStatus/response", f"{SERVICE}/programEvent/"
LIFECYCLE = f"{SERVICE}/programEvent/lifecycle"
RESERVE = f"{SERVICE}/programEventParticipation/reserveDevice"
OUTCOME = f"{SERVICE}/programEventParticipation/postEventOutcome"
SYNC, HEALTH = "/rest/apis/common/sync/syncRequest", "/rest/apis/common/system/healthCheck/"
START, END = "2026-07-01T18:00:00Z", "2026-07-01T22:00:00.000Z"

EXCEPTION = {
    "messageCategory": 11114,
    "messageNumber": 11001,
    "messageParameters": [{"parameterSequence": 1, "messageParameterValue": "No such device"}],
    "comments": "No such device",
}
REQUEST = {
    "transactionId": "m-1",
    "enrollmentSource": "X1CC",
    "customerInfo": {"cisPersonId": "1", "cisAccountId": "2", "name": "Elin Brightwater"},
    "programInfo": {"programCode": "SMART_THERMOSTAT", "startDate": "2026-07-01"},
    "locationInfo": {"division": "EAST", "cisPremiseId": "3"},
    "assetInfo": {
        "assetList": [{"sequence": 1, "assetId": "1", "specification": "T3", "assetType": "THERMOSTAT"}],
        "assetOwnership": "W1CO",
        "installationMethod": "X1SI",
    },
}
ACKNOWLEDGEMENT = {
    "syncRequestId": "20000000000001",
    "hasError": False,
    "deviceHeadendStatus": [{"deviceId": "000000000001", "headEndRegistration": "D1RE"}],
}
RESPONSE = {"responseDetail": {"transactionID": "c-1", "result": {"status": "SUCCESS"}}}
CREATED = {
    "eventExternalIdentifier": "E1",
    "externalIdentifier": "S1",
    "programExternalIdentifier": "1234512345",
    "programEventCategory": "X1EC",
    "startDateTime": START,
    "endDateTime": END,
}
ACTION = {"action": "X1IP", "eventExternalIdentifier": "E1"}
RESERVED = {
    "eventExternalIdentifier": "E1",
    "eventStartDateTime": START,
    "eventEndDateTime": END,
    "deviceList": [{"headEndSystem": "ECOBEE", "nicId": "N1"}],
}
CAME_OUT = {
    "eventExternalIdentifier": "E1",
    "headEndSystem": "ECOBEE",
    "nicId": "N1",
    "outcome": "D1SP",
    "participationStartDateTime": START,
    "participationEndDateTime": END,
}
CHUNK = "Transfer-Encoding: chunked\r\n\r\n5\r\n{}"
SCHEMAS = Catalog(CATALOG)
OUTCOMES = {"postOutcomeList": [CAME_OUT]}


@pytest.fixture
def cpmcs():
    with Cpmcs(username=USER[0], password=USER[1], slow_seconds=0.3) as running:
        yield running


def call(cpmcs, path, body, *, key="", method="POST", auth=USER, timeout=5):
    headers = {"Idempotency-Key": key} if key else {}
    return requests.request(method, cpmcs.url + path, json=body, headers=headers, auth=auth, timeout=timeout)


def acknowledge(cpmcs, key, **message):
    body = {"syncRequestId": key, "hasError": False, **message}
    return call(cpmcs, f"{SYNC}/{key}", body, method="PATCH")


def test_an_enrolment_is_pending_under_an_id_of_its_own(cpmcs):
    first, second = (call(cpmcs, ENROL, REQUEST).json() for _ in range(2))
    assert (first["status"], first["enrollmentId"] != second["enrollmentId"]) == ("PENDING", True)
    assert [one.id for one in cpmcs.records.enrolments()] == [first["enrollmentId"], second["enrollmentId"]]
    assert cpmcs.records.enrolments()[0].request == REQUEST


# Seed 002, Enrolment Request: "If CPMCS returns an ERROR, store the error in the response collection".
def test_an_unknown_program_is_a_business_no(cpmcs):
    body = {**REQUEST, "programInfo": {**REQUEST["programInfo"], "programCode": "WINDMILL"}}
    answer = call(cpmcs, ENROL, body)
    assert answer.status_code == 400
    assert "there is no program 'WINDMILL'" in answer.json()["detail"]
    assert cpmcs.records.enrolments() == []


def test_the_programs_it_knows_can_be_said():
    with Cpmcs(programs=["WINDMILL"]) as running:
        assert call(running, ENROL, REQUEST).status_code == 400
        body = {**REQUEST, "programInfo": {**REQUEST["programInfo"], "programCode": "WINDMILL"}}
        assert call(running, ENROL, body).status_code == 200


def test_an_enrolment_acknowledgement_is_kept_and_synchronises(cpmcs):
    key = cpmcs.sync_request(ENROLMENT)
    assert call(cpmcs, ACK, {**ACKNOWLEDGEMENT, "syncRequestId": key}).status_code == 200
    assert cpmcs.records.acknowledgements()[key][0]["deviceHeadendStatus"][0]["headEndRegistration"] == "D1RE"
    assert cpmcs.sync_requests.find()[0].status == SYNCHRONISED


def test_a_negative_enrolment_acknowledgement_is_an_error_with_its_text(cpmcs):
    key = cpmcs.sync_request(ENROLMENT)
    body = {**ACKNOWLEDGEMENT, "syncRequestId": key, "hasError": True, "exceptionInfo": [EXCEPTION]}
    assert call(cpmcs, ACK, body).status_code == 200
    (found,) = cpmcs.sync_requests.find(ERROR)
    assert found.texts == ["No such device"]


def test_an_acknowledgement_that_comes_twice_is_kept_twice(cpmcs):
    for _ in range(2):
        assert call(cpmcs, ACK, ACKNOWLEDGEMENT).status_code == 200
    assert len(cpmcs.records.acknowledgements()["20000000000001"]) == 2


@pytest.mark.parametrize("name", ["transactionID", "transactionId"])
@pytest.mark.parametrize(("status", "bo_status"), [("SUCCESS", "COMPLETED"), ("FAILURE", "FAILED")])
def test_a_device_status_is_kept_and_answered_with_its_communication(cpmcs, name, status, bo_status):
    body = {"responseDetail": {name: "c-9", "result": {"status": status}}}
    assert call(cpmcs, STATUS, body).json() == {"communicationId": "c-9", "boStatus": bo_status}
    assert cpmcs.records.statuses() == {"c-9": [status]}


def test_a_program_event_is_created_and_moved_on(cpmcs):
    assert call(cpmcs, EVENT, CREATED).status_code == 200
    assert cpmcs.records.events()["E1"].status == "scheduled"
    assert call(cpmcs, LIFECYCLE, ACTION).json()["status"] == "in progress"
    body = {**ACTION, "action": "F1CN", "cancelReason": "Rain"}
    assert call(cpmcs, LIFECYCLE, body).json()["status"] == "cancelled"
    assert [one["action"] for one in cpmcs.records.events()["E1"].actions] == ["X1IP", "F1CN"]


def test_an_action_on_an_event_that_was_never_created_is_not_found(cpmcs):
    answer = call(cpmcs, LIFECYCLE, ACTION)
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no program event E1")


def test_a_stage_has_one_event_and_an_event_may_have_more_stages(cpmcs):
    bodies = (CREATED, CREATED, {**CREATED, "externalIdentifier": "S2"})
    assert [call(cpmcs, EVENT, body).status_code for body in bodies] == [200, 409, 200]
    assert list(cpmcs.records.events()["E1"].stages) == ["S1", "S2"]


def test_reserved_devices_are_counted_and_one_that_comes_twice_is_doubled(cpmcs):
    second = {**RESERVED["deviceList"][0], "nicId": "N2"}
    call(cpmcs, RESERVE, RESERVED)
    call(cpmcs, RESERVE, {**RESERVED, "deviceList": [*RESERVED["deviceList"], second]})
    reservations = cpmcs.records.reservations
    assert (reservations.count("E1"), reservations.doubled("E1"), reservations.doubled()) == (2, 1, 1)
    assert set(reservations.of("E1")) == {("ECOBEE", "N1"), ("ECOBEE", "N2")}


def test_a_device_in_another_window_or_event_is_not_doubled(cpmcs):
    own = {**RESERVED["deviceList"][0], "reservationStartDateTime": START, "reservationEndDateTime": START}
    call(cpmcs, RESERVE, RESERVED)
    call(cpmcs, RESERVE, {**RESERVED, "deviceList": [own]})
    call(cpmcs, RESERVE, {**RESERVED, "eventExternalIdentifier": "E2"})
    reservations = cpmcs.records.reservations
    assert [reservations.count(event) for event in reservations.events()] == [2, 1]
    assert reservations.doubled() == 0


def test_outcomes_are_kept_by_device(cpmcs):
    body = {"postOutcomeList": [CAME_OUT, {**CAME_OUT, "nicId": "N2", "outcome": "D1ND"}]}
    assert call(cpmcs, OUTCOME, body).status_code == 200
    assert cpmcs.records.outcomes.of("E1") == {("ECOBEE", "N1"): "D1SP", ("ECOBEE", "N2"): "D1ND"}
    call(cpmcs, OUTCOME, OUTCOMES)
    assert cpmcs.records.outcomes.doubled("E1") == 1


def test_a_device_that_took_no_part_has_no_times(cpmcs):
    named = ("eventExternalIdentifier", "headEndSystem", "nicId")
    outcome = {name: CAME_OUT[name] for name in named} | {"outcome": "D1ER", "errorMessage": "No answer"}
    assert call(cpmcs, OUTCOME, {"postOutcomeList": [outcome]}).status_code == 200
    assert cpmcs.records.outcomes.of("E1") == {("ECOBEE", "N1"): "D1ER"}


def test_a_sync_request_is_acknowledged_once(cpmcs):
    key = cpmcs.sync_request(PROGRAM_RULES)
    assert cpmcs.sync_requests.find(AWAITING)[0].entity == PROGRAM_RULES
    assert [acknowledge(cpmcs, key).status_code for _ in range(2)] == [200, 400]
    assert cpmcs.sync_requests.find()[0].status == SYNCHRONISED


def test_a_sync_request_can_be_in_error(cpmcs):
    key = cpmcs.sync_request(AGGREGATOR)
    assert acknowledge(cpmcs, key, hasError=True, exceptionInfo=[EXCEPTION]).status_code == 200
    assert cpmcs.sync_requests.find(ERROR)[0].id == key


@pytest.mark.parametrize(("key", "status"), [("99", 404), ("20000000000001", 400)])
def test_a_sync_request_of_another_id_is_refused(cpmcs, key, status):
    cpmcs.sync_request(AGGREGATOR)
    said = "99" if status == 404 else "20000000000002"
    assert acknowledge(cpmcs, key, syncRequestId=said).status_code == status


def test_the_health_check_answers(cpmcs):
    answer = call(cpmcs, HEALTH, None, method="GET")
    assert (answer.status_code, answer.json()["healthOverallResponse"]) == (200, 200)


REFUSALS = [
    (ENROL, {**REQUEST, "transactionId": "x" * 121}, "transactionId"),
    (ENROL, {**REQUEST, "enrollmentSource": "PHONE"}, "enrollmentSource"),
    (ENROL, {key: value for key, value in REQUEST.items() if key != "assetInfo"}, "assetInfo"),
    (ENROL, {**REQUEST, "programInfo": {"programCode": "BATTERY", "startDate": START}}, "startDate"),
    (ENROL, {**REQUEST, "customerInfo": {"homePhone": "5" * 25}}, "customerInfo/homePhone"),
    (ENROL, {**REQUEST, "assetInfo": {"assetList": []}}, "assetInfo/assetList"),
    (ENROL, {**REQUEST, "messageId": "m-1"}, "messageId"),
    (ACK, {**ACKNOWLEDGEMENT, "syncRequestId": "1" * 15}, "syncRequestId"),
    (ACK, {**ACKNOWLEDGEMENT, "hasError": True}, "exceptionInfo"),
    (ACK, {**ACKNOWLEDGEMENT, "deviceHeadendStatus": [{"deviceId": "1"}]}, "deviceHeadendStatus/0"),
    (
        ACK,
        {**ACKNOWLEDGEMENT, "deviceHeadendStatus": [{"deviceId": "1", "headEndRegistration": "REGISTERED"}]},
        "deviceHeadendStatus/0/headEndRegistration",
    ),
    (
        ACK,
        {**ACKNOWLEDGEMENT, "hasError": True, "exceptionInfo": [{**EXCEPTION, "comments": "x" * 255}]},
        "exceptionInfo/0/comments",
    ),
    (STATUS, {"responseDetail": {"result": {"status": "SUCCESS"}}}, "responseDetail"),
    (STATUS, {"responseDetail": {"transactionID": "1", "result": {"status": "OK"}}}, "result/status"),
    (EVENT, {**CREATED, "programEventCategory": "ECONOMIC"}, "programEventCategory"),
    (EVENT, {**CREATED, "startDateTime": "2026-07-01"}, "startDateTime"),
    (EVENT, {**CREATED, "externalIdentifier": ""}, "externalIdentifier"),
    (LIFECYCLE, {**ACTION, "action": "CANCEL"}, "action"),
    (LIFECYCLE, {**ACTION, "cancelReason": "x" * 255}, "cancelReason"),
    (RESERVE, {**RESERVED, "deviceList": [{"headEndSystem": "x" * 51, "nicId": "1"}]}, "headEndSystem"),
    (RESERVE, {**RESERVED, "deviceList": [{"nicId": "1"}]}, "deviceList/0"),
    (RESERVE, {**RESERVED, "deviceList": []}, "deviceList"),
    (
        OUTCOME,
        {"postOutcomeList": [CAME_OUT, {**CAME_OUT, "outcome": "OVERRIDE"}]},
        "postOutcomeList/1/outcome",
    ),
    (OUTCOME, {"postOutcomeList": [{**CAME_OUT, "errorMessage": "x" * 101}]}, "errorMessage"),
    (OUTCOME, [CAME_OUT], "the message"),
]


@pytest.mark.parametrize(("path", "body", "named"), REFUSALS)
def test_what_its_schemas_do_not_allow_is_refused_and_the_place_named(cpmcs, path, body, named):
    answer = call(cpmcs, path, body)
    assert answer.status_code == 400
    assert named in answer.json()["detail"]
    assert cpmcs.summary() == Cpmcs().summary()


def test_a_refusal_names_a_few_places_and_stays_short(cpmcs):
    body = {**RESERVED, "deviceList": [{"headEndSystem": "x" * 5000}] * 200}
    assert len(call(cpmcs, RESERVE, body).json()["detail"]) < 5000


def test_a_body_that_is_not_json_is_refused(cpmcs):
    answer = requests.post(cpmcs.url + ENROL, data=b"{", auth=USER, timeout=5)
    assert (answer.status_code, "not JSON" in answer.json()["detail"]) == (400, True)


def test_the_wrong_password_is_refused(cpmcs):
    assert call(cpmcs, ENROL, REQUEST, auth=("HUB", "wrong")).status_code == 401
    assert cpmcs.records.enrolments() == []


def test_another_method_or_place_is_refused(cpmcs):
    answer = call(cpmcs, ENROL, None, method="GET")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert call(cpmcs, f"{ASSETS}/nothing", {}).status_code == 404


def test_the_catalog_has_every_operation(cpmcs):
    catalog = call(cpmcs, "/openapi.json", None, method="GET").json()
    names = {one["operationId"] for item in catalog["paths"].values() for one in item.values()}
    assert names == set(cpmcs.does)
    assert catalog["servers"] == [{"url": cpmcs.url}]


@pytest.mark.parametrize(
    ("path", "body"), [(ENROL, REQUEST), (RESERVE, RESERVED), (OUTCOME, OUTCOMES), (EVENT, CREATED)]
)
def test_a_key_it_has_seen_is_answered_as_before_and_changes_nothing(cpmcs, path, body):
    first = call(cpmcs, path, body, key="1:a")
    before = cpmcs.summary()
    cpmcs.reset()
    second = call(cpmcs, path, body, key="1:a")
    assert (second.status_code, second.json()) == (200, first.json())
    assert cpmcs.summary() == {**before, "repeats": 1}
    assert [entry["status"] for entry in cpmcs.received()] == [200]


def test_the_same_key_at_once_is_done_once(cpmcs):
    threads = [
        threading.Thread(target=call, args=(cpmcs, RESERVE, RESERVED), kwargs={"key": "1:b"}, daemon=True)
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert cpmcs.records.reservations.doubled() == 0
    assert cpmcs.idempotent.repeats == 7


def test_a_refused_key_works_when_the_cause_is_put_right(cpmcs):
    assert call(cpmcs, LIFECYCLE, ACTION, key="1:c").status_code == 404
    call(cpmcs, EVENT, CREATED)
    assert call(cpmcs, LIFECYCLE, ACTION, key="1:c").status_code == 200


def test_what_was_cut_off_has_happened_and_its_key_is_known(cpmcs):
    cpmcs.fail("cut", 1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        call(cpmcs, RESERVE, RESERVED, key="1:d")
    assert call(cpmcs, RESERVE, RESERVED, key="1:d").status_code == 200
    reservations = cpmcs.records.reservations
    assert (reservations.count("E1"), reservations.doubled()) == (1, 0)


def test_only_so_many_keys_are_remembered():
    idempotent, done = Idempotent(most=2), []
    for key in ("a", "b", "a", "c", "b", "a"):
        idempotent.once(key, lambda key=key: Answer(200, done.append(key)), settles=lambda _: True)
    assert done == ["a", "b", "c", "b", "a"]


@pytest.mark.parametrize("path", [ENROL, ACK, STATUS, EVENT, RESERVE, OUTCOME])
@pytest.mark.parametrize("mode", ["401", "500", "400"])
def test_status_modes_strike_every_operation_and_change_nothing(cpmcs, path, mode):
    cpmcs.fail(mode, 1)
    assert call(cpmcs, path, {}).status_code == int(mode)
    assert cpmcs.summary() == Cpmcs().summary()


def test_down_and_slow_strike_too(cpmcs):
    cpmcs.fail("down", 1)
    with pytest.raises(requests.ConnectionError):
        call(cpmcs, ENROL, REQUEST)
    assert cpmcs.records.enrolments() == []
    cpmcs.fail("slow", 1)
    with pytest.raises(requests.ReadTimeout):
        call(cpmcs, ENROL, REQUEST, timeout=0.1)


def test_received_has_method_path_body_and_status(cpmcs):
    call(cpmcs, LIFECYCLE, ACTION)
    (entry,) = cpmcs.received()
    assert (entry["method"], entry["path"], entry["body"], entry["status"]) == (
        "POST",
        LIFECYCLE,
        ACTION,
        404,
    )


def test_a_large_body_is_not_kept_whole(cpmcs):
    listed = [{"headEndSystem": "ECOBEE", "nicId": one.nic} for one in devices(2000)]
    answer = call(cpmcs, RESERVE, {**RESERVED, "deviceList": listed})
    (entry,) = cpmcs.received()
    sent = answer.request.body
    assert (answer.status_code, len(entry["body"]["begins"])) == (200, 2000)
    assert (entry["body"]["size"], entry["body"]["sha256"]) == (len(sent), hashlib.sha256(sent).hexdigest())
    assert cpmcs.records.reservations.count("E1") == 2000


def test_text_is_received_as_text_and_what_is_longer_is_cut(cpmcs):
    for text in ("plain", "x" * 2001):
        requests.post(cpmcs.url + ENROL, data=text, auth=USER, timeout=5)
    short, long = (entry["body"] for entry in cpmcs.received())
    assert (short, long["size"], long["begins"]) == ("plain", 2001, "x" * 2000)


def test_a_body_beyond_all_bounds_is_refused_and_not_cut_short(cpmcs, monkeypatch):
    monkeypatch.setattr("demo.http._BODY_LIMIT", 50)
    assert call(cpmcs, RESERVE, RESERVED).status_code == 413
    assert cpmcs.records.reservations.events() == []


@pytest.mark.parametrize(
    "head", ["Content-Length: 500\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n", CHUNK]
)
def test_a_caller_that_ends_in_the_middle_of_its_body_has_sent_nothing(cpmcs, head):
    with socket.create_connection((cpmcs.host, cpmcs.port), timeout=5) as caller:
        caller.sendall(f"POST {RESERVE} HTTP/1.1\r\nHost: x\r\n{head}".encode())
        caller.shutdown(socket.SHUT_WR)
        assert caller.recv(1000) == b""
    assert cpmcs.received() == []


NICE = {"A", "D1SP", "x" * 60, START, END, "2026-07-01", "", "E1"}
VALUES = st.sampled_from(sorted(NICE)) | st.none() | st.integers() | st.booleans() | st.text(max_size=3)


@settings(max_examples=300, deadline=None)
@given(
    item=st.dictionaries(st.sampled_from([*CAME_OUT, "errorMessage", "other"]), VALUES),
    kept=st.booleans(),
)
def test_the_first_look_never_passes_what_the_validator_would_refuse(item, kept):
    message = {"postOutcomeList": [{**CAME_OUT, **item} if kept else item]}
    passed = SCHEMAS.wrong("Outcomes", message) == ""
    validator = Draft202012Validator({"$ref": "#/components/schemas/Outcomes", **SCHEMAS.document})
    assert passed == validator.is_valid(message)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"]},
        {"type": "string", "format": "date"},
        {"type": "object", "properties": {}},
        {"type": "array"},
        {"type": "number"},
        {"enum": [1]},
        {},
    ],
)
def test_the_first_look_leaves_what_it_does_not_know_to_the_validator(schema):
    check = quick_check(schema, {})
    assert not any(check(value) for value in ("a", {}, [1], 1, None))


def test_its_control_makes_sync_requests_and_counts(cpmcs):
    with Control({"cpmcs": cpmcs}, {"cpmcs": cpmcs.actions}) as control:
        url = control.url_of("cpmcs")
        key = requests.post(f"{url}/sync-request", json={"kind": AGGREGATOR}, timeout=5).json()[
            "syncRequestId"
        ]
        acknowledge(cpmcs, key)
        summary = requests.post(f"{url}/summary", timeout=5).json()
    assert summary["syncRequests"] == {key: SYNCHRONISED}


def test_sync_requests_last_over_a_restart(tmp_path):
    key = Cpmcs(kept=tmp_path).sync_request(AGGREGATOR)
    again = Cpmcs(kept=tmp_path)
    assert [one.id for one in again.sync_requests.find(AWAITING)] == [key]
    assert again.sync_request(AGGREGATOR) > key


class TakesAll(HttpNeighbour):
    """Stands in for the hub."""

    def handle(self, call):
        return Answer(200, {"externalId": "1"}, {"X-Busbar-Instance": "i-1"})


@pytest.fixture
def hub():
    with TakesAll(username="CPMCS", password="secret") as running:
        yield running


MESSAGES = {
    ENROLMENT: enrolment("20000000000001", devices(2)),
    DEVICE_STATUS: device_status("c-1", device(0)),
    OPT_OUT: opt_out("c-2", "E1", device(1), preemptive=False),
    UNAVAILABILITY: unavailability("c-3", device(2)),
    PROGRAM_RULES: program_rules("20000000000002"),
    AGGREGATOR: aggregator("20000000000003"),
}


@pytest.mark.parametrize("kind", FLOWS)
def test_each_message_goes_to_its_flow(hub, kind):
    answer = send(Hub(hub.url, "CPMCS", "secret"), kind, MESSAGES[kind])
    assert (answer.status, answer.instance) == (200, "i-1")
    (entry,) = hub.received()
    path = f"/ic/api/integration/v1/flows/oracleutilities/{FLOWS[kind]}/1.0/{kind}"
    assert (entry["path"], entry["body"]) == (path, MESSAGES[kind])


def test_a_hub_that_is_not_there_or_refuses_is_told_as_it_is(hub):
    assert send(Hub(hub.url, "CPMCS", "wrong"), OPT_OUT, MESSAGES[OPT_OUT]).status == 401
    hub.fail("down", 1)
    answer = send(Hub(hub.url, "CPMCS", "secret"), OPT_OUT, MESSAGES[OPT_OUT])
    assert (answer.status, "ConnectionError" in answer.body) == (None, True)


def test_the_log_in_is_shown_nowhere():
    assert "secret" not in repr(Hub("http://hub", "CPMCS", "secret"))


@pytest.mark.parametrize(
    ("action", "has_subscription", "status"),
    [("ENROLL", True, "ACTIVE"), ("UNENROLL", True, "REMOVED"), ("DER_REGISTRATION", False, "ACTIVE")],
)
def test_an_enrolment_message_says_what_became_of_the_devices(action, has_subscription, status):
    details = enrolment("1", devices(1), action=action)["sendDetails"]
    assert ("subscriptionInfo" in details) == has_subscription
    assert details["locationInfo"]["controllableDevices"][0]["status"] == status


def test_a_replaced_device_is_named():
    details = enrolment("1", devices(1, first=5), action="REPLACE_DEVICE", replaces=device(4).id)[
        "sendDetails"
    ]
    assert details["locationInfo"]["controllableDevices"][0]["replacesDeviceId"] == "000000000005"
