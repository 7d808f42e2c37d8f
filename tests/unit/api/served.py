"""A hub behind a real web server, with one flow and one SFTP server, for tests that watch its process.

Run as a program, it sets up the hub that its environment names: `python -m tests.unit.api.served {"port": …}`.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import django

from bench.processes import (
    ROOT,
    family_of,
    forget_peak,
    free_port,
    hub_environment,
    peak_mib,
    python,
    resident_mib,
    running,
    wait_for_port,
)
from demo.sftp import SftpServer

FLOW = "OUTL-BA-CCS_DACS_FTP_TRANSFER"
URL = f"/ic/api/integration/v1/flows/rest/{FLOW}/1.0/transfer"
CLIENT, SECRET = "DACS", "a long secret of DACS for these tests"
MIB = 1024 * 1024
BOUNDARY = b"frontier"


def set_up(port: int, host_key: str) -> None:
    """Migrate, point the flow at its target, switch it on, make its caller."""
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  (models need Django set up)

    from integrations.models import Flow  # noqa: PLC0415  (as above)
    from integrations.services.client_create import client_create  # noqa: PLC0415  (as above)
    from tests.flows.conftest import connection_set  # noqa: PLC0415  (as above)

    call_command("migrate", interactive=False, verbosity=0)
    where = {"host": "127.0.0.1", "port": port, "user": "hub"}
    connection_set(
        "OU FTP DACS for CCS-DACS", where, {"password": "sftp"}, host_key=host_key, read_timeout=60
    )
    Flow.objects.filter(identifier=FLOW).update(active=True)
    client_create(client_id=CLIENT, flows=[FLOW], secret=SECRET)


@dataclass
class Served:
    """The hub's web server, and the folder its flow writes to."""

    port: int
    pid: int
    target: Path

    def post(
        self, name: str, blocks: Iterator[bytes], size: int, *, chunked: bool = False
    ) -> tuple[int, Any]:
        """Send a file of `size` bytes as multipart, a block at a time; the answer's status and its JSON."""
        before, after = around(name)
        login = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}",
            "Authorization": f"Basic {login}",
        }
        if not chunked:
            headers["Content-Length"] = str(len(before) + size + len(after))
        connection = HTTPConnection("127.0.0.1", self.port, timeout=900)
        try:
            body = (piece for part in ([before], blocks, [after]) for piece in part)
            connection.request("POST", URL, body=body, headers=headers, encode_chunked=chunked)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def resident(self) -> float:
        """MiB the server's processes have resident now; their peaks begin anew."""
        family = family_of(self.pid)
        for pid in family:
            forget_peak(pid)
        return sum(resident_mib(pid) for pid in family)

    def peak(self) -> float:
        """The most MiB they had resident since."""
        return sum(peak_mib(pid) for pid in family_of(self.pid))


@contextmanager
def served(folder: Path, more: Mapping[str, str]) -> Iterator[Served]:
    """A hub of its own in `folder`, answering; `more` is for its environment."""
    environment = hub_environment(folder / "var", more)
    with SftpServer(folder / "dacs", {"hub": "sftp"}) as files:
        (folder / "dacs" / "upload").mkdir()
        said = json.dumps({"port": files.port, "host_key": files.host_key})
        subprocess.run(
            python("-m", "tests.unit.api.served", said), env=environment, cwd=ROOT, check=True, timeout=300
        )
        port, log = free_port(), folder / "web.log"
        options = ("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws")
        command = python("-m", "granian", *options, "--blocking-threads", "4", "hub.wsgi:application")
        with running(command, log=log, environment=environment) as process:
            wait_for_port(port, process, log)
            yield Served(port, process.pid, folder / "dacs" / "upload")


def around(name: str) -> tuple[bytes, bytes]:
    """A body's bytes before and after the file's."""
    message = json.dumps({"fileName": name, "directory": "/upload"}).encode()
    head = b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="'
    request = head + b'request"\r\nContent-Type: application/json\r\n\r\n' + message + b"\r\n"
    return request + head + b'file"; filename="big.csv"\r\n\r\n', b"\r\n--" + BOUNDARY + b"--\r\n"


if __name__ == "__main__":
    set_up(**json.loads(sys.argv[1]))
