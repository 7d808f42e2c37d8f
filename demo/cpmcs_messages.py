"""The outbound messages of CPMCS, made from a few values (seed 002); times are ISO 8601 with an offset."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from demo.acknowledgements import Answered
from demo.derms_devices import Device, as_controllable
from demo.hub_caller import Hub

Message = dict[str, Any]

ENROLMENT, DEVICE_STATUS = "X1-NMSDASMSG", "X1-CTRLDVCS"
OPT_OUT, UNAVAILABILITY = "X1-EPOPTOMSG", "X1-CUSTUNAVL"
PROGRAM_RULES, AGGREGATOR = "X1-GEDPGRMSG", "X1-GEDAGRMSG"
# Message type → the flow that takes it; the message type is the resource.
FLOWS: Mapping[str, str] = {
    ENROLMENT: "OUTL-BA-DACS_DRMS_ENROLL_SYNC",
    DEVICE_STATUS: "OUTL-BA-DACS_DRMS_DEVICE_STATUS",
    OPT_OUT: "OUTL-BA-DACS_DERMS_EVTOPTOUT_UPD",
    UNAVAILABILITY: "OUTL-BA-DACS_DERMS_EVT_CUST_UNAVAIL_UPD",
    PROGRAM_RULES: "OUTL-BA-DACS_DERMS_PROGRULE_SYNC",
    AGGREGATOR: "OUTL-BA-DACS_DERMS_AGGREG_SYNC",
}
START, END = "2026-07-01T14:00:00-04:00", "2026-07-01T18:00:00-04:00"


def send(hub: Hub, kind: str, message: Message, *, key: str = "") -> Answered:
    """Send a message of this type to the hub; what it said. KeyError for a type that is none."""
    return hub.post(FLOWS[kind], kind, message, key=key)


def enrolment(
    sync_request: str,
    devices: Iterable[Device],
    *,
    action: str = "ENROLL",
    program: str = "SMART_THERMOSTAT",
    customer: int = 1,
    division: str = "EAST",
    start: str = START,
    end: str = "",
    replaces: str = "",
) -> Message:
    """X1-NMSDASMSG: an enrolment, its end, devices added or replaced (`replaces`: the id of the device
    before), or a registration, which has no subscription.
    """
    status = "REMOVED" if action == "UNENROLL" else "ACTIVE"
    details: Message = {
        "syncRequestId": sync_request,
        "action": action,
        "contactInfo": {"contactId": f"{customer:010}", "cisPersonId": f"{1_000_000_000 + customer}"},
        "subscriptionInfo": _subscription(program, customer, start, end, ended=action == "UNENROLL"),
        "locationInfo": {
            "division": division,
            "servicePointId": f"{customer:012}",
            "cisPremiseId": f"{3_000_000_000 + customer}",
            "cisServicePointId": f"{4_000_000_000 + customer}",
            "controllableDevices": [as_controllable(one, status, replaces) for one in devices],
        },
    }
    if action == "DER_REGISTRATION":
        del details["subscriptionInfo"]
    return {"sendDetails": details}


def device_status(communication: str, device: Device, *, division: str = "EAST") -> Message:
    """X1-CTRLDVCS: how is this device?"""
    info = {
        "division": division,
        "deviceType": device.cpmcs_type,
        "specification": device.cpmcs_specification,
        "headEndSystem": device.head_end,
        "nicId": device.nic,
    }
    return {"sendDetails": {"communicationId": communication, "deviceInfo": info}}


def opt_out(
    communication: str,
    event: str,
    device: Device,
    *,
    preemptive: bool = True,
    participation: str = "500000000001",
    division: str = "EAST",
) -> Message:
    """X1-EPOPTOMSG: a customer leaves an event out, before it (`preemptive`) or in it."""
    return {
        "sendDetails": {
            "communicationId": communication,
            "eventParticipationId": participation,
            "eventExternalIdentifier": event,
            "preemptiveOptOut": "D1YS" if preemptive else "D1NO",
            "deviceInfo": _device_info(device, division),
        }
    }


def unavailability(
    communication: str,
    device: Device,
    *,
    action: str = "ADD",
    start: str = START,
    end: str = END,
    division: str = "EAST",
) -> Message:
    """X1-CUSTUNAVL: a customer's device is not to be had for a time; `action` ADD, UPDATE or DELETE."""
    return {
        "sendDetails": {
            "communicationId": communication,
            "action": action,
            "unavailabilityStartDateTime": start,
            "unavailabilityEndDateTime": end,
            "deviceInfo": _device_info(device, division),
        }
    }


def program_rules(
    sync_request: str,
    *,
    program: str = "SMART_THERMOSTAT",
    program_id: str = "1234512345",
    rules: Sequence[Message] | None = None,
    division: str = "EAST",
    start: str = START,
    end: str = "",
) -> Message:
    """X1-GEDPGRMSG: a program and the rules of its events; one `rule()` where none are given."""
    about = {
        "programId": program_id,
        "programCode": program,
        "description": f"The program {program}",
        "startDateTime": start,
        **({"endDateTime": end} if end else {}),
        "status": "ACTIVE",
    }
    details = {"syncRequestId": sync_request, "division": division, "program": about}
    return {"sendDetails": {**details, "rules": list(rules) if rules is not None else [rule("1")]}}


def rule(key: str, *, cycle: str = "MONTHLY", week_days: Sequence[str] = ("MO", "TU", "FR")) -> Message:
    """A program rule: so many events and hours a cycle, on these days."""
    return {
        "ruleId": key,
        "cycleFrequency": cycle,
        "maxEvents": 5,
        "maxHours": 20,
        "minDurationMinutes": 30,
        "maxDurationMinutes": 240,
        "allowEventDays": "CUSTOM",
        "weekDays": list(week_days),
        "startTime": "14:00",
        "endTime": "20:00",
        "noticeMinutes": 60,
    }


def aggregator(
    sync_request: str, *, key: str = "AGG-1", name: str = "Flexible Homes", division: str = "EAST"
) -> Message:
    """X1-GEDAGRMSG: an aggregator and who to ask there."""
    about = {
        "aggregatorId": key,
        "name": name,
        "headEndSystem": "FLEXHOMES",
        "status": "ACTIVE",
        "contact": {"name": "Ada Penrose", "email": "ada.penrose@example.org", "phone": "555-0100"},
    }
    return {"sendDetails": {"syncRequestId": sync_request, "division": division, "aggregator": about}}


def _subscription(program: str, customer: int, start: str, end: str, *, ended: bool) -> Message:
    about = {
        "subscriptionId": f"{2_000_000_000 + customer}",
        "cisAccountId": f"{5_000_000_000 + customer}",
        "subscriptionType": "PROGRAM",
        "status": "ENDED" if ended else "ACTIVE",
        "programId": "1234512345",
        "programCode": program,
        "startDateTime": start,
    }
    return {**about, "endDateTime": end} if end else about


def _device_info(device: Device, division: str) -> Message:
    return {"nicId": device.nic, "headEndSystem": device.head_end, "division": division}
