"""The messages of DERMS, made from a few values (seeds 002 and 003); times are UTC, `YYYY-MM-DDThh:mm:ss.000Z`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from demo.derms_devices import Device, as_asset

Message = dict[str, Any]

SUCCESS, ERROR, FAILURE = "SUCCESS", "ERROR", "FAILURE"
INSTANCE = "DERMS1"
START, END = "2026-07-01T18:00:00.000Z", "2026-07-01T22:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Kind:
    """Where one kind of message goes at the hub."""

    identifier: str
    resource: str


ENROLMENT_REQUEST = Kind("OUTL-BA-DRMS_DACS_ENROLLRQ", "enroll-to-dacs")
ENROLMENT_ACK = Kind("OUTL-BA-DERMS_DACS_EN_DVSTAT_ACK", "enroll-ack-all-to-dacs")
STATUS_ACK = Kind("OUTL-BA-DRMS_DACS_DEV_STAT_ACK", "status-check-ack-to-dacs")
STAGE_STATUS = Kind("OUTL-BA-DRMS_DACS_STAGE_STAT_UPD", "stage-status-to-dacs")
RESERVATION = Kind("OUTL_BA_DRMS_DACS_EVT_DVCRESV", "reserveDevice")
OUTCOMES = Kind("OUTL-BA-DRMS_DACS_EVT_OUTC_TRNFR", "eventOutcome")
OUAI_OUTCOMES = Kind("OUTL-BA-DRMS_OUAI_EVT_OUTC_TRNFR", "eventOutcome")
NETWORK_MODEL = Kind("OUTL-BA-DERMS_DACS_SPNWLOC_TRNFR", "network-model-to-dacs")
SYNC_ACK = Kind("OUTL-BA-DRMS_DACS_SYNC_ACK", "sendEnrollAck")


def iso(when: datetime | None = None) -> str:
    """A time as DERMS writes it; now where None."""
    return (when or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def msg_ack(
    key: str, *, ack_type: str = SUCCESS, value: str = "", at_dacs: str = "", code: str = ""
) -> Message:
    """A MsgAck with one response; `at_dacs`: the dacsMessageId, `code`: the responseCode, as `ack_type` by
    itself.
    """
    now = iso()
    response = {"value": value, "id": key, "responseCode": code or ack_type, "responseTimeISO": now}
    if at_dacs:
        response["dacsMessageId"] = at_dacs
    return {"responses": {"response": [response]}, "ackType": ack_type, "whenISO": now}


def enrolment_requests(*requests: Message) -> Message:
    """What is sent: any number of enrolment requests."""
    return {"params": list(requests)}


def enrolment_request(
    message: str,
    devices: Iterable[Device],
    *,
    program: str = "SMART_THERMOSTAT",
    customer: int = 1,
    division: str = "EAST",
    start: str = START,
    instance: str = INSTANCE,
) -> Message:
    """One enrolment that a head end or an aggregator has asked for."""
    return {
        "messageId": message,
        "customerInfo": {
            "cisPersonId": f"{1_000_000_000 + customer}",
            "cisAccountId": f"{5_000_000_000 + customer}",
            "name": "Brightwater, Elin",
            "homePhone": "555-0101",
            "businessPhone": "555-0102",
            "email": "elin.brightwater@example.org",
        },
        "programInfo": {
            "cisServiceAgreementId": f"{6_000_000_000 + customer}",
            "programCode": program,
            "startDateTimeISO": start,
        },
        "locationInfo": _location(customer, division),
        "assetInfo": {
            "installationMethod": "X1SI",
            "assetOwnership": "W1CO",
            "assetList": [as_asset(one, sequence) for sequence, one in enumerate(devices, 1)],
        },
        "drmsInstanceId": instance,
    }


def enrolment_ack(
    at_dacs: str,
    statuses: Mapping[str, str],
    *,
    ack_type: str = SUCCESS,
    text: str = "",
    instance: str = INSTANCE,
) -> Message:
    """How an enrolment went. `statuses`: device id → REGISTERED, NOT_REGISTERED or DEREGISTERED; `text`: why not."""
    said = {"message": text, "messageNumber": "11001"} if text else {}
    return {
        "dacsMessageId": at_dacs,
        "ackType": ack_type,
        "responseCode": ack_type,
        **said,
        "devices": [_head_end_status(key, status, text) for key, status in statuses.items()],
        "whenISO": iso(),
        "drmsInstanceId": instance,
    }


def status_ack(at_dacs: str, code: str = SUCCESS) -> Message:
    """The answer to a status check: SUCCESS or FAILURE."""
    return {"dacsMessageId": at_dacs, "responseCode": code}


def sync_ack(at_dacs: str, *, ack_type: str = SUCCESS, text: str = "") -> Message:
    """The acknowledgement of a sync request: a MsgAck with its id on top."""
    return {"dacsMessageId": at_dacs, **msg_ack(at_dacs, ack_type=ack_type, value=text, at_dacs=at_dacs)}


def stage_status(
    message: str,
    event: str,
    stage: str,
    *,
    status: str = "SCHEDULED",
    event_type: str = "ECONOMIC",
    program: str = "1234512345",
    start: str = START,
    end: str = END,
    reason: str = "",
    instance: str = INSTANCE,
) -> Message:
    """A stage is SCHEDULED, IN_PROGRESS, COMPLETED or CANCELLED; `reason`: why it was cancelled."""
    told = {
        "messageId": message,
        "drmsInstanceId": instance,
        "eventId": event,
        "eventType": event_type,
        "stageId": stage,
        "stageStatus": status,
        "programId": program,
        "stageStartDateTime": start,
        "stageEndDateTime": end,
    }
    return {**told, "cancelReason": reason} if reason else told


def reservation(
    message: str,
    event: str,
    *,
    event_type: str = "ECONOMIC",
    status: str = "SCHEDULED",
    start: str = START,
    end: str = END,
    instance: str = INSTANCE,
) -> Message:
    """What goes beside a file of reserved devices."""
    return {
        "drmsInstanceId": instance,
        "messageId": message,
        "eventId": event,
        "eventType": event_type,
        "eventStatus": status,
        "eventStartDateTime": start,
        "eventEndDateTime": end,
    }


def outcomes(message: str, file: str, *, records: int | None = None, instance: str = INSTANCE) -> Message:
    """What goes beside a file of outcomes."""
    told = {"drmsInstanceId": instance, "messageId": message, "fileName": file}
    return told if records is None else {**told, "recordCount": records}


def network_model(message: str, file: str, *, load: str = "INITIAL", instance: str = INSTANCE) -> Message:
    """What goes beside a file of network locations; `load` INITIAL or INCREMENTAL."""
    return {"drmsInstanceId": instance, "messageId": message, "fileName": file, "loadType": load}


def head_end_statuses(listed: Sequence[Message], unreachable: Iterable[str]) -> dict[str, str]:
    """Device id → what the head end says, for the controllable devices of an enrolment."""
    beyond = frozenset(unreachable)
    said = {"REMOVED": "DEREGISTERED", "ACTIVE": "REGISTERED"}
    return {
        one["deviceId"]: "NOT_REGISTERED" if one.get("nicId") in beyond else said[one["status"]]
        for one in listed
    }


def _head_end_status(key: str, status: str, text: str) -> Message:
    said = {"deviceId": key, "headEndStatus": status}
    return {**said, "message": text} if text and status == "NOT_REGISTERED" else said


def _location(customer: int, division: str) -> Message:
    return {
        "locationId": f"L{customer:06}",
        "division": division,
        "cisPremiseId": f"{3_000_000_000 + customer}",
        "cisServicePointId": f"{4_000_000_000 + customer}",
        "timeZone": "US/Eastern",
        "address1": f"{customer % 900 + 1} Rowan Lane",
        "city": "Amberford",
        "country": "USA",
        "county": "Saltmarsh",
        "state": "OR",
        "postal": "97990",
    }
