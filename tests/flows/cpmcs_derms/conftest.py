"""CPMCS and DERMS as real servers around the hub, and CPMCS's file server."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from demo.cpmcs import Cpmcs
from demo.derms import Derms
from demo.sftp import SftpServer
from integrations.engine.faults import Fault
from integrations.engine.leases import Keeper
from integrations.engine.runner import work_on
from integrations.models import Client, Connection, Flow, Instance, Step
from integrations.services.instance_submit import Submission, instance_submit
from integrations.storage import payload_put
from tests.flows.conftest import connection_set, property_set, sample, send

CONFIG = "OUTL-BRT-DACS_DRMS_ConfigProps"
PACKAGE = "OU CPMCS DERMS"
CPMCS, DERMS = "OU REST CPMCS for CPMCS-DERMS", "OU REST DERMS for CPMCS-DERMS"
FTP, OBJECTS = "OU FTP CPMCS for CPMCS-DERMS", "OU REST CPMCS Object Storage for CPMCS-DERMS"
BASE = "/nms-drms/rest/v1"
CROSS = "/rest/apis/cross"
FILES = Path(__file__).parents[2] / "samples" / "cpmcs_derms"


class Failing(Protocol):
    """A neighbour that can be told to fail."""

    def fail(self, mode: str, times: int | None = None) -> None:
        """Fail the next `times` calls, or all."""
        ...


@dataclass
class Sides:
    """Both systems, and the folder of CPMCS's file server with its two directories."""

    cpmcs: Cpmcs
    derms: Derms
    files: SftpServer
    scores: Path
    networks: Path
    client: Client

    def at_cpmcs(self, path: str) -> list[dict[str, Any]]:
        """The calls to one address of CPMCS."""
        return [one for one in self.cpmcs.received() if one["path"] == path]

    def at_derms(self, path: str) -> list[dict[str, Any]]:
        """The calls to one address of DERMS."""
        return [one for one in self.derms.received() if one["path"] == BASE + path]


@pytest.fixture
def door(db: None) -> Client:
    """A caller of the project's flows, which are switched on (test_switching.py does that as a person does)."""
    Flow.objects.filter(package=PACKAGE).update(active=True)
    client = Client.objects.create(client_id="PARTNER")
    client.flows.set(Flow.objects.all())
    return client


@pytest.fixture
def sides(tmp_path: Path, door: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sides]:
    """The project set up for its neighbours, every flow switched on.

    The test's transaction is rolled back, which is fast: no thread but the test's own may ask the database anything,
    so leases are not renewed.
    """
    monkeypatch.setattr(Keeper, "_renew", lambda keeper, held: None)
    root = tmp_path / "cpmcs"
    scores, networks = root / "score", root / "network"
    scores.mkdir(parents=True)
    networks.mkdir()
    user, password = "HUB", "a long password"
    with (
        Cpmcs(slow_seconds=3, username=user, password=password) as cpmcs,
        Derms(slow_seconds=3, username=user, password=password) as derms,
        SftpServer(root, {"hub": "files"}, slow_seconds=3) as files,
    ):
        for name, url in ((CPMCS, cpmcs.url), (DERMS, f"{derms.url}{BASE}")):
            connection_set(name, {"url": url, "auth": "basic", "user": user}, {"password": password})
        where = {"host": files.host, "port": files.port, "user": "hub"}
        connection_set(FTP, where, {"password": "files"}, host_key=files.host_key)
        connection_set(
            OBJECTS, {"endpoint_url": "http://127.0.0.1:9", "access_key": "key"}, {"secret_key": "secret"}
        )
        connection_set(
            "OU REST MP OIC for CPMCS-DERMS",
            {"url": "http://127.0.0.1:9", "user": "hub"},
            {"password": "none"},
        )
        property_set(CONFIG, "dacs.dvcScore.ftp.input.directory", "/score")
        property_set(CONFIG, "dacs.spNtwkLoc.ftp.input.directory", "/network")
        yield Sides(cpmcs, derms, files, scores, networks, door)


def answer_of(sides: Sides, identifier: str, resource: str, message: Any) -> Any:
    """What a synchronous flow answers; the message has to be taken."""
    _, answer = send(sides.client, identifier, resource, message)
    assert answer is not None
    assert answer.status == 200
    return answer.body


def fault_of_call(sides: Sides, identifier: str, resource: str, message: Any) -> Fault:
    """The fault a synchronous flow answers with."""
    with pytest.raises(Fault) as raised:
        send(sides.client, identifier, resource, message)
    return raised.value


def submit(
    sides: Sides,
    identifier: str,
    resource: str,
    message: Any,
    content: bytes | None = None,
    *,
    name: str = "file.csv",
) -> Submission:
    """Send a message, with a file or without, to an asynchronous flow; nothing is run yet."""
    stored = None if content is None else payload_put(content, content_type="text/csv")
    return instance_submit(
        identifier=identifier,
        resource=resource,
        version="1.0",
        message=json.dumps(message).encode(),
        client=sides.client,
        attachment=stored,
        attachment_name=name if content is not None else "",
    )


def run_once(instance: Instance) -> Instance:
    """One attempt of a worker at the instance."""
    work_on(instance.pk)
    instance.refresh_from_db()
    return instance


def carry(
    sides: Sides, identifier: str, resource: str, message: Any, content: bytes | None = None
) -> Instance:
    """Send and run one attempt."""
    return run_once(submit(sides, identifier, resource, message, content).instance)


def read(name: str) -> bytes:
    """A sample file of the project as it is."""
    return (FILES / name).read_bytes()


def told(name: str, **changed: Any) -> dict[str, Any]:
    """A sample message of the project with other values: of its sendDetails, where it has those."""
    found: dict[str, Any] = sample(f"cpmcs_derms/{name}.json")
    found.get("sendDetails", found).update(changed)
    return found


def with_retries(name: str, times: int = 3) -> None:
    """Passing faults at this connection are tried again by themselves."""
    Connection.objects.filter(name=name).update(retries=times)


def fails(side: Failing, mode: str, connection: str, times: int | None = 1) -> None:
    """Have a neighbour fail so many calls; for `slow`, with a time-out that is shorter than its slowness."""
    side.fail(mode, times)
    if mode == "slow":
        Connection.objects.filter(name=connection).update(read_timeout=0.7)


def steps_of(instance: Instance) -> dict[str, str]:
    """Each step of an instance and how it ended."""
    return dict(Step.objects.filter(instance=instance).values_list("key", "state"))


def handed_on(instance: Instance) -> Instance:
    """The instance that this one handed its message on to, run once."""
    (found,) = instance.handed_on.all()
    return run_once(found)
