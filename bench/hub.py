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
from bench.servers import FileServer
from demo.reach import Reach

ACTOR = "bench"
CLIENT, SECRET = "DACS", "only for the time of this measurement"
ACK_FLOW = "OUTL-BA-DACS_CCS_CUST_SYNC_ACK"
ACK_PATH = f"/ic/api/integration/v1/flows/rest/{ACK_FLOW}/1.0/sendCustomerSyncAck"
FILE_FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
CONFIG = "OUTL-BRT-CCS_DACS_ConfigProps"
IN_PROPERTY, OUT_PROPERTY = "ccs.ftp.custsync.input.directory", "dacs.ftp.custsync.output.directory"
UNUSED = 9  # the discard port: connections that a part does not need point there


def var_folder() -> Path:
    """This hub's folder."""
    return Path(settings.VAR_DIR)


def prepare(reaches: Sequence[Reach], properties: Mapping[str, str]) -> None:
    """Set Django up, migrate, point connections and properties, switch the flows on, make the client."""
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    from demo.configure import connections_set, flows_activate  # noqa: PLC0415  (models need Django set up)
    from integrations.services.client_create import client_create  # noqa: PLC0415  (as above)

    connections_set(reaches)
    for name, value in properties.items():
        _property_set(name, value)
    flows_activate()
    client_create(client_id=CLIENT, flows=[ACK_FLOW], secret=SECRET, actor=ACTOR)


def _property_set(name: str, value: str) -> None:
    from lookups.models import Row  # noqa: PLC0415  (models need Django set up)

    for row in Row.objects.filter(lookup__name=CONFIG):
        if row.cells[0] == name:
            row.cells = [row.cells[0], value, *row.cells[2:]]
            row.save()
            return
    raise LookupError(f"{CONFIG} has no property {name}")


def reaches(ccs_url: str, user: str, password: str, files: FileServer | None) -> list[Reach]:
    """How the package's connections reach this run's servers; those not needed point nowhere."""
    nowhere = f"http://127.0.0.1:{UNUSED}"
    os_settings = {"endpoint_url": nowhere, "access_key": "key"}
    return [
        *(_sftp_reach(name, files) for name in ("OU FTP CCS for CCS-DACS", "OU FTP DACS for CCS-DACS")),
        *(
            Reach(name, os_settings, {"secret_key": "secret"})
            for name in ("OU REST CCS OS for CCS-DACS", "OU REST DACS OS for CCS-DACS")
        ),
        Reach(
            "OU REST CCS for CCS-DACS",
            {"auth": "basic", "url": ccs_url or nowhere, "user": user},
            {"password": password},
        ),
    ]


def _sftp_reach(name: str, files: FileServer | None) -> Reach:
    if files is None:
        return Reach(
            name,
            {"host": "127.0.0.1", "port": UNUSED, "user": "nobody"},
            {"password": "none"},
            host_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
        )
    at = {"host": "127.0.0.1", "port": files.port, "user": files.user}
    return Reach(name, at, files.secrets, host_key=files.host_key)


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
