"""OUAI, DACS and DERMS as real servers around the hub: two object storages, DACS's file server and REST services."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.dacs_sync import DacsSync
from demo.derms import BASE, Derms
from demo.namespaces import NamespaceServer
from demo.ouai import Ouai
from demo.sftp import SftpServer
from integrations.engine.leases import Keeper
from integrations.models import Client, Flow, Instance
from integrations.services.flow_run import flow_run
from integrations.services.instance_submit import Submission, instance_submit
from integrations.storage import payload_put
from tests.flows.conftest import connection_set, property_set
from tests.flows.cpmcs_derms.conftest import run_once

CONFIG, EMAILS = "OUTL-BRT-OUAI_DACS_DRMS_ConfigProps", "OUTL-BRT-OUAI_DACS_DRMS_Email_ID"
PACKAGE = "outl.ba.ouai_dacs_derms"
OUAI_OS = "OU REST OUAI OS for OUAI DACS DRMS"
DACS_FTP, DACS_OS = "OU FTP DACS for OUAI DACS DRMS", "OU REST DACS OS for OUAI DACS DRMS"
DACS = "OU REST DACS for OUAI DACS DRMS"
DERMS, DERMS_FILES = "OU REST DRMS for OUAI DACS DRMS", "OU REST API DRMS for OUAI DACS DRMS"
CALLERS = "OU REST for OUAI DACS DERMS"
ENROL_BUCKET, KWH_BUCKET = "DACS_EnrollFolder", "DACS_KWHAvdFolder"
DACS_USER, OUAI_USER, DERMS_USER = "dacsUser@myCy.com", "ouaiUser@myCy.com", "drmsUser@myCy.com"
FILES = Path(__file__).parents[2] / "samples" / "ouai_dacs_derms"


@dataclass
class Bucket:
    """A bucket as its owner sees it: what is done here is no request at its server."""

    server: NamespaceServer
    name: str
    scratch: Path

    def put(self, name: str, content: bytes) -> None:
        """An object, whole."""
        path = self.scratch / "content"
        path.write_bytes(content)
        self.server.shelf(self.name).put(name, path)

    def read(self, name: str) -> bytes:
        """Its bytes."""
        with self.server.shelf(self.name).open(name) as content:
            found: bytes = content.read()
        return found

    def names(self) -> list[str]:
        """What is there, in name order."""
        return [item.name for item in self.server.shelf(self.name).items()]

    def rename(self, old: str, new: str) -> None:
        """As a person would."""
        self.put(new, self.read(old))
        self.delete(old)

    def delete(self, name: str) -> None:
        """It is gone."""
        self.server.client().delete_object(Bucket=self.name, Key=name)


@dataclass
class Sides:
    """The three systems; of DACS its object storage, its file server with two directories, and its REST services."""

    ouai: Ouai
    dacs: DacsSync
    dacs_objects: NamespaceServer
    dacs_files: SftpServer
    derms: Derms
    enrolments: Path
    kwh: Path
    client: Client
    scratch: Path

    def bucket(self, name: str) -> Bucket:
        """OUAI's bucket of this name, or DACS's."""
        server = self.dacs_objects if name in (ENROL_BUCKET, KWH_BUCKET) else self.ouai.objects
        return Bucket(server, name, self.scratch)

    def at_derms(self, path: str) -> list[dict[str, Any]]:
        """The calls to one address of DERMS."""
        return [one for one in self.derms.received() if one["path"] == BASE + path]


@pytest.fixture
def door(db: None) -> Client:
    """A caller of the package's flows, which are switched on (test_switching.py does that as a person does)."""
    Flow.objects.filter(package=PACKAGE).update(active=True)
    client = Client.objects.create(client_id="PARTNER")
    client.flows.set(Flow.objects.all())
    return client


@pytest.fixture
def sides(tmp_path: Path, door: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sides]:
    """The package set up for its neighbours, every flow switched on.

    The test's transaction is rolled back, which is fast: no thread but the test's own may ask the database anything,
    so leases are not renewed.
    """
    monkeypatch.setattr(Keeper, "_renew", lambda keeper, held: None)
    root, scratch = tmp_path / "dacs", tmp_path / "scratch"
    enrolments, kwh = root / "enroll", root / "kwh"
    for folder in (enrolments, kwh, scratch):
        folder.mkdir(parents=True)
    how: dict[str, Any] = {"slow_seconds": 3, "username": "HUB", "password": "a long password"}
    with (
        Ouai() as ouai,
        NamespaceServer("dacsnamespace", (ENROL_BUCKET, KWH_BUCKET)) as dacs_objects,
        SftpServer(root, {"hub": "files"}, slow_seconds=3) as dacs_files,
        DacsSync(**how) as dacs,
        Derms(**how) as derms,
    ):
        set_up(ouai, dacs_objects, dacs_files, dacs, derms)
        yield Sides(ouai, dacs, dacs_objects, dacs_files, derms, enrolments, kwh, door, scratch)
        ouai.reset(files=True)
        dacs_objects.reset(files=True)


def set_up(
    ouai: Ouai, dacs_objects: NamespaceServer, dacs_files: SftpServer, dacs: DacsSync, derms: Derms
) -> None:
    """Point every connection at its neighbour."""
    for name, server in ((OUAI_OS, ouai.objects), (DACS_OS, dacs_objects)):
        where = {
            "endpoint_url": server.url,
            "access_key": server.access_key,
            "namespace": server.namespace,
        }
        connection_set(name, where, {"secret_key": server.secret_key})
    for name, url in ((DACS, dacs.url), (DERMS, derms.url + BASE), (DERMS_FILES, derms.url + BASE)):
        connection_set(name, {"url": url, "auth": "basic", "user": "HUB"}, {"password": "a long password"})
    login = {"host": dacs_files.host, "port": dacs_files.port, "user": "hub"}
    connection_set(DACS_FTP, login, {"password": "files"}, host_key=dacs_files.host_key)
    connection_set(CALLERS, {"url": "http://127.0.0.1:9", "user": "hub"}, {"password": "none"})
    property_set(CONFIG, "dacs.ftp.enroll.input.directory", "/enroll")
    property_set(CONFIG, "dacs.ftp.kwhavoid.input.directory", "/kwh")


@dataclass
class Source:
    """A flow that takes files, and where it takes them from."""

    flow: str
    put: Callable[[str, bytes], None]
    names: Callable[[], list[str]]

    def run(self) -> Instance:
        """One attempt of a scheduled run."""
        return run_flow(self.flow)


def run_flow(identifier: str) -> Instance:
    """One attempt of a scheduled run."""
    return run_once(flow_run(flow=Flow.objects.get(identifier=identifier), parameters={}, actor="test"))


def submit(
    sides: Sides, identifier: str, resource: str, message: Any, content: bytes | None = None
) -> Submission:
    """Send a message, with a file or without; nothing is run yet where nobody waits."""
    stored = None if content is None else payload_put(content, content_type="text/csv")
    return instance_submit(
        identifier=identifier,
        resource=resource,
        version="1.0",
        message=json.dumps(message).encode(),
        client=sides.client,
        attachment=stored,
        attachment_name="" if content is None else "outcome.csv",
    )


def read(name: str) -> bytes:
    """A sample file of the package as it is."""
    return (FILES / name).read_bytes()


def told(name: str, **changed: Any) -> dict[str, Any]:
    """A sample message of the package with other values."""
    return {**json.loads(read(f"{name}.json")), **changed}
