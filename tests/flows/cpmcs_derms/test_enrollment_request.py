"""OU DERMS CPMCS Enrollment Request (seed 002, Enrollment Request, its Processing Details)."""

from typing import Any

import pytest

from demo.http import Answer
from integrations.engine.faults import Conflict
from integrations.engine.runner import work_on
from integrations.models import Connection, ErrorInstance, Flow, Instance
from integrations.services.instance_resubmit import instance_resubmit
from tests.flows.conftest import lines, mails, property_set, send
from tests.flows.cpmcs_derms.conftest import (
    CONFIG,
    CPMCS,
    CROSS,
    Sides,
    answer_of,
    fails,
    told,
)

FLOW = ("OUTL-BA-DRMS_DACS_ENROLLRQ", "enroll-to-dacs")
ENROL = f"{CROSS}/digitalAssets/programEnrollments/enroll"


def said(answer: Any) -> list[tuple[str, str]]:
    """Each response's id and code, in order."""
    return [(one["id"], one["responseCode"]) for one in answer["responses"]["response"]]


def instance() -> Instance:
    return Instance.objects.get(flow__identifier=FLOW[0])


def three(**changed: Any) -> Any:
    """The sample, its second request with other values at dotted places."""
    found = told("enroll_request")
    for place, value in changed.items():
        holder: Any = found["params"][1]
        *above, last = place.split("__")
        for part in above:
            holder = holder[int(part) if part.isdigit() else part]
        if value is None:
            del holder[last]
        else:
            holder[last] = value
    return found


def test_each_request_is_a_call_of_its_own_and_the_answers_come_in_order(sides: Sides):  # steps 1-3
    answer = answer_of(sides, *FLOW, told("enroll_request"))
    calls = sides.at_cpmcs(ENROL)
    assert [call["body"]["transactionId"] for call in calls] == ["ENR-1", "ENR-2", "ENR-3"]
    assert answer["ackType"] == "SUCCESS"
    assert said(answer) == [("ENR-1", "SUCCESS"), ("ENR-2", "SUCCESS"), ("ENR-3", "SUCCESS")]
    made = [one.id for one in sides.cpmcs.records.enrolments()]
    assert [one["value"] for one in answer["responses"]["response"]] == made
    assert [one["dacsMessageId"] for one in answer["responses"]["response"]] == made
    assert instance().status == "succeeded"


def test_a_request_reaches_cpmcs_exactly_as_it_takes_it(
    sides: Sides,
):  # step 2; lookups AssetSpec and AssetType
    answer_of(sides, *FLOW, told("enroll_request_one"))
    (call,) = sides.at_cpmcs(ENROL)
    assert call["body"] == {
        "transactionId": "ENR-9",
        "customerInfo": {
            "cisPersonId": "7100000001",
            "cisAccountId": "4100000001",
            "name": "Ada Byron",
            "homePhone": "555-0101",
            "businessPhone": "555-0102",
            "email": "ada@example.org",
        },
        "programInfo": {
            "cisServiceAgreementId": "9100000001",
            "programCode": "SMART_THERMOSTAT",
            "startDate": "2026-06-01",
        },
        "locationInfo": {
            "locationId": "L-1",
            "division": "CA",
            "cisPremiseId": "6100000001",
            "cisServicePointId": "8100000001",
            "timeZone": "America/New_York",
            "address1": "1 Analytical Way",
            "city": "Springfield",
            "country": "USA",
            "county": "Sangamon",
            "state": "IL",
            "postal": "62701",
        },
        "assetInfo": {
            "installationMethod": "X1SI",
            "assetOwnership": "W1CO",
            "assetList": [
                {
                    "sequence": 1,
                    "assetId": "A-9",
                    "specification": "ECOBEE-STP",
                    "assetType": "SMART-THERMOSTAT",
                    "badgeNumber": "B-9",
                    "serialNumber": "SN-9",
                    "nicId": "NIC00000009",
                    "headEndSystem": "ECOBEE",
                }
            ],
        },
    }


def test_one_request_instead_of_a_list_is_answered_the_same(
    sides: Sides,
):  # contract: "one object is accepted"
    answer = answer_of(sides, *FLOW, told("enroll_request_one"))
    assert (answer["ackType"], said(answer)) == ("SUCCESS", [("ENR-9", "SUCCESS")])
    assert instance().message_id == "ENR-9"
    again, _ = send(sides.client, *FLOW, told("enroll_request_one"))
    assert (again.repeated, again.answer) == (True, answer)


def test_a_no_of_cpmcs_is_an_error_in_its_place_and_stops_none(sides: Sides):
    # step 2: "If an error is encountered, the process continues"; step 3: overall ERROR
    answer = answer_of(sides, *FLOW, three(programInfo__programCode="NO_SUCH_PROGRAM"))
    assert answer["ackType"] == "ERROR"
    assert said(answer) == [("ENR-1", "SUCCESS"), ("ENR-2", "ERROR"), ("ENR-3", "SUCCESS")]
    middle = answer["responses"]["response"][1]
    assert "there is no program 'NO_SUCH_PROGRAM'" in middle["value"]
    assert "dacsMessageId" not in middle
    assert (instance().status, mails("error")) == ("succeeded", [])  # a business no is no technical error
    again, _ = send(sides.client, *FLOW, three(programInfo__programCode="NO_SUCH_PROGRAM"))
    assert (again.repeated, again.answer) == (True, answer)
    assert len(sides.at_cpmcs(ENROL)) == 3


def test_a_status_that_says_rejected_is_an_error(sides: Sides, monkeypatch: pytest.MonkeyPatch):
    # lookup EnrollmentStatus; step 2: "If … returns an ERROR, store the error in the response collection"
    statuses = iter(["REJECTED", "ACTIVE", "A_NEW_ONE"])
    monkeypatch.setattr(
        sides.cpmcs,
        "handle",
        lambda call: Answer(200, {"enrollmentId": "9", "status": next(statuses)}),
    )
    answer = answer_of(sides, *FLOW, told("enroll_request"))
    assert [code for _, code in said(answer)] == ["ERROR", "SUCCESS", "SUCCESS"]
    assert answer["ackType"] == "ERROR"


@pytest.mark.parametrize("mode", ["500", "401", "cut", "down", "slow"])
def test_a_technical_error_is_a_failure_answered_with_200_and_one_mail(sides: Sides, mode: str):
    # step 4: "the integration will set the overall ackType to FAILURE … an error email … on the first time"
    fails(sides.cpmcs, mode, CPMCS, 2)
    answer = answer_of(sides, *FLOW, told("enroll_request"))
    assert answer["ackType"] == "FAILURE"
    assert said(answer) == [("ENR-1", "FAILURE"), ("ENR-2", "FAILURE"), ("ENR-3", "SUCCESS")]
    assert CPMCS in answer["responses"]["response"][0]["value"]
    failed = instance()
    assert (failed.status, failed.error.state) == ("failed", "open")
    assert failed.fault_step == "request 1"
    (mail,) = mails("error")
    assert mail.recipients == ["errorDist@myCy.com"]


def test_the_same_message_again_repeats_only_what_failed(
    sides: Sides,
):  # contract, "Message id": from the checkpoint
    sides.cpmcs.fail("500", 1)
    answer_of(sides, *FLOW, told("enroll_request"))
    answer = answer_of(sides, *FLOW, told("enroll_request"))
    assert answer["ackType"] == "SUCCESS"
    assert said(answer) == [("ENR-1", "SUCCESS"), ("ENR-2", "SUCCESS"), ("ENR-3", "SUCCESS")]
    calls = [call["body"]["transactionId"] for call in sides.at_cpmcs(ENROL)]
    assert calls == ["ENR-1", "ENR-2", "ENR-3", "ENR-1"]
    assert sides.cpmcs.summary()["enrolments"] == 3
    assert (instance().status, ErrorInstance.objects.get().state) == ("succeeded", "recovered")
    assert len(mails("error")) == 1


def test_an_answer_that_was_lost_enrols_nobody_twice(sides: Sides):
    sides.cpmcs.fail("cut", 1)
    answer_of(sides, *FLOW, told("enroll_request"))
    assert answer_of(sides, *FLOW, told("enroll_request"))["ackType"] == "SUCCESS"
    assert sides.cpmcs.summary()["enrolments"] == 3


def test_failure_beats_error(sides: Sides):  # contract: "FAILURE beats ERROR beats SUCCESS"
    sides.cpmcs.fail("500", 1)
    answer = answer_of(sides, *FLOW, three(programInfo__programCode="NO_SUCH_PROGRAM"))
    assert [code for _, code in said(answer)] == ["FAILURE", "ERROR", "SUCCESS"]
    assert answer["ackType"] == "FAILURE"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"assetInfo__assetList__0__specification": "ACME!TOASTER"}, "AssetSpec has no CPMCS for DERMS"),
        ({"assetInfo__assetList__0__assetType": "TOASTER"}, "AssetType has no CPMCS for DERMS 'TOASTER'"),
        ({"assetInfo__assetList": []}, "/assetInfo/assetList"),
        ({"assetInfo": None}, "'assetInfo' is a required property"),
        ({"customerInfo": "nobody"}, "/customerInfo"),
        ({"locationInfo": None}, "'locationInfo' is a required property"),
        ({"programInfo__programCode": None}, "'programCode' is a required property"),
        ({"programInfo__startDateTimeISO": "2026-06-01T00:00:00"}, "/programInfo/startDateTimeISO"),
        ({"programInfo__endDateTimeISO": "2026-05-31T00:00:00.000Z"}, "is before startDateTimeISO"),
        ({"programInfo__startDateTimeISO": "2026-02-31T00:00:00.000Z"}, "2026-02-31T00:00:00.000Z"),
    ],
)
def test_a_request_that_is_wrong_is_told_in_its_response_and_stops_none(
    sides: Sides, changed: dict[str, Any], words: str
):  # step 4: "can continue processing the collection, the error details will be captured inside the response"
    answer = answer_of(sides, *FLOW, three(**changed))
    assert said(answer) == [("ENR-1", "SUCCESS"), ("ENR-2", "FAILURE"), ("ENR-3", "SUCCESS")]
    assert words in answer["responses"]["response"][1]["value"]
    assert answer["ackType"] == "FAILURE"
    assert [call["body"]["transactionId"] for call in sides.at_cpmcs(ENROL)] == ["ENR-1", "ENR-3"]
    assert instance().status == "failed"
    assert len(mails("error")) == 1


def test_a_connection_that_cannot_be_used_ends_it_and_the_rest_is_said_not_to_be_sent(sides: Sides):
    # step 4: "If it faults and cannot continue … will try to send a response back … with the details"
    Connection.objects.filter(name=CPMCS).update(adapter="sftp")
    answer = answer_of(sides, *FLOW, told("enroll_request"))
    assert [code for _, code in said(answer)] == ["FAILURE"] * 3
    first, second, third = (one["value"] for one in answer["responses"]["response"])
    assert not first.startswith("Not sent")
    assert second == third == f"Not sent, as the request before it could not be: {first}"
    assert answer["ackType"] == "FAILURE"
    assert len(mails("error")) == 1
    assert sides.cpmcs.received() == []


def test_the_breaker_leaves_a_cpmcs_that_is_down_alone_and_every_request_is_answered(sides: Sides):
    sides.cpmcs.fail("500")
    many = told("enroll_request")
    many["params"] = [{**many["params"][0], "messageId": f"ENR-{number}"} for number in range(1, 9)]
    answer = answer_of(sides, *FLOW, many)
    assert [code for _, code in said(answer)] == ["FAILURE"] * 8
    assert len(sides.at_cpmcs(ENROL)) == 5
    assert "left alone" in answer["responses"]["response"][7]["value"]
    assert len(mails("error")) == 1


def test_another_message_under_the_same_first_id_is_a_conflict(sides: Sides):
    answer_of(sides, *FLOW, told("enroll_request"))
    with pytest.raises(Conflict, match="other content"):
        send(sides.client, *FLOW, three(programInfo__programCode="BATTERY"))


def test_every_request_and_enrolment_is_found_by_its_id(sides: Sides):
    answer_of(sides, *FLOW, told("enroll_request"))
    keys = set(instance().keys.values_list("name", "value"))
    assert {("messageId", f"ENR-{number}") for number in (1, 2, 3)} <= keys
    assert {("enrollmentId", one.id) for one in sides.cpmcs.records.enrolments()} <= keys
    assert ("drmsInstanceId", "DERMS1") in keys


@pytest.mark.parametrize("name", ["enroll_request", "enroll_request_one"])
def test_a_device_an_account_and_a_service_point_of_a_request_are_its_keys(sides: Sides, name: str):
    message = told(name)
    send(sides.client, *FLOW, message)
    params = message["params"] if isinstance(message["params"], list) else [message["params"]]
    kept = set(instance().keys.values_list("name", "value"))
    assert {("nicId", one["assetInfo"]["assetList"][0]["nicId"]) for one in params} <= kept
    assert {("accountId", "4100000001"), ("servicePointId", "8100000001")} <= kept
    assert instance().primary_key_name == "messageId"


def test_an_operators_replay_goes_on_with_what_failed(sides: Sides):
    sides.cpmcs.fail("500", 1)
    answer_of(sides, *FLOW, told("enroll_request"))
    replay = instance_resubmit(instance=instance(), actor="an operator")
    work_on(replay.pk)
    replay.refresh_from_db()
    assert replay.status == "succeeded"
    assert sides.cpmcs.summary()["enrolments"] == 3
    assert len(sides.at_cpmcs(ENROL)) == 4
    assert ErrorInstance.objects.get().state == "recovered"


@pytest.mark.parametrize("off", ["flag", "handler"])
def test_derms_is_answered_also_where_nobody_can_be_mailed(sides: Sides, off: str):
    # step 4, last item, the other way round: what goes wrong with the mail hides nothing
    if off == "flag":
        property_set(CONFIG, "notification.email.error.flag", "false")
    else:
        Flow.objects.filter(identifier="OUTL-BA-DACS_DRMS_ERROR").update(active=False)
    sides.cpmcs.fail("500", 1)
    answer = answer_of(sides, *FLOW, told("enroll_request"))
    assert answer["ackType"] == "FAILURE"
    assert mails("error") == []
    told_so = any("error handler could not tell anybody" in line for line in lines(instance()))
    assert told_so == (off == "handler")
