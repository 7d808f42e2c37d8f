"""OU CPMCS DERMS Customer Event Opt-Out Update, Customer Unavailability Update (seed 002, both Processing Details)."""

from typing import Any

import pytest

from integrations.engine.faults import InvalidMessage
from integrations.models import Instance
from tests.flows.conftest import lines, mails, send
from tests.flows.cpmcs_derms.conftest import Sides, answer_of, fault_of_call, told

OPT_OUT = ("OUTL-BA-DACS_DERMS_EVTOPTOUT_UPD", "X1-EPOPTOMSG")
UNAVAILABLE = ("OUTL-BA-DACS_DERMS_EVT_CUST_UNAVAIL_UPD", "X1-CUSTUNAVL")
BOTH = pytest.mark.parametrize(("flow", "name"), [(OPT_OUT, "opt_out"), (UNAVAILABLE, "unavailability")])


def at_derms(sides: Sides) -> list[dict[str, Any]]:
    return [one["body"] for one in sides.at_derms("/dacs-opt-out")]


def test_an_opt_out_reaches_derms_as_it_takes_it(sides: Sides):  # Opt Out Update, steps 1-4
    answer = answer_of(sides, *OPT_OUT, told("opt_out"))
    assert answer == {"responseDetails": {"externalId": "31000000000001"}}
    assert at_derms(sides) == [
        {
            "dacsMessageId": "31000000000001",
            "optOutType": "EVENT",
            "eventId": "EVT-1",
            "device": {"nicId": "NIC00000001", "headEndSystem": "ECOBEE"},
            "optOut": True,
        }
    ]
    assert mails("error") == []


def test_an_opt_out_that_is_taken_back_says_so(sides: Sides):  # Opt Out Update, step 2
    answer_of(sides, *OPT_OUT, told("opt_out", preemptiveOptOut="D1NO"))
    assert at_derms(sides)[0]["optOut"] is False


def test_an_unavailability_reaches_derms_in_its_own_time(sides: Sides):  # Unavailability Update, steps 2-5
    answer = answer_of(sides, *UNAVAILABLE, told("unavailability"))
    assert answer == {"responseDetails": {"externalId": "33000000000001"}}
    assert at_derms(sides) == [
        {
            "dacsMessageId": "33000000000001",
            "optOutType": "UNAVAILABLE",
            "device": {"nicId": "NIC00000001", "headEndSystem": "ECOBEE"},
            "startDateTimeISO": "2026-08-01T04:00:00.000Z",
            "endDateTimeISO": "2026-08-15T04:00:00.000Z",
        }
    ]


@pytest.mark.parametrize("action", ["UPDATE", "DELETE", "add"])
def test_what_is_no_new_unavailability_stops_without_a_call(sides: Sides, action: str):
    # Unavailability Update, step 2: "Else, stop the process"; contract, "Flows": 200 and skipped
    submission, answer = send(sides.client, *UNAVAILABLE, told("unavailability", action=action))
    assert answer is not None
    assert answer.body == {"responseDetails": {"externalId": "33000000000001"}}
    submission.instance.refresh_from_db()
    assert submission.instance.status == "skipped"
    assert sides.derms.received() == []
    again, nothing = send(sides.client, *UNAVAILABLE, told("unavailability", action=action))
    assert (again.repeated, again.answer, nothing) == (True, answer.body, None)


@BOTH
@pytest.mark.parametrize("said", ["ERROR", "FAILURE"])
def test_a_200_that_is_no_success_is_a_fault_to_cpmcs_and_a_mail(
    sides: Sides, flow: tuple[str, str], name: str, said: str
):  # Opt Out step 4, Unavailability step 5: "check the … response ackType … Else, throws a fault back"
    sides.derms.say(said, 1)
    fault = fault_of_call(sides, *flow, told(name))
    assert (fault.fault_class, fault.status, fault.target_status) == ("business", 502, 200)
    assert f"ackType '{said}'" in fault.text
    assert f"dacsOptOut said {said}, as it was told to" in fault.text
    (mail,) = mails("error")
    assert mail.recipients == ["errorDist@myCy.com"]
    assert answer_of(sides, *flow, told(name))["responseDetails"]  # sent again, it goes on and is taken
    assert len(sides.derms.records.messages("dacsOptOut")) == 1


def test_an_unavailability_that_ends_before_it_begins_names_the_field(sides: Sides):  # Unavailability, step 3
    wrong = told("unavailability", unavailabilityEndDateTime="2026-07-31T00:00:00-04:00")
    fault = fault_of_call(sides, *UNAVAILABLE, wrong)
    assert isinstance(fault, InvalidMessage)
    assert fault.details[0]["o:errorPath"] == "/sendDetails/unavailabilityEndDateTime"
    assert sides.derms.received() == []


@pytest.mark.parametrize("name", ["unavailabilityStartDateTime", "unavailabilityEndDateTime"])
def test_a_new_unavailability_needs_its_period_and_one_that_does_not_go_on_needs_none(
    sides: Sides, name: str
):  # Unavailability Update, steps 2 and 3
    wrong = told("unavailability")
    del wrong["sendDetails"][name]
    fault = fault_of_call(sides, *UNAVAILABLE, wrong)
    assert isinstance(fault, InvalidMessage)
    assert f"'{name}' is a required property (at /sendDetails)" in fault.text
    wrong["sendDetails"].update(action="DELETE", communicationId="33000000000002")
    answer_of(sides, *UNAVAILABLE, wrong)
    assert sides.derms.received() == []


def test_one_that_ends_when_it_begins_is_taken(sides: Sides):
    moment = "2026-08-01T00:00:00-04:00"
    answer_of(sides, *UNAVAILABLE, told("unavailability", unavailabilityEndDateTime=moment))
    assert at_derms(sides)[0]["endDateTimeISO"] == "2026-08-01T04:00:00.000Z"


def test_a_day_that_is_none_is_the_messages_fault(sides: Sides):  # a 31 February fits the pattern
    wrong = told("unavailability", unavailabilityStartDateTime="2026-02-31T00:00:00-04:00")
    fault = fault_of_call(sides, *UNAVAILABLE, wrong)
    assert isinstance(fault, InvalidMessage)
    assert "2026-02-31T00:00:00-04:00" in fault.text


@BOTH
def test_operators_find_them_by_device(sides: Sides, flow: tuple[str, str], name: str):
    answer_of(sides, *flow, told(name))
    found = Instance.objects.get(keys__name="nicId", keys__value="NIC00000001")
    assert found.primary_key_name == "communicationId"
    assert any("dacsOptOut" in line for line in lines(found))
