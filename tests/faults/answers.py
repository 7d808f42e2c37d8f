"""What can be asked of a hub under test; runs in the hub's own Django (tests/faults/inside.py)."""

from typing import Any

from django.utils import timezone

from integrations.models import DueRun, FileTransfer, Flow, Instance, Notification, Schedule
from integrations.services.client_create import client_create
from integrations.services.flow_run import flow_run
from integrations.services.flow_switch import flow_activate
from tests.faults.databases import SECRET
from tests.flows.conftest import connection_set, property_set

FTP = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
CONFIG = "OUTL-BRT-CCS_DACS_ConfigProps"


def set_up(*, ccs_files: dict, dacs_files: dict, ccs: dict, source: str, target: str) -> None:
    """Point the package at its neighbours, give DACS its log-in, switch every flow on."""
    patient = {"connect_timeout": 20, "read_timeout": 20, "retries": 5}
    for name, server in (("OU FTP CCS for CCS-DACS", ccs_files), ("OU FTP DACS for CCS-DACS", dacs_files)):
        where = {"host": server["host"], "port": server["port"], "user": "hub"}
        connection_set(name, where, {"password": "sftp"}, host_key=server["host_key"], **patient)
    for name in ("OU REST CCS OS for CCS-DACS", "OU REST DACS OS for CCS-DACS"):
        where = {"endpoint_url": "http://127.0.0.1:9", "access_key": "key"}
        connection_set(name, where, {"secret_key": "secret"})
    where = {"url": ccs["url"], "auth": "basic", "user": ccs["user"]}
    connection_set("OU REST CCS for CCS-DACS", where, {"password": ccs["password"]}, **patient)
    property_set(CONFIG, "ccs.ftp.custsync.input.directory", source)
    property_set(CONFIG, "dacs.ftp.custsync.output.directory", target)
    flows = list(Flow.objects.filter(package="outl.ba.ccs_dacs"))
    for flow in flows:
        flow_activate(flow=flow, actor="test")
    client_create(client_id="DACS", flows=flows, secret=SECRET)


def run(*, prefix: str) -> str:
    """Start the customer sync by hand; the instance's id."""
    flow = Flow.objects.get(identifier=FTP)
    return str(flow_run(flow=flow, parameters={"extractedFileNamePrefix": prefix}, actor="test").pk)


def schedule(*, prefix: str, seconds: int) -> None:
    """A schedule that is due at once, then every so many seconds."""
    Schedule.objects.create(
        flow=Flow.objects.get(identifier=FTP),
        name="due",
        interval_seconds=seconds,
        parameters={"extractedFileNamePrefix": prefix},
        next_due_at=timezone.now(),
    )


def due_runs() -> int:
    """How many due times were taken."""
    return DueRun.objects.count()


def instances() -> list[dict[str, Any]]:
    """All of them, oldest first, with how their attempts ended."""
    return [
        {
            "id": str(row.pk),
            "flow": row.flow.identifier,
            "child": row.parent_id is not None,
            "status": row.status,
            "prefix": row.parameters.get("extractedFileNamePrefix", ""),
            "fault": row.fault_text,
            "holder": row.holder,
            "crashes": row.crashes,
            "attempts": [attempt.outcome for attempt in row.attempts.order_by("number")],
            "steps": [{"state": step.state, "repeats": step.repeats} for step in row.steps.all()],
        }
        for row in Instance.objects.select_related("flow").order_by("created_at", "id")
    ]


def transfers() -> list[dict[str, Any]]:
    """The ledger."""
    return [dict(row) for row in FileTransfer.objects.values("source_name", "state", "tries", "renamed_to")]


def mails() -> list[dict[str, Any]]:
    """The outbox."""
    fields = ("kind", "state", "tries", "maybe_twice", "message_id", "instance_id")
    return [{**row, "instance_id": str(row["instance_id"])} for row in Notification.objects.values(*fields)]


ASKED = {one.__name__: one for one in (set_up, run, schedule, due_runs, instances, transfers, mails)}
