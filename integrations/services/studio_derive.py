"""How a mapping's source comes from what is stored of an instance: its message, its file, or a debug line alone."""

from collections.abc import Callable
from typing import Any

from integrations.engine.csv_records import CsvRecords
from integrations.flows.cpmcs_derms import device_outcome, device_reservation
from integrations.models import Instance, Mapping
from integrations.storage import payload_open

RECORDS = 100  # of a file are looked at; a run sends them by the thousand

Derive = Callable[[Any], list[Any]]


def _whole(message: Any) -> list[Any]:
    return [message]


def _points(message: Any) -> list[Any]:
    points = message.get("servicePoints") or [message]
    return [{"message": message, "point": point} for point in points]


def _requests(message: Any) -> list[Any]:
    params = message["params"]
    return list(params) if isinstance(params, list) else [params]


# Of the others a part is known only while the flow runs (a target's answer, a fault): debug tracing has to keep them.
FROM_MESSAGE: dict[str, Derive] = {
    **dict.fromkeys(
        (
            "aggregator",
            "enroll_ack",
            "enroll_sync",
            "event_action",
            "event_create",
            "opt_out",
            "program_rule",
            "status_check",
            "status_result",
            "sync_request_ack",
            "unavailability",
        ),
        _whole,
    ),
    "asset_location": _points,
    "enroll_request": _requests,
}
FROM_FILE = {work.mapping: work.columns for work in (device_outcome.WORK, device_reservation.WORK)}
# Mapped record by record, without a line for each: nothing is kept at any tracing level.
RECORD_BY_RECORD = {("OUTL-BA-OUAI_DACS_OS_ENROLL_ACK", "sync_request_update")}

MESSAGE, FILE, DEBUG, NEVER = "message", "file", "debug", "never"


def way_of(mapping: Mapping) -> str:
    """Where this mapping's sources can be found: MESSAGE, FILE, DEBUG (only while traced so) or NEVER."""
    origin = mapping.flow.clone_of or mapping.flow
    if (origin.identifier, mapping.name) in RECORD_BY_RECORD:
        return NEVER
    if mapping.name in FROM_FILE:
        return FILE
    return MESSAGE if mapping.name in FROM_MESSAGE else DEBUG


def from_file(instance: Instance, mapping: Mapping, message: Any) -> Any:
    """{message, records}: the first RECORDS of the file that came with a message.

    InvalidMessage where it is no CSV with the flow's columns.
    """
    attachment = instance.attachment
    if attachment is None:
        return {"message": message, "records": []}
    with payload_open(attachment) as reader:
        records = CsvRecords(reader, FROM_FILE[mapping.name], name=instance.attachment_name)
        first = next(records.segments(RECORDS), None)
    return {"message": message, "records": first.records() if first else []}
