"""What can be asked of a hub whose neighbours are CPMCS and DERMS; runs in the hub's own Django."""

import json
from pathlib import Path
from typing import Any

from integrations.models import Client, Flow, Instance
from integrations.services.flow_run import flow_run
from integrations.services.flow_switch import flow_activate
from integrations.services.instance_submit import instance_submit
from integrations.storage import payload_put
from tests.flows.conftest import connection_set, property_set

CONFIG = "OUTL-BRT-DACS_DRMS_ConfigProps"
RESERVE = "OUTL_BA_DRMS_DACS_EVT_DVCRESV"
SCORES = "OUTL-BA-DRMS_DACS_SEND_DVCSCORE"
ERRORS = "OUTL-BA-DACS_DRMS_ERROR"
PATIENT = {"connect_timeout": 20, "read_timeout": 60, "retries": 5}


def set_up_cpmcs(*, cpmcs: str, derms: str, files: dict[str, Any], directory: str) -> None:
    """Point the project at its neighbours, whose log-in is that of every test, and switch on what is struck."""
    for name, url in (
        ("OU REST CPMCS for CPMCS-DERMS", cpmcs),
        ("OU REST DERMS for CPMCS-DERMS", derms),
    ):
        connection_set(name, {"url": url, "auth": "none"}, {}, **PATIENT)
    connection_set(
        "OU FTP CPMCS for CPMCS-DERMS",
        files["settings"],
        files["secrets"],
        host_key=files["host_key"],
        **PATIENT,
    )
    property_set(CONFIG, "dacs.dvcScore.ftp.input.directory", directory)
    property_set(CONFIG, "dacs.dvcScore.extract.filename.prefix", "C1-DCTEX")
    property_set(CONFIG, "dacs.prefixtag.fileuploaded", "SENT-")
    for identifier in (RESERVE, SCORES, ERRORS):
        flow_activate(flow=Flow.objects.get(identifier=identifier), actor="test")


def reserve(*, message_id: str, event: str, path: str) -> str:
    """Submit a reservation as DERMS would; the instance's id."""
    message = {
        "messageId": message_id,
        "eventId": event,
        "eventType": "ECONOMIC",
        "eventStartDateTime": "2026-07-01T18:00:00.000Z",
        "eventEndDateTime": "2026-07-01T20:00:00.000Z",
    }
    with Path(path).open("rb") as content:
        stored = payload_put(content, content_type="text/csv")
    submission = instance_submit(
        identifier=RESERVE,
        resource="reserveDevice",
        version="1.0",
        message=json.dumps(message).encode(),
        attachment=stored,
        attachment_name="reservation.csv",
        client=Client.objects.first(),
    )
    return str(submission.instance.pk)


def send_scores() -> str:
    """Start the device score flow by hand; the instance's id."""
    flow = Flow.objects.get(identifier=SCORES)
    return str(flow_run(flow=flow, parameters={}, actor="test").pk)


def segments(*, instance: str) -> dict[str, Any]:
    """Of one instance: its status, and how its steps stand, by state."""
    row = Instance.objects.get(pk=instance)
    states = list(row.steps.filter(key__startswith="segment ").values_list("state", flat=True))
    acknowledged = row.steps.filter(key__contains="acknowledgement").values_list("key", "state")
    return {
        "status": row.status,
        "fault": row.fault_text,
        "attempts": [attempt.outcome for attempt in row.attempts.all()],
        "segments": {state: states.count(state) for state in set(states)},
        "acknowledgements": dict(acknowledged),
    }


ASKED = {one.__name__: one for one in (set_up_cpmcs, reserve, send_scores, segments)}
