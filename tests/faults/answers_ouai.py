"""What can be asked of a hub whose neighbours are OUAI and DACS's sync requests; runs in the hub's own Django."""

from typing import Any

from integrations.models import FileTransfer, Flow, Instance
from integrations.services.flow_run import flow_run
from integrations.services.flow_switch import flow_activate
from tests.flows.conftest import connection_set, property_set

CONFIG = "OUTL-BRT-OUAI_DACS_DRMS_ConfigProps"
FEEDBACK, ERRORS = "OUTL-BA-OUAI_DACS_OS_ENROLL_ACK", "OUTL-BA-OUAI_DACS_DRMS_ERR_HNDLR"
PATIENT = {"connect_timeout": 20, "read_timeout": 60, "retries": 5}


def set_up_ouai(*, objects: dict[str, Any], namespace: str, bucket: str, dacs: str) -> None:
    """Point the acknowledgement flow at its neighbours and switch on what is struck."""
    where = {**objects["settings"], "namespace": namespace}
    connection_set("OU REST OUAI OS for OUAI DACS DRMS", where, objects["secrets"], **PATIENT)
    connection_set("OU REST DACS for OUAI DACS DRMS", {"url": dacs, "auth": "none"}, {}, **PATIENT)
    property_set(CONFIG, "ouai.os.namespace", namespace)
    property_set(CONFIG, "ouai.os.enrollack.bucket", bucket)
    for identifier in (FEEDBACK, ERRORS):
        flow_activate(flow=Flow.objects.get(identifier=identifier), actor="test")


def acknowledge_enrolments() -> str:
    """Start the enrolment acknowledgement by hand; the instance's id."""
    flow = Flow.objects.get(identifier=FEEDBACK)
    return str(flow_run(flow=flow, parameters={}, actor="test").pk)


def records(*, instance: str) -> dict[str, Any]:
    """Of one run: its status, its attempts, its files by the ledger, and what it said of records passed over."""
    row = Instance.objects.get(pk=instance)
    files = FileTransfer.objects.filter(instance=row)
    return {
        "status": row.status,
        "fault": row.fault_text,
        "attempts": [attempt.outcome for attempt in row.attempts.all()],
        "files": list(files.values("source_name", "state", "records_done", "renamed_to", "tries")),
        "passed_over": row.activities.filter(text__contains="passed over").count(),
    }


ASKED = {one.__name__: one for one in (set_up_ouai, acknowledge_enrolments, records)}
