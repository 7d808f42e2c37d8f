"""What is no message of a flow is refused at the door, naming the place; nothing is stored (seed 002, step 1 of all).

The fields are those of the messages as both sides' documents print them; contract, "Inbound REST": HUB-INVALID.
"""

import json
from copy import deepcopy
from typing import Any

import pytest

from integrations.engine.faults import InvalidMessage
from integrations.models import Client, Instance
from integrations.services.instance_submit import instance_submit
from tests.flows.cpmcs_derms.conftest import told

FLOWS = {
    "enroll_request": ("OUTL-BA-DRMS_DACS_ENROLLRQ", "enroll-to-dacs"),
    "enroll_request_one": ("OUTL-BA-DRMS_DACS_ENROLLRQ", "enroll-to-dacs"),
    "enroll_sync_enroll": ("OUTL-BA-DACS_DRMS_ENROLL_SYNC", "X1-NMSDASMSG"),
    "enroll_ack_positive": ("OUTL-BA-DERMS_DACS_EN_DVSTAT_ACK", "enroll-ack-all-to-dacs"),
    "device_status_check": ("OUTL-BA-DACS_DRMS_DEVICE_STATUS", "X1-CTRLDVCS"),
    "device_status_ack": ("OUTL-BA-DRMS_DACS_DEV_STAT_ACK", "status-check-ack-to-dacs"),
    "stage_scheduled": ("OUTL-BA-DRMS_DACS_STAGE_STAT_UPD", "stage-status-to-dacs"),
    "device_reservation": ("OUTL_BA_DRMS_DACS_EVT_DVCRESV", "reserveDevice"),
    "device_outcome": ("OUTL-BA-DRMS_DACS_EVT_OUTC_TRNFR", "eventOutcome"),
    "opt_out": ("OUTL-BA-DACS_DERMS_EVTOPTOUT_UPD", "X1-EPOPTOMSG"),
    "unavailability": ("OUTL-BA-DACS_DERMS_EVT_CUST_UNAVAIL_UPD", "X1-CUSTUNAVL"),
    "program_rule": ("OUTL-BA-DACS_DERMS_PROGRULE_SYNC", "X1-GEDPGRMSG"),
    "program_rule_ack": ("OUTL-BA-DRMS_DACS_SYNC_ACK", "sendEnrollAck"),
    "aggregator": ("OUTL-BA-DACS_DERMS_AGGREG_SYNC", "X1-GEDAGRMSG"),
    "network_location": ("OUTL-BA-DERMS_DACS_SPNWLOC_TRNFR", "network-model-to-dacs"),
    "ftp_transfer": ("OUTL-BA-DACS_FTP_TRANSFER", "transfer"),
    "os_transfer": ("OUTL-BA-DACS_OS_TRANSFER", "transfer"),
}
# What each message cannot do without; a number leads into a list.
REQUIRED = {
    "enroll_request": ["params", "params/0/messageId"],
    "enroll_request_one": ["params/messageId"],
    "enroll_sync_enroll": [
        "sendDetails",
        "sendDetails/syncRequestId",
        "sendDetails/locationInfo",
        "sendDetails/locationInfo/division",
        "sendDetails/locationInfo/controllableDevices",
        "sendDetails/locationInfo/controllableDevices/0/deviceId",
        "sendDetails/locationInfo/controllableDevices/0/deviceType",
    ],
    "enroll_ack_positive": ["dacsMessageId", "ackType", "devices/0/deviceId", "devices/0/headEndStatus"],
    "device_status_check": [
        "sendDetails/communicationId",
        "sendDetails/deviceInfo",
        "sendDetails/deviceInfo/division",
        "sendDetails/deviceInfo/nicId",
        "sendDetails/deviceInfo/headEndSystem",
    ],
    "device_status_ack": ["dacsMessageId", "responseCode"],
    "stage_scheduled": ["messageId", "eventId", "stageId", "stageStatus"],
    "device_reservation": ["messageId", "eventId", "eventStartDateTime", "eventEndDateTime"],
    "device_outcome": ["messageId", "fileName"],
    "opt_out": [
        "sendDetails/communicationId",
        "sendDetails/eventExternalIdentifier",
        "sendDetails/deviceInfo/nicId",
        "sendDetails/deviceInfo/headEndSystem",
        "sendDetails/deviceInfo/division",
    ],
    "unavailability": [
        "sendDetails/communicationId",
        "sendDetails/action",
        "sendDetails/deviceInfo/nicId",
        "sendDetails/deviceInfo/headEndSystem",
        "sendDetails/deviceInfo/division",
    ],
    "program_rule": [
        "sendDetails/syncRequestId",
        "sendDetails/program",
        "sendDetails/program/programId",
        "sendDetails/program/programCode",
        "sendDetails/rules",
        "sendDetails/rules/0/ruleId",
        "sendDetails/rules/1/cycleFrequency",
        "sendDetails/rules/0/allowEventDays",
    ],
    "program_rule_ack": ["dacsMessageId"],
    "aggregator": [
        "sendDetails/syncRequestId",
        "sendDetails/aggregator",
        "sendDetails/aggregator/aggregatorId",
        "sendDetails/aggregator/name",
    ],
    "network_location": ["messageId", "fileName"],
    "ftp_transfer": ["fileName", "directory"],
    "os_transfer": ["objectName", "namespaceName", "bucketName"],
}
NO_ZONE = "2026-07-01T18:00:00"
# A value of the right kind that still says nothing, or the wrong thing.
WRONG = [
    ("enroll_request", "params", []),
    ("enroll_request", "params/0/messageId", ""),
    ("enroll_request", "params/1/messageId", "x" * 121),
    ("enroll_sync_enroll", "sendDetails/syncRequestId", ""),
    ("enroll_sync_enroll", "sendDetails/subscriptionInfo/startDateTime", NO_ZONE),
    ("enroll_sync_enroll", "sendDetails/subscriptionInfo", "none"),
    ("enroll_sync_enroll", "sendDetails/contactInfo", []),
    ("enroll_sync_enroll", "sendDetails/locationInfo/controllableDevices", []),
    ("enroll_ack_positive", "ackType", "MAYBE"),
    ("enroll_ack_positive", "devices", "none"),
    ("device_status_check", "sendDetails/deviceInfo/nicId", ""),
    ("device_status_ack", "responseCode", "ERROR"),
    ("stage_scheduled", "stageStartDateTime", NO_ZONE),
    ("stage_scheduled", "stageEndDateTime", "tomorrow"),
    ("stage_scheduled", "cancelReason", 7),
    ("device_reservation", "eventStartDateTime", NO_ZONE),
    ("device_reservation", "eventEndDateTime", "2026-07-01"),
    ("device_outcome", "recordCount", -1),
    ("device_outcome", "recordCount", "3"),
    ("device_outcome", "recordCount", 2.5),
    ("opt_out", "sendDetails/preemptiveOptOut", "YES"),
    ("unavailability", "sendDetails/unavailabilityStartDateTime", NO_ZONE),
    ("program_rule", "sendDetails/program/endDateTime", NO_ZONE),
    ("program_rule", "sendDetails/rules/0/weekDays", ["MO"] * 8),
    ("program_rule", "sendDetails/rules", {}),
    ("program_rule_ack", "responses", "none"),
    ("network_location", "loadType", "PARTIAL"),
    ("network_location", "fileName", "x" * 256),
    ("ftp_transfer", "directory", ""),
    ("os_transfer", "bucketName", ""),
]
EACH_REQUIRED = pytest.mark.parametrize(
    ("name", "place"), [(name, place) for name, places in REQUIRED.items() for place in places]
)


def at(message: Any, place: str) -> tuple[Any, Any]:
    """What holds the value of a place, and its key there."""
    *above, last = (int(part) if part.isdigit() else part for part in place.split("/"))
    for part in above:
        message = message[part]
    return message, last


def refusal(door: Client, name: str, message: Any) -> InvalidMessage:
    identifier, resource = FLOWS[name]
    with pytest.raises(InvalidMessage) as raised:
        instance_submit(
            identifier=identifier,
            resource=resource,
            version="1.0",
            message=json.dumps(message).encode(),
            client=door,
        )
    assert not Instance.objects.exists()
    assert (raised.value.code, raised.value.status) == ("HUB-INVALID", 400)
    return raised.value


def in_a_list_or_one(name: str, place: str) -> str:
    """Where the fault is put: an enrolment request's params may be a list or one object, so it is of the whole."""
    return "params" if name.startswith("enroll_request") else place


@EACH_REQUIRED
def test_a_message_without_a_field_it_needs_names_it(door: Client, name: str, place: str):
    wrong = deepcopy(told(name))
    holder, key = at(wrong, place)
    del holder[key]
    fault = refusal(door, name, wrong)
    if in_a_list_or_one(name, place) == place:
        assert f"'{key}' is a required property" in fault.text
        assert fault.details[0]["o:errorPath"] == "/" + place.rpartition("/")[0]


@EACH_REQUIRED
@pytest.mark.parametrize("value", [None, 7, True])
def test_a_field_of_the_wrong_kind_names_its_place(door: Client, name: str, place: str, value: object):
    wrong = deepcopy(told(name))
    holder, key = at(wrong, place)
    holder[key] = value
    fault = refusal(door, name, wrong)
    assert f"/{in_a_list_or_one(name, place)}" in [one["o:errorPath"] for one in fault.details]


@pytest.mark.parametrize(("name", "place", "value"), WRONG)
def test_a_value_that_says_nothing_names_its_place(door: Client, name: str, place: str, value: object):
    wrong = deepcopy(told(name))
    holder, key = at(wrong, place)
    holder[key] = value
    fault = refusal(door, name, wrong)
    assert f"/{in_a_list_or_one(name, place)}" in [one["o:errorPath"] for one in fault.details]


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("whole", [None, [], "text", 7])
def test_a_message_that_is_no_object_is_refused(door: Client, name: str, whole: object):
    assert refusal(door, name, whole).details[0]["o:errorPath"] == "/"
