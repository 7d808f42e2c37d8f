"""DERMS takes what it is sent, answers with a MsgAck, and sends again what failed (seed 002)."""

import csv
import hashlib
import io
import json
from email import message_from_bytes
from email.policy import HTTP

import pytest
import requests

from demo import derms_files
from demo.control import Control
from demo.cpmcs import Cpmcs
from demo.derms import BASE, Derms
from demo.derms_devices import device, devices, nic_of
from demo.derms_messages import (
    ENROLMENT_ACK,
    ENROLMENT_REQUEST,
    NETWORK_MODEL,
    OUTCOMES,
    RESERVATION,
    STAGE_STATUS,
    STATUS_ACK,
    SYNC_ACK,
    enrolment_request,
    enrolment_requests,
    iso,
    network_model,
    outcomes,
    reservation,
    stage_status,
    sync_ack,
)
from demo.http import Answer
from demo.hub_caller import Attached, Hub
from demo.neighbour import HttpNeighbour, wait_for
from demo.ouai_files import load_forecast

USER = ("HUB", "derms-password")
TIME = "2026-07-01T18:00:00.000Z"
LISTED = {"deviceId": "000000000001", "deviceType": "THERMOSTAT", "specification": "T3", "status": "ACTIVE"}
SUBSCRIPTION = {"subscriptionId": "3", "programCode": "BATTERY", "startDateTimeISO": TIME}
ENROL = {
    "dacsMessageId": "20000000000001",
    "contactInfo": {"contactId": "1", "cisPersonId": "2"},
    "subscriptionInfo": SUBSCRIPTION,
    "locationInfo": {
        "division": "EAST",
        "servicePointId": "4",
        "controllableDevices": [
            {**LISTED, "nicId": nic_of(0), "headEndSystem": "ECOBEE"},
            {**LISTED, "deviceId": "000000000002", "nicId": nic_of(1), "status": "REMOVED"},
        ],
    },
}
CHECK = {
    "dacsMessageId": "c-1",
    "deviceInfo": {"division": "EAST", "headEndSystem": "ECOBEE", "nicid": nic_of(0)},
}
DEVICE = {"nicId": nic_of(0), "headEndSystem": "ECOBEE"}
LEAVES = {"dacsMessageId": "c-2", "optOutType": "EVENT", "eventId": "E1", "device": DEVICE, "optOut": True}
AWAY = {
    "dacsMessageId": "c-3",
    "optOutType": "UNAVAILABLE",
    "device": DEVICE,
    "startDateTimeISO": TIME,
    "endDateTimeISO": TIME,
}
RULE = {"ruleId": "1", "cycleFrequency": "MONTHLY", "allowEventDays": "ALL", "weekDays": ["MONDAY"]}
PROGRAM = {
    "dacsMessageId": "20000000000002",
    "program": {"programId": "1", "programCode": "BATTERY", "startDateTimeISO": TIME, "status": "ACTIVE"},
    "rules": [RULE],
}
AGGREGATOR = {
    "dacsMessageId": "20000000000003",
    "aggregator": {"aggregatorId": "A", "name": "Flexible Homes", "status": "ACTIVE"},
}
ACK = {
    "messageId": "m-1",
    "ackType": "SUCCESS",
    "whenISO": TIME,
    "responses": {"response": [{"id": "E1", "responseCode": "SUCCESS", "value": ""}]},
}
OPERATIONS = {
    "enroll": ("/enroll", ENROL),
    "statusCheck": ("/status-check", CHECK),
    "dacsOptOut": ("/dacs-opt-out", LEAVES),
    "updateProgram": ("/update-program", PROGRAM),
    "updateAggregator": ("/update-aggregator", AGGREGATOR),
    "deviceReservationAck": ("/device-reservation-ack", ACK),
    "deviceOutcomeAck": ("/device-outcome-ack", ACK),
}


class TakesAll(HttpNeighbour):
    """Stands in for the hub: keeps the messages and files that came, in order."""

    def __init__(self, **how):
        super().__init__(**how)
        self.came = []

    def handle(self, call):
        self.came.append((call.path, *parts_of(call)))
        return Answer(202, {"status": "RECEIVED"}, {"X-Busbar-Instance": f"i-{len(self.came)}"})


def parts_of(call):
    """The message of a call, and its file's name and content where it has one."""
    kind = call.headers["content-type"]
    if not kind.startswith("multipart/form-data"):
        return call.json(), None, None
    whole = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + call.body, policy=HTTP)
    parts = {part.get_param("name", header="content-disposition"): part for part in whole.iter_parts()}
    file = parts["file"]
    return (
        json.loads(parts["request"].get_payload(decode=True)),
        file.get_filename(),
        file.get_payload(decode=True),
    )


@pytest.fixture
def hub():
    with TakesAll(username="DERMS", password="secret", slow_seconds=0.3) as running:
        yield running


@pytest.fixture
def derms():
    with Derms(username=USER[0], password=USER[1], slow_seconds=0.3) as running:
        yield running


@pytest.fixture
def answering(hub):
    """A DERMS that speaks to the hub by itself, and soon."""
    with Derms(
        hub=Hub(hub.url, "DERMS", "secret"),
        answers=True,
        unreachable=[nic_of(7)],
        retry_seconds=0.03,
        answer_seconds=0.03,
        max_tries=5,
    ) as running:
        yield running


def post(derms, path, body, *, key="", auth=USER, timeout=5):
    headers = {"Idempotency-Key": key} if key else {}
    return requests.post(derms.url + BASE + path, json=body, headers=headers, auth=auth, timeout=timeout)


def score(derms, name, content, *, key="", place="device-score"):
    headers = {"Content-Type": "application/octet-stream", **({"Idempotency-Key": key} if key else {})}
    url = f"{derms.url}{BASE}/{place}/{name}"
    return requests.post(url, data=content, headers=headers, auth=USER, timeout=5)


def forecast(derms, name, content, *, key=""):
    return score(derms, name, content, key=key, place="load-reduction-forecast")


def quiet(came, count, *, seconds=0.3):
    """Whether `came()` has so many entries, and gets no more."""
    return wait_for(lambda: len(came()) >= count, seconds=5) and not wait_for(
        lambda: len(came()) > count, seconds=seconds
    )


def ack(messages, ack_type="FAILURE"):
    return {**ACK, "messageId": messages, "ackType": ack_type}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_message_is_kept_and_answered_with_a_positive_msgack(derms, operation):
    path, body = OPERATIONS[operation]
    answer = post(derms, path, body)
    message = answer.json()
    (response,) = message["responses"]["response"]
    assert (answer.status_code, message["ackType"], response["responseCode"]) == (200, "SUCCESS", "SUCCESS")
    assert response["id"] == body.get("dacsMessageId", body.get("messageId"))
    assert derms.operations.wrong("MsgAck", message) == ""
    assert derms.records.messages(operation) == [body]


@pytest.mark.parametrize("ack_type", ["ERROR", "FAILURE"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_says_what_it_is_told_to_and_takes_nothing_meanwhile(derms, operation, ack_type):
    path, body = OPERATIONS[operation]
    derms.say(ack_type, 2)
    answers = [post(derms, path, body, key="1:a") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["ackType"] for answer in answers] == [ack_type, ack_type, "SUCCESS"]
    assert len(derms.records.messages(operation)) == 1


def test_its_control_has_it_say_so_and_a_reset_ends_it(derms):
    with Control({"derms": derms}, {"derms": derms.actions}) as control:
        url = control.url_of("derms")
        requests.post(f"{url}/say", json={"ackType": "FAILURE"}, timeout=5)
        said = [post(derms, "/enroll", ENROL).json()["ackType"] for _ in range(2)]
        assert requests.post(f"{url}/say", json={"ackType": "PERHAPS"}, timeout=5).status_code == 400
        requests.post(f"{url}/reset", timeout=5)
    assert said == ["FAILURE", "FAILURE"]
    assert post(derms, "/enroll", ENROL).json()["ackType"] == "SUCCESS"


def test_a_registration_has_no_subscription(derms):
    body = {key: value for key, value in ENROL.items() if key != "subscriptionInfo"}
    assert post(derms, "/enroll", body).status_code == 200


def test_an_absence_is_taken(derms):
    assert post(derms, "/dacs-opt-out", AWAY).status_code == 200
    assert derms.records.messages("dacsOptOut") == [AWAY]


def without(body, name):
    return {key: value for key, value in body.items() if key != name}


REFUSALS = [
    ("/enroll", without(ENROL, "dacsMessageId"), "dacsMessageId"),
    ("/enroll", {**ENROL, "locationInfo": {"servicePointId": "4", "controllableDevices": []}}, "Devices"),
    ("/enroll", {**ENROL, "subscriptionInfo": {"subscriptionId": "3"}}, "subscriptionInfo"),
    (
        "/enroll",
        {
            **ENROL,
            "subscriptionInfo": {**SUBSCRIPTION, "endDateTimeISO": "2026-07-01T14:00:00-04:00"},
        },
        "subscriptionInfo/endDateTimeISO",
    ),
    ("/enroll", {**ENROL, "sendDetails": {}}, "sendDetails"),
    ("/status-check", {**CHECK, "deviceInfo": {"headEndSystem": "A", "nicId": "1"}}, "nicid"),
    ("/dacs-opt-out", without(LEAVES, "eventId"), "eventId"),
    ("/dacs-opt-out", without(AWAY, "endDateTimeISO"), "endDateTimeISO"),
    ("/dacs-opt-out", {**LEAVES, "optOutType": "HOLIDAY"}, "optOutType"),
    ("/dacs-opt-out", {**LEAVES, "optOut": "D1YS"}, "optOut"),
    ("/update-program", {**PROGRAM, "rules": [{**RULE, "weekDays": ["MO"]}]}, "rules/0/weekDays/0"),
    ("/update-program", {**PROGRAM, "rules": [{**RULE, "cycleFrequency": "MTH"}]}, "cycleFrequency"),
    ("/update-aggregator", {**AGGREGATOR, "aggregator": {"aggregatorId": "A"}}, "aggregator"),
    ("/device-reservation-ack", {**ACK, "ackType": "ERROR"}, "ackType"),
    ("/device-outcome-ack", {**ACK, "responses": {"response": []}}, "responses/response"),
    ("/device-outcome-ack", {**ACK, "whenISO": "2026-07-01T18:00:00Z"}, "whenISO"),
]


@pytest.mark.parametrize(("path", "body", "named"), REFUSALS)
def test_what_its_schemas_do_not_allow_is_refused_and_the_place_named(derms, path, body, named):
    answer = post(derms, path, body)
    assert answer.status_code == 400
    assert named in answer.json()["detail"]
    assert derms.summary() == Derms().summary()


@pytest.mark.parametrize("status", [200, 202])
def test_a_score_file_is_kept_by_name_size_and_digest(derms, status):
    derms.score_status = status
    content = bytes(range(256)) * 40
    answer = score(derms, "SDCSE%20July.csv", content)
    kept = derms.records.scores()["SDCSE July.csv"]
    assert (answer.status_code, answer.json()["ackType"]) == (status, "SUCCESS")
    assert (kept.size, kept.sha256, kept.times) == (len(content), hashlib.sha256(content).hexdigest(), 1)
    (entry,) = derms.received()
    assert (entry["body"]["size"], entry["body"]["sha256"]) == (kept.size, kept.sha256)


def test_a_score_file_that_comes_again_is_counted_unless_its_key_is_known(derms):
    for key in ("1:a", "1:a", "2:a"):
        assert score(derms, "SDCSE.csv", b"nicId,score\n", key=key).status_code == 200
    assert derms.records.scores()["SDCSE.csv"].times == 2


@pytest.mark.parametrize("ack_type", ["ERROR", "FAILURE"])
def test_a_score_file_can_be_refused_with_200(derms, ack_type):
    derms.say(ack_type, 1)
    assert score(derms, "SDCSE.csv", b"1").json()["ackType"] == ack_type
    assert derms.records.scores() == {}


def test_an_empty_score_file_is_refused(derms):
    assert score(derms, "SDCSE.csv", b"").status_code == 400


# Seed 003, Load Reduction Forecast: "send the file as a binary attachment", "check the Acknowledge Type".
def test_a_forecast_is_kept_by_name_size_and_digest_apart_from_the_scores(derms):
    derms.score_status = 202
    content = b"".join(load_forecast(40))
    answer = forecast(derms, "ouai.load_forecast%201.csv", content)
    kept = derms.forecasts.scores()["ouai.load_forecast 1.csv"]
    assert (answer.status_code, answer.json()["ackType"]) == (200, "SUCCESS")
    assert derms.operations.wrong("MsgAck", answer.json()) == ""
    assert (kept.size, kept.sha256, kept.times) == (len(content), hashlib.sha256(content).hexdigest(), 1)
    assert (derms.records.scores(), derms.summary()["forecasts"]) == ({}, {kept.name: kept.sha256})


def test_a_forecast_that_comes_again_is_counted_unless_its_key_is_known(derms):
    for key in ("1:a", "1:a", "2:a"):
        assert forecast(derms, "f.csv", b"ProgramId\n", key=key).status_code == 200
    assert derms.forecasts.scores()["f.csv"].times == 2


@pytest.mark.parametrize("ack_type", ["ERROR", "FAILURE"])
def test_a_forecast_that_is_refused_with_200_is_not_kept_and_can_come_again(derms, ack_type):
    derms.say(ack_type, 1)
    answers = [forecast(derms, "f.csv", b"1", key="1:a") for _ in range(2)]
    assert [(one.status_code, one.json()["ackType"]) for one in answers] == [
        (200, ack_type),
        (200, "SUCCESS"),
    ]
    assert "loadReductionForecast" in answers[0].json()["responses"]["response"][0]["value"]
    assert derms.forecasts.scores()["f.csv"].times == 1


def test_an_empty_forecast_is_refused(derms):
    assert (forecast(derms, "f.csv", b"").status_code, derms.forecasts.scores()) == (400, {})


@pytest.mark.parametrize("mode", ["401", "500", "400"])
def test_status_modes_strike_a_forecast(derms, mode):
    derms.fail(mode, 1)
    assert (forecast(derms, "f.csv", b"1").status_code, derms.forecasts.scores()) == (int(mode), {})


def test_a_score_file_is_answered_with_200_or_202_only():
    with pytest.raises(ValueError, match="204"):
        Derms(score_status=204)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_key_it_has_seen_is_answered_as_before_and_changes_nothing(derms, operation):
    path, body = OPERATIONS[operation]
    first = post(derms, path, body, key="1:a").json()
    derms.reset()
    assert post(derms, path, body, key="1:a").json() == first
    assert (derms.records.messages(operation), derms.idempotent.repeats) == ([body], 1)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("mode", ["401", "500", "400"])
def test_status_modes_strike_every_operation_and_change_nothing(derms, operation, mode):
    path, body = OPERATIONS[operation]
    derms.fail(mode, 1)
    assert post(derms, path, body).status_code == int(mode)
    assert derms.summary() == Derms().summary()
    assert [(entry["path"], entry["status"]) for entry in derms.received()] == [(BASE + path, int(mode))]


def test_down_slow_and_cut_strike_too(derms):
    derms.fail("down", 1)
    with pytest.raises(requests.ConnectionError):
        post(derms, "/enroll", ENROL)
    assert derms.summary() == Derms().summary()
    derms.fail("slow", 1)
    with pytest.raises(requests.ReadTimeout):
        post(derms, "/status-check", CHECK, timeout=0.1)
    derms.fail("cut", 1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        post(derms, "/enroll", ENROL, key="1:b")
    post(derms, "/enroll", ENROL, key="1:b")
    assert derms.records.messages("enroll") == [ENROL]


def test_the_wrong_password_is_refused(derms):
    assert post(derms, "/enroll", ENROL, auth=("HUB", "wrong")).status_code == 401


def test_the_catalog_has_every_operation_below_its_base(derms):
    catalog = requests.get(f"{derms.url}{BASE}/openapi.json", auth=USER, timeout=5).json()
    names = {one["operationId"] for item in catalog["paths"].values() for one in item.values()}
    assert names == {*OPERATIONS, "deviceScore", "loadReductionForecast"} == set(derms.does)
    assert catalog["servers"] == [{"url": derms.url + BASE}]


# Seed 002, Event Device Reservation: "so it can auto retry the failed message according to MAX_RETRIES".
def test_a_reservation_that_failed_is_sent_again_unchanged_and_at_most_so_often(answering, hub):
    answer = answering.send_reservation("m-1", "E1", 3)
    assert (answer.status, answer.instance) == (202, "i-1")
    for times in (2, 3, 4):
        post(answering, "/device-reservation-ack", ack("m-1"))
        assert quiet(lambda: hub.came, times)
    post(answering, "/device-reservation-ack", ack("m-1"))
    assert quiet(lambda: hub.came, 4)
    assert len({(path, json.dumps(message), name, content) for path, message, name, content in hub.came}) == 1
    assert answering.records.resent() == {"m-1": 3}


def test_outcomes_that_failed_are_sent_again_from_their_file(answering, hub, tmp_path):
    path = derms_files.write(tmp_path / "outcome_E1.csv", derms_files.outcomes("E1", 12))
    answering.send_outcomes("m-2", "E1", path, records=12)
    post(answering, "/device-outcome-ack", ack("m-2"))
    assert quiet(lambda: hub.came, 2)
    (first, second) = hub.came
    assert first == second
    assert (first[1]["fileName"], first[2], first[3]) == (
        "outcome_E1.csv",
        "outcome_E1.csv",
        path.read_bytes(),
    )


def test_a_success_or_a_strange_acknowledgement_sends_nothing(answering, hub):
    answering.send_reservation("m-3", "E1", 1)
    post(answering, "/device-reservation-ack", ack("m-3", "SUCCESS"))
    post(answering, "/device-reservation-ack", ack("m-99"))
    assert quiet(lambda: hub.came, 1)
    assert answering.summary()["acknowledgements"] == {"SUCCESS": 1, "FAILURE": 1}


def test_a_failure_under_a_key_it_has_seen_sends_once(answering, hub):
    answering.send_reservation("m-4", "E1", 1)
    for _ in range(2):
        post(answering, "/device-reservation-ack", ack("m-4"), key="1:a")
    assert quiet(lambda: hub.came, 2)


def test_a_resend_the_hub_does_not_take_is_tried_again(answering, hub):
    answering.send_reservation("m-5", "E1", 1)
    hub.fail("500", 2)
    post(answering, "/device-reservation-ack", ack("m-5"))
    assert quiet(lambda: hub.came, 2)
    assert [entry["status"] for entry in hub.received()] == [202, 500, 500, 202]


def test_an_enrolment_is_acknowledged_with_each_devices_registration(answering, hub):
    post(answering, "/enroll", ENROL)
    assert quiet(lambda: hub.came, 1)
    (path, message, *_) = hub.came[0]
    assert path.endswith(f"/{ENROLMENT_ACK.identifier}/1.0/{ENROLMENT_ACK.resource}")
    assert (message["dacsMessageId"], message["ackType"]) == ("20000000000001", "SUCCESS")
    assert [(one["deviceId"], one["headEndStatus"]) for one in message["devices"]] == [
        ("000000000001", "REGISTERED"),
        ("000000000002", "DEREGISTERED"),
    ]


def test_a_device_no_head_end_finds_is_an_error(answering, hub):
    listed = [{**LISTED, "nicId": nic_of(7)}]
    post(
        answering,
        "/enroll",
        {**ENROL, "locationInfo": {"servicePointId": "4", "controllableDevices": listed}},
    )
    post(answering, "/status-check", {**CHECK, "deviceInfo": {**CHECK["deviceInfo"], "nicid": nic_of(7)}})
    assert quiet(lambda: hub.came, 2)
    by_resource = {path.rpartition("/")[2]: message for path, message, *_ in hub.came}
    enrolment = by_resource[ENROLMENT_ACK.resource]
    assert (enrolment["ackType"], enrolment["devices"][0]["headEndStatus"]) == ("ERROR", "NOT_REGISTERED")
    assert by_resource[STATUS_ACK.resource] == {"dacsMessageId": "c-1", "responseCode": "FAILURE"}


@pytest.mark.parametrize("operation", ["enroll", "statusCheck"])
def test_an_answer_goes_out_once_whatever_the_key(answering, hub, operation):
    path, body = OPERATIONS[operation]
    for key in ("1:a", "1:a", "2:a", ""):
        post(answering, path, body, key=key)
    assert quiet(lambda: hub.came, 1)


@pytest.mark.parametrize("mode", ["500", "down"])
def test_an_answer_the_hub_does_not_take_is_sent_again_unchanged(answering, hub, mode):
    hub.fail(mode, 2)
    post(answering, "/enroll", ENROL)
    assert quiet(lambda: hub.came, 1)
    tries = [one for one, _ in answering.outbox.answers()]
    assert len(tries) == 3
    assert all(one is tries[0] for one in tries)


@pytest.mark.parametrize("mode", ["400", "401"])
def test_an_answer_the_hub_refuses_is_not_sent_again(answering, hub, mode):
    hub.fail(mode, 1)
    post(answering, "/status-check", CHECK)
    assert quiet(answering.outbox.answers, 1)
    assert [answer.status for _, answer in answering.outbox.answers()] == [int(mode)]


def test_a_hub_that_stays_away_is_given_up_after_so_many_tries(answering, hub):
    hub.fail("500")
    post(answering, "/status-check", CHECK)
    assert quiet(answering.outbox.answers, 5)


def test_a_file_that_is_gone_ends_no_sender(answering, hub, tmp_path):
    path = derms_files.write(tmp_path / "r.csv", derms_files.reservation(1))
    answering.send_reservation("m-6", "E1", path)
    path.unlink()
    post(answering, "/device-reservation-ack", ack("m-6"))
    assert wait_for(lambda: len(answering.outbox.answers()) == 5, seconds=5)
    post(answering, "/status-check", CHECK)
    assert quiet(lambda: hub.came, 2)


def test_nothing_is_answered_unless_it_is_asked_to(hub):
    with Derms(hub=Hub(hub.url, "DERMS", "secret"), answer_seconds=0.01) as silent:
        requests.post(f"{silent.url}{BASE}/enroll", json=ENROL, timeout=5)
        assert quiet(lambda: hub.came, 0, seconds=0.2)


def test_without_a_hub_nothing_can_be_sent():
    with pytest.raises(ValueError, match="no hub"):
        Derms().send_reservation("m-1", "E1", 1)


def test_its_control_sends_a_reservation_and_outcomes(answering, hub):
    with Control({"derms": answering}, {"derms": answering.actions}) as control:
        values = {"messageId": "m-7", "eventId": "E7", "devices": 5}
        for verb in ("reserve", "outcomes"):
            answer = requests.post(f"{control.url_of('derms')}/{verb}", json=values, timeout=5)
            assert answer.json()["status"] == 202
        assert requests.post(f"{control.url_of('derms')}/summary", timeout=5).json()["resent"] == {}
    assert [len(content.splitlines()) for *_, content in hub.came] == [6, 6]


MESSAGES = [
    (ENROLMENT_REQUEST, enrolment_requests(enrolment_request("m-1", devices(2)))),
    (STAGE_STATUS, stage_status("m-2", "E1", "S1", status="CANCELLED", reason="Rain")),
    (SYNC_ACK, sync_ack("20000000000001", ack_type="FAILURE", text="No such program")),
]
FILES = [
    (RESERVATION, reservation("m-3", "E1"), derms_files.reservation(2)),
    (OUTCOMES, outcomes("m-4", "o.csv", records=2), derms_files.outcomes("E1", 2)),
    (NETWORK_MODEL, network_model("m-5", "n.csv"), derms_files.network_locations(2)),
]


@pytest.mark.parametrize(("kind", "message"), MESSAGES)
def test_each_message_goes_to_its_flow(answering, hub, kind, message):
    assert answering.send(kind, message).status == 202
    path = f"/ic/api/integration/v1/flows/oracleutilities/{kind.identifier}/1.0/{kind.resource}"
    assert hub.came == [(path, message, None, None)]


@pytest.mark.parametrize(("kind", "message", "chunks"), FILES)
def test_each_file_goes_to_its_flow_beside_its_message(answering, hub, kind, message, chunks):
    content = b"".join(chunks)
    assert answering.send(kind, message, Attached("n.csv", content)).status == 202
    path = f"/ic/api/integration/v1/flows/oracleutilities/{kind.identifier}/1.0/{kind.resource}"
    assert hub.came == [(path, message, "n.csv", content)]


def test_service_points_are_sent_as_a_file(answering, hub):
    assert answering.send_network("m-8", 20, load="INCREMENTAL").status == 202
    ((_, message, name, content),) = hub.came
    assert (message["fileName"], message["loadType"]) == (name, "INCREMENTAL")
    assert len(content.splitlines()) == 21


def rows(chunks):
    return list(csv.DictReader(io.StringIO(b"".join(chunks).decode())))


def test_a_reservation_has_a_line_for_each_device_and_no_device_twice(tmp_path):
    path = derms_files.write(tmp_path / "files" / "r.csv", derms_files.reservation(2500, first=10))
    found = rows([path.read_bytes()])
    assert [found[0]["recordId"], found[-1]["recordId"]] == ["1", "2500"]
    assert (found[0]["nicId"], found[0]["headEndSystemId"]) == (device(10).nic, device(10).head_end)
    assert found[0]["reservationStartDateTime"] == ""
    assert len({one["nicId"] for one in found}) == 2500


def test_outcomes_are_of_every_kind_with_their_times():
    found = rows(derms_files.outcomes("E1", 20))
    assert {one["outcome"] for one in found} == {"SUCCESS", "OVERRIDE", "NON_RESPONSIVE", "ERROR"}
    took_part = {one["outcome"] for one in found if one["participationStartDateTime"].endswith(".000Z")}
    assert took_part == {"SUCCESS", "OVERRIDE"}
    assert {one["outcome"] for one in found if one["errorMessage"]} == {"ERROR"}


def test_network_locations_name_every_place():
    found = rows(derms_files.network_locations(900))
    assert len({one["servicePointId"] for one in found}) == 900
    assert {one["feederId"] for one in found} == {"FD0000", "FD0001"}


def test_a_file_of_many_is_made_piece_by_piece():
    chunks = derms_files.reservation(10_000_000)
    assert next(chunks).startswith(b"recordId,")
    assert len(next(chunks).splitlines()) == 1000


def test_times_are_as_derms_writes_them(derms):
    assert derms.operations.wrong("Acknowledgement", {**ACK, "whenISO": iso()}) == ""


def test_both_neighbours_say_in_their_catalogs_what_they_check(derms):
    for catalog in (derms.operations, Cpmcs().operations):
        schemas = catalog.document["components"]["schemas"]
        assert {one.schema for one in catalog.operations} - {""} <= set(schemas)
