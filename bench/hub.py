"""The hub a part measures: its database migrated, its connections pointed at this run's servers, its processes."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

from bench.processes import free_port, python, running, wait_for_port
from demo.reach import Reach

ACTOR = "bench"
CLIENT, SECRET = "DACS", "only for the time of this measurement"
ACK_FLOW = "OUTL-BA-DACS_CCS_CUST_SYNC_ACK"
ACK_PATH = f"/ic/api/integration/v1/flows/rest/{ACK_FLOW}/1.0/sendCustomerSyncAck"
SFTP_FLOW, OBJECT_FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP", "OUTL-BA-CCS_DACS_CUST_SYNC_OS"
CONFIG = "OUTL-BRT-CCS_DACS_ConfigProps"
UNUSED = 9  # the discard port: connections that a part does not need point there


def var_folder() -> Path:
    """This hub's folder."""
    return Path(settings.VAR_DIR)


def prepare(reaches: Sequence[Reach], properties: Mapping[str, str]) -> None:
    """Set Django up, migrate, point connections and properties, switch the flows on, make the client."""
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    from demo.configure import flows_activate  # noqa: PLC0415  (models need Django set up)
    from integrations.services.client_create import client_create  # noqa: PLC0415  (as above)

    connect(reaches)
    for name, value in properties.items():
        _property_set(name, value)
    flows_activate()
    client_create(client_id=CLIENT, flows=[ACK_FLOW], secret=SECRET, actor=ACTOR)


def connect(reaches: Sequence[Reach]) -> None:
    """Point connections; counts from the next run on."""
    from demo.configure import connections_set  # noqa: PLC0415  (models need Django set up)

    connections_set(reaches)


def _property_set(name: str, value: str) -> None:
    from lookups.models import Row  # noqa: PLC0415  (models need Django set up)

    for row in Row.objects.filter(lookup__name=CONFIG):
        if row.cells[0] == name:
            row.cells = [row.cells[0], value, *row.cells[2:]]
            row.save()
            return
    raise LookupError(f"{CONFIG} has no property {name}")


def reaches(*known: Reach) -> list[Reach]:
    """How the package's connections reach this run's servers; those not known here point nowhere."""
    named = {reach.connection: reach for reach in (*_nowhere(), *known)}
    return list(named.values())


def ccs_reach(url: str, user: str, password: str) -> Reach:
    """How CCS's REST services are reached."""
    return Reach(
        "OU REST CCS for CCS-DACS", {"auth": "basic", "url": url, "user": user}, {"password": password}
    )


def _nowhere() -> Iterator[Reach]:
    url = f"http://127.0.0.1:{UNUSED}"
    yield ccs_reach(url, "nobody", "nothing")
    for system in ("CCS", "DACS"):
        yield Reach(
            f"OU FTP {system} for CCS-DACS",
            {"host": "127.0.0.1", "port": UNUSED, "user": "nobody"},
            {"password": "none"},
            host_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
        )
        settings = {"endpoint_url": url, "access_key": "key"}
        yield Reach(f"OU REST {system} OS for CCS-DACS", settings, {"secret_key": "secret"})


def ack(sync_request: str) -> dict[str, Any]:
    """DACS's acknowledgement of one sync request, as it sends it to the hub."""
    details = {"syncRequestId": sync_request, "externalReferenceId": sync_request, "ackStatus": "ACCEPTED"}
    return {"sendDetails": details}


@contextmanager
def web_server(workers: int = 1) -> Iterator[tuple[str, int]]:
    """granian as `make run` starts it: its URL and its process id."""
    port, log = free_port(), var_folder() / "web.log"
    options = ("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws")
    size = ("--workers", str(workers), "--blocking-threads", "8")
    command = python("-m", "granian", *options, *size, "hub.wsgi:application")
    with running(command, log=log, environment=os.environ) as process:
        wait_for_port(port, process, log)
        yield f"http://127.0.0.1:{port}", process.pid


@contextmanager
def cluster(workers: int) -> Iterator[int]:
    """django-q2's cluster with so many workers: its process id."""
    environment = {**os.environ, "HUB_WORKERS": str(workers)}
    log = var_folder() / "worker.log"
    with running(python("manage.py", "qcluster"), log=log, environment=environment) as process:
        yield process.pid
