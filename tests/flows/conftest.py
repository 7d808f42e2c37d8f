"""A whole hub with real servers around it, for one test."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.ccs import Ccs
from demo.sftp import SftpServer
from integrations.engine.runner import work_on
from integrations.models import Client, Connection, Flow, Instance, Notification
from integrations.services.flow_run import flow_run
from integrations.services.flow_switch import flow_activate
from integrations.services.flows_sync import flows_sync
from integrations.services.instance_execute import Answer, instance_execute
from integrations.services.instance_submit import Submission, instance_submit
from lookups.models import Row
from lookups.names import fold_property

SAMPLES = Path(__file__).parent.parent / "samples"
ALIASES = {"ccs.prefixtag.fileuploaded": "ccs.prefixtag.file.uploaded"}
IN = "sploutput/CCSEnv/CustomerSync"
CCS_LOGIN = ("HUB", "a long password of CCS")


def sample(name: str) -> Any:
    """A sample message under tests/samples/."""
    return json.loads((SAMPLES / name).read_text())


def property_set(lookup: str, name: str, value: str) -> None:
    """What a business admin would set in the console."""
    for row in Row.objects.filter(lookup__name=lookup):
        if fold_property(row.cells[0]) == fold_property(ALIASES.get(name, name)):
            row.cells = [row.cells[0], value, *row.cells[2:]]
            row.save()
            return
    raise AssertionError(f"{lookup} has no {name}")


def connection_set(name: str, settings: dict[str, Any], secrets: dict[str, str], **more: Any) -> None:
    row = Connection.objects.get(name=name)
    row.settings = {**row.settings, **settings}
    row.secrets = secrets
    row.connect_timeout, row.read_timeout, row.retries = 2, 2, 0
    for field, value in more.items():
        setattr(row, field, value)
    row.save()


@dataclass
class Edges:
    """CCS and DACS with their file servers, and the folders behind them."""

    ccs: Ccs
    ccs_files: SftpServer
    dacs_files: SftpServer
    source: Path
    target: Path

    def put(self, name: str, content: bytes = b"x\n") -> Path:
        path = self.source / name
        path.write_bytes(content)
        return path

    def at_source(self) -> list[str]:
        return sorted(path.name for path in self.source.iterdir())

    def at_target(self) -> list[str]:
        return sorted(path.name for path in self.target.iterdir())


@pytest.fixture
def edges(tmp_path: Path, transactional_db: None) -> Iterator[Edges]:
    """The package set up for its neighbours, every flow switched on."""
    source, target = tmp_path / "ccs" / IN, tmp_path / "dacs" / "upload"
    source.mkdir(parents=True)
    target.mkdir(parents=True)
    with (
        SftpServer(tmp_path / "ccs", {"hub": "ccs-sftp"}, slow_seconds=3) as ccs_files,
        SftpServer(tmp_path / "dacs", {"hub": "dacs-sftp"}, slow_seconds=3) as dacs_files,
        Ccs(population=24, username=CCS_LOGIN[0], password=CCS_LOGIN[1], slow_seconds=3) as ccs,
    ):
        flows_sync()
        _point(ccs_files, dacs_files, ccs)
        property_set("OUTL-BRT-CCS_DACS_ConfigProps", "ccs.ftp.custsync.input.directory", f"/{IN}")
        property_set("OUTL-BRT-CCS_DACS_ConfigProps", "dacs.ftp.custsync.output.directory", "/upload")
        yield Edges(ccs, ccs_files, dacs_files, source, target)


def _point(ccs_files: SftpServer, dacs_files: SftpServer, ccs: Ccs) -> None:
    for name, server, password in (
        ("OU FTP CCS for CCS-DACS", ccs_files, "ccs-sftp"),
        ("OU FTP DACS for CCS-DACS", dacs_files, "dacs-sftp"),
    ):
        where = {"host": server.host, "port": server.port, "user": "hub"}
        connection_set(name, where, {"password": password}, host_key=server.host_key)
    for name in ("OU REST CCS OS for CCS-DACS", "OU REST DACS OS for CCS-DACS"):
        connection_set(
            name,
            {"endpoint_url": "http://127.0.0.1:9", "access_key": "key"},
            {"secret_key": "secret"},
        )
    connection_set(
        "OU REST CCS for CCS-DACS",
        {"url": ccs.url, "auth": "basic", "user": CCS_LOGIN[0]},
        {"password": CCS_LOGIN[1]},
    )
    for flow in Flow.objects.filter(package="outl.ba.ccs_dacs"):
        flow_activate(flow=flow, actor="test")


@pytest.fixture
def dacs(edges: Edges) -> Client:
    """DACS's log-in at the hub."""
    client = Client.objects.create(client_id="DACS")
    client.flows.set(Flow.objects.all())
    return client


def run_file_flow(identifier: str, **parameters: str) -> Instance:
    """Run a file flow as a worker would, once."""
    instance = flow_run(flow=Flow.objects.get(identifier=identifier), parameters=parameters, actor="test")
    work_on(instance.pk)
    instance.refresh_from_db()
    return instance


def send(
    client: Client, identifier: str, resource: str, message: Any, **more: Any
) -> tuple[Submission, Answer | None]:
    """Send a message as the API would: submitted, and run where its caller waits."""
    submission = instance_submit(
        identifier=identifier,
        resource=resource,
        version="1.0",
        message=json.dumps(message).encode(),
        client=client,
        **more,
    )
    if submission.repeated:
        return submission, None
    return submission, instance_execute(instance=submission.instance)


def mails(kind: str) -> list[Notification]:
    return list(Notification.objects.filter(kind=kind).order_by("id"))


def lines(instance: Instance) -> list[str]:
    return [row.text for row in instance.activities.order_by("id")]
