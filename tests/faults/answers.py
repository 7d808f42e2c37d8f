"""What can be asked of a hub under test; runs in the hub's own Django (tests/faults/inside.py)."""

from typing import Any

from django.utils import timezone

from integrations.engine.leftovers import sweep_leftovers
from integrations.models import Activity, DueRun, FileTransfer, Flow, Instance, Notification, Schedule
from integrations.services.client_create import client_create
from integrations.services.flow_run import flow_run
from integrations.services.flow_switch import flow_activate
from tests.faults import answers_cpmcs, answers_ouai
from tests.faults.databases import SECRET
from tests.flows.conftest import connection_set, property_set

FTP = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
CONFIG = "OUTL-BRT-CCS_DACS_ConfigProps"
PATIENT = {"connect_timeout": 20, "read_timeout": 20, "retries": 5}
NOWHERE: dict[str, Any] = {
    "settings": {"endpoint_url": "http://127.0.0.1:9", "access_key": "key"},
    "secrets": {"secret_key": "secret"},
    "host_key": "",
}


def set_up(
    *, source: dict, target: dict, kind: str, ccs: dict, from_directory: str, to_directory: str
) -> None:
    """Point the package at its neighbours, give DACS its log-in, switch every flow on."""
    _connect("OU FTP CCS for CCS-DACS", source)
    _connect("OU REST CCS OS for CCS-DACS", NOWHERE)
    _connect("OU FTP DACS for CCS-DACS", target if kind == "sftp" else source)
    _connect("OU REST DACS OS for CCS-DACS", target if kind == "os" else NOWHERE)
    where = {"url": ccs["url"], "auth": "basic", "user": ccs["user"]}
    connection_set("OU REST CCS for CCS-DACS", where, {"password": ccs["password"]}, **PATIENT)
    property_set(CONFIG, "ccs.ftp.custsync.input.directory", from_directory)
    if kind == "os":
        namespace, _, bucket = to_directory.partition("/")
        property_set(CONFIG, "dacs.file.target.transfer.pref", "os")
        property_set(CONFIG, "dacs.os.custsync.namespace", namespace)
        property_set(CONFIG, "dacs.os.custsync.bucketname", bucket)
    else:
        property_set(CONFIG, "dacs.ftp.custsync.output.directory", to_directory)
    flows = list(Flow.objects.filter(package="outl.ba.ccs_dacs"))
    for flow in flows:
        flow_activate(flow=flow, actor="test")
    client_create(client_id="DACS", flows=flows, secret=SECRET)


def _connect(name: str, place: dict[str, Any]) -> None:
    connection_set(name, place["settings"], place["secrets"], host_key=place["host_key"], **PATIENT)


def now() -> str:
    """What was made up to now is not told by what is asked `since` then."""
    return timezone.now().isoformat()


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


def leftovers_swept() -> int:
    """What the beat does every ten minutes with what ended runs left at their targets; how many files'."""
    return sweep_leftovers()


def schedules_off() -> int:
    """Nothing is due any more; how many schedules."""
    return Schedule.objects.update(enabled=False)


def due_runs() -> list[dict[str, Any]]:
    """The due times that were taken, and what became of each."""
    rows = DueRun.objects.order_by("due_at").values("due_at", "outcome", "instance_id")
    return [
        {**row, "due_at": row["due_at"].isoformat(), "instance_id": str(row["instance_id"])} for row in rows
    ]


def instances(*, since: str) -> list[dict[str, Any]]:
    """All of them, oldest first, with how their attempts ended."""
    rows = Instance.objects.filter(created_at__gt=since).order_by("created_at", "id")
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
            "attempts": [attempt.outcome for attempt in row.attempts.all()],
            "steps": [{"state": step.state, "repeats": step.repeats} for step in row.steps.all()],
            "files": len(row.file_transfers.all()),
        }
        for row in rows.select_related("flow").prefetch_related("attempts", "steps", "file_transfers")
    ]


def transfers(*, since: str) -> list[dict[str, Any]]:
    """The ledger."""
    rows = FileTransfer.objects.filter(created_at__gt=since)
    return [dict(row) for row in rows.values("source_name", "state", "tries", "renamed_to", "trouble")]


def mails(*, since: str) -> list[dict[str, Any]]:
    """The outbox."""
    fields = ("kind", "state", "tries", "maybe_twice", "message_id", "instance_id")
    rows = Notification.objects.filter(created_at__gt=since).values(*fields)
    return [{**row, "instance_id": str(row["instance_id"])} for row in rows]


def stories(*, since: str) -> list[dict[str, Any]]:
    """The activity streams, each in its order."""
    rows = Activity.objects.filter(instance__created_at__gt=since).order_by("id")
    told = rows.values("instance_id", "attempt", "kind", "level", "text")
    return [{**row, "instance_id": str(row["instance_id"])} for row in told]


def mails_cut_off_are_due() -> int:
    """As if the two minutes were over after which a mail that was being sent is found again; how many."""
    return Notification.objects.filter(state="sending").update(next_try_at=timezone.now())


ASKED = (
    {
        one.__name__: one
        for one in (
            set_up,
            now,
            run,
            schedule,
            leftovers_swept,
            schedules_off,
            due_runs,
            instances,
            transfers,
            mails,
            stories,
            mails_cut_off_are_due,
        )
    }
    | answers_cpmcs.ASKED
    | answers_ouai.ASKED
)
