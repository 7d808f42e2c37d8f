"""OU CPMCS DERMS Enrollment Sync, OU DERMS CPMCS Enroll and Device Headend Status Ack (seed 002, Enrollment Sync)."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from integrations.engine.faults import InvalidMessage
from integrations.models import ErrorInstance, Instance, SyncRequest
from integrations.services.instance_resubmit import instance_resubmit
from tests.flows.conftest import mails, property_set
from tests.flows.cpmcs_derms.conftest import (
    CONFIG,
    CPMCS,
    CROSS,
    Sides,
    answer_of,
    carry,
    fails,
    fault_of_call,
    run_once,
    submit,
    told,
    with_retries,
)

SYNC = ("OUTL-BA-DACS_DRMS_ENROLL_SYNC", "X1-NMSDASMSG")
ACK = ("OUTL-BA-DERMS_DACS_EN_DVSTAT_ACK", "enroll-ack-all-to-dacs")
SENT = f"{CROSS}/digitalAssets/programEnrollments/postAcknowledgement"
CONTACT = {"contactId": "200000000001", "cisPersonId": "7100000001"}
SUBSCRIPTION = {
    "subscriptionId": "300000000001",
    "cisAccountId": "4100000001",
    "subscriptionType": "SMART-THERMOSTAT-DR",
    "status": "ACTIVE",
    "programId": "PRG-SUMMER-DR",
    "startDateTimeISO": "2026-06-01T04:00:00.000Z",
    "programCode": "SMART_THERMOSTAT",
}
PLACE = {
    "division": "CA",
    "servicePointId": "500000000001",
    "cisPremiseId": "6100000001",
    "cisServicePointId": "8100000001",
}


def device(number: int, status: str = "ACTIVE", **more: str) -> dict[str, str]:
    """A device as DERMS takes it."""
    return {
        "deviceId": f"90000000000{number}",
        "deviceType": "SMART-THERMOSTAT",
        "specification": "ECOBEE-STP",
        "badgeNo": f"B-000{number}",
        "serialNo": f"SN00000{number}",
        "nicId": f"NIC0000000{number}",
        "headEndSystem": "ECOBEE",
        "status": status,
        **more,
    }


BATTERY = device(4) | {
    "deviceType": "BATTERY-STORAGE",
    "specification": "TESLA-PW3",
    "headEndSystem": "TESLA",
}
CLOSED = {**SUBSCRIPTION, "status": "CLOSED", "endDateTimeISO": "2026-10-01T03:59:59.000Z"}
# What DERMS's enroll is given for each of the five things that CPMCS tells with this message.
FIVE = {
    "enroll": ("20000000000001", SUBSCRIPTION, [device(1)]),
    "unenroll": ("20000000000002", CLOSED, [device(1, "REMOVED")]),
    "add_device": ("20000000000003", SUBSCRIPTION, [device(1), device(2)]),
    "replace_device": (
        "20000000000004",
        SUBSCRIPTION,
        [device(2, "REMOVED"), device(3, replacesDeviceId="900000000002")],
    ),
    "der_registration": ("20000000000005", None, [BATTERY]),
}


@pytest.mark.parametrize("action", FIVE)
def test_each_action_reaches_derms_exactly_as_it_takes_it(sides: Sides, action: str):
    # Enrollment Sync, steps 1-4: customers enroll, unenroll, add or replace; a DER registration goes the same way
    sync_request, subscription, devices = FIVE[action]
    answer = answer_of(sides, *SYNC, told(f"enroll_sync_{action}"))
    assert answer == {"externalId": sync_request}
    (call,) = sides.at_derms("/enroll")
    assert call["status"] == 200  # DERMS checks what it is sent against its own schema
    expected: dict[str, Any] = {
        "dacsMessageId": sync_request,
        "contactInfo": CONTACT,
        "locationInfo": {**PLACE, "controllableDevices": devices},
    }
    assert call["body"] == (
        expected if subscription is None else {**expected, "subscriptionInfo": subscription}
    )


def test_the_sync_request_awaits_its_acknowledgement_until_it_is_overdue(sides: Sides):
    answer_of(sides, *SYNC, told("enroll_sync_enroll"))
    row = SyncRequest.objects.get()
    assert (row.package, row.sync_request_id, row.status) == (
        "OU CPMCS DERMS",
        "20000000000001",
        "awaiting",
    )
    assert (row.entity, row.external_id, row.positive) == ("Enrolment", "8100000001", None)
    assert row.sent_at is not None
    assert row.overdue_at is not None
    assert row.overdue_at - row.sent_at >= timedelta(minutes=1)
    assert row.overdue_at > timezone.now()


def test_an_enrolment_and_its_acknowledgement_are_found_by_the_device(sides: Sides, admin_client: Browser):
    answer_of(sides, *SYNC, told("enroll_sync_add_device"))
    carry(sides, *ACK, {**told("enroll_ack_positive"), "devices": [device_at_head_end("900000000002")]})
    for value, flows in (
        ("900000000001", [SYNC[0]]),
        ("900000000002", [SYNC[0], ACK[0]]),
        ("NIC00000002", [SYNC[0]]),
    ):
        found = admin_client.get(reverse("business-object"), {"value": value}).context["story"].events
        assert {one.title for one in found if one.kind == "Instances"} == set(flows)
    known = Instance.objects.get(flow__identifier=SYNC[0])
    assert (known.primary_key_name, known.primary_key_value) == ("syncRequestId", "20000000000003")


def device_at_head_end(device_id: str) -> dict[str, str]:
    return {"deviceId": device_id, "headEndStatus": "REGISTERED"}


def test_an_enrolment_that_did_not_reach_derms_awaits_nothing(sides: Sides):  # step 5: the flow stops
    sides.derms.fail("500", 1)
    fault_of_call(sides, *SYNC, told("enroll_sync_enroll"))
    assert not SyncRequest.objects.exists()


def test_a_subscription_that_ends_before_it_begins_names_the_field(sides: Sides):  # step 2
    wrong = told("enroll_sync_unenroll")
    wrong["sendDetails"]["subscriptionInfo"]["endDateTime"] = "2026-05-31T23:59:59-04:00"
    fault = fault_of_call(sides, *SYNC, wrong)
    assert isinstance(fault, InvalidMessage)
    assert fault.details[0]["o:errorPath"] == "/sendDetails/subscriptionInfo/endDateTime"
    assert sides.derms.received() == []
    assert len(mails("error")) == 1


def test_a_message_that_derms_does_not_understand_is_refused_in_its_words(
    sides: Sides,
):  # step 4, Error Status
    wrong = told("enroll_sync_enroll")
    wrong["sendDetails"]["locationInfo"]["controllableDevices"][0]["status"] = "BROKEN"
    fault = fault_of_call(sides, *SYNC, wrong)
    assert (fault.fault_class, fault.target_status) == ("business", 400)
    assert b"controllableDevices/0/status" in fault.target_body


def test_a_positive_acknowledgement_reaches_cpmcs_with_each_devices_registration(sides: Sides):
    # Enroll and Device Headend Status Acknowledgment, steps 1-3
    answer_of(sides, *SYNC, told("enroll_sync_enroll"))
    instance = carry(sides, *ACK, told("enroll_ack_positive"))
    assert instance.status == "succeeded"
    (call,) = sides.at_cpmcs(SENT)
    assert call["body"] == {
        "syncRequestId": "20000000000001",
        "hasError": False,
        "deviceHeadendStatus": [{"deviceId": "900000000001", "headEndRegistration": "D1RE"}],
    }
    row = SyncRequest.objects.get()
    assert (row.status, row.positive, row.acknowledgement) == ("synchronised", True, instance)


def test_a_negative_one_carries_category_number_and_words(
    sides: Sides,
):  # steps 2-3; ConfigProps: 11114, 11001
    answer_of(sides, *SYNC, told("enroll_sync_enroll"))
    carry(sides, *ACK, told("enroll_ack_negative"))
    (call,) = sides.at_cpmcs(SENT)
    said = "Device NIC00000001 is not known to the head end"
    assert call["body"] == {
        "syncRequestId": "20000000000001",
        "hasError": True,
        "deviceHeadendStatus": [
            {
                "deviceId": "900000000001",
                "headEndRegistration": "D1NR",
                "message": "not known to the head end",
            }
        ],
        "exceptionInfo": [
            {
                "messageCategory": 11114,
                "messageNumber": 11001,
                "messageParameters": [{"parameterSequence": 1, "messageParameterValue": said}],
                "comments": said,
            }
        ],
    }
    row = SyncRequest.objects.get()
    assert (row.status, row.positive, row.message) == ("error", False, said)


@pytest.mark.parametrize(
    ("changed", "comments"),
    [
        ({"message": "x" * 3000}, "x" * 254),
        ({"message": None}, "DERMS answered ERROR (DEVICE)"),
        ({"message": "", "responseCode": ""}, "DERMS answered ERROR"),
    ],
)
def test_what_is_said_fits_into_cpmcs_and_is_never_nothing(sides: Sides, changed: dict, comments: str):
    carry(sides, *ACK, told("enroll_ack_negative", **changed))
    (call,) = sides.at_cpmcs(SENT)
    (exception,) = call["body"]["exceptionInfo"]
    assert exception["comments"] == comments
    assert len(exception["messageParameters"][0]["messageParameterValue"]) <= 2000
    assert call["status"] == 200


def test_an_acknowledgement_without_devices_is_taken(sides: Sides):
    wanted = told("enroll_ack_positive")
    del wanted["devices"]
    assert carry(sides, *ACK, wanted).status == "succeeded"
    assert sides.at_cpmcs(SENT)[0]["body"] == {"syncRequestId": "20000000000001", "hasError": False}


def test_every_registration_is_translated_and_an_unknown_one_is_named(
    sides: Sides,
):  # lookup DeviceHeadendStatus
    listed = [
        {"deviceId": str(number), "headEndStatus": status}
        for number, status in enumerate(("REGISTERED", "NOT_REGISTERED", "DEREGISTERED"))
    ]
    carry(sides, *ACK, told("enroll_ack_positive", devices=listed))
    there = sides.at_cpmcs(SENT)[0]["body"]["deviceHeadendStatus"]
    assert [one["headEndRegistration"] for one in there] == ["D1RE", "D1NR", "D1DR"]
    unknown = told(
        "enroll_ack_positive",
        dacsMessageId="2",
        devices=[{"deviceId": "1", "headEndStatus": "ASLEEP"}],
    )
    instance = carry(sides, *ACK, unknown)
    assert (instance.status, instance.fault_code) == ("failed", "HUB-LOOKUP")
    assert "DeviceHeadendStatus has no CPMCS for DERMS 'ASLEEP'" in instance.fault_text
    assert len(sides.at_cpmcs(SENT)) == 1


@pytest.mark.parametrize("mode", ["down", "cut", "500", "slow"])
def test_a_cpmcs_that_is_not_there_is_tried_again_by_itself(sides: Sides, mode: str):  # step 4
    with_retries(CPMCS, 1)
    fails(sides.cpmcs, mode, CPMCS)
    waiting = carry(sides, *ACK, told("enroll_ack_positive"))
    assert waiting.status == "waiting"
    assert mails("error") == []
    Instance.objects.update(due_at=timezone.now())
    assert run_once(waiting).status == "succeeded"
    assert sides.cpmcs.summary()["acknowledgements"] == 1
    assert mails("error") == []


@pytest.mark.parametrize("mode", ["400", "500", "401"])
def test_one_that_cannot_be_given_to_cpmcs_is_an_error_a_mail_and_can_be_resubmitted(sides: Sides, mode: str):
    sides.cpmcs.fail(mode, 1)
    failed = carry(sides, *ACK, told("enroll_ack_positive"))
    assert (failed.status, failed.error.state) == ("failed", "open")
    (mail,) = mails("error")
    assert mail.recipients == ["errorDist@myCy.com"]
    assert run_once(instance_resubmit(instance=failed, actor="an operator")).status == "succeeded"
    assert ErrorInstance.objects.get().state == "recovered"
    assert sides.cpmcs.summary()["acknowledgements"] == 1


def test_the_same_acknowledgement_again_is_one_instance(sides: Sides):  # contract, "Message id"
    first = carry(sides, *ACK, told("enroll_ack_positive"))
    again = submit(sides, *ACK, told("enroll_ack_positive"))
    assert (again.repeated, again.instance) == (True, first)
    assert len(sides.at_cpmcs(SENT)) == 1


def test_an_acknowledgement_that_comes_first_is_kept_and_settles_with_the_enrolment(sides: Sides):
    carry(sides, *ACK, told("enroll_ack_negative"))
    assert SyncRequest.objects.get().status == "unknown"
    answer_of(sides, *SYNC, told("enroll_sync_enroll"))
    assert (SyncRequest.objects.get().status, SyncRequest.objects.get().positive) == ("error", False)


def test_a_category_that_is_no_number_fails_before_cpmcs_is_called(sides: Sides):
    property_set(CONFIG, "dacs.error.ack.messagecategory", "77")
    carry(sides, *ACK, told("enroll_ack_negative"))
    assert sides.at_cpmcs(SENT)[0]["body"]["exceptionInfo"][0]["messageCategory"] == 77
