"""All neighbours of the customer sync, started together, and how the hub reaches them (seed 001 chapter 5)."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from demo.acknowledgements import HubAddress
from demo.ccs import Ccs
from demo.control import Action, Control
from demo.dacs import Dacs
from demo.effects import Neighbourhood
from demo.extracts import BATCHES
from demo.kept import Kept
from demo.mail import MailServer
from demo.namespaces import NamespaceServer
from demo.reach import PEOPLE, Caller, Reach
from demo.sftp import SftpServer
from demo.shelf import Folder, Shelf

# As the package's lookup OUTL-BRT-CCS_DACS_ConfigProps has them (seed 001 chapter 6).
CCS_DIRECTORY = "/sploutput/CCSEnv/CustomerSync"
DACS_DIRECTORY = "/spl/sploutput/DACSEnv/CustomerSync"
CCS_NAMESPACE, DACS_NAMESPACE, BUCKET = "ccsnamespace", "dacsnamespace", "CCSDACS_CustomerSync"

ACK_FLOW = "OUTL-BA-DACS_CCS_CUST_SYNC_ACK"
CHILD_FLOWS = ("OUTL-BA-CCS_DACS_FTP_TRANSFER", "OUTL-BA-CCS_DACS_OS_TRANSFER")
ACK_PATH = f"/ic/api/integration/v1/flows/oracleutilities/{ACK_FLOW}/1.0/sendCustomerSyncAck"
DACS_CLIENT, HUB_CLIENT = "DACS", "OIC"
# In the order they start: DACS last, as it calls.
NEIGHBOURS = ("ccs-sftp", "dacs-sftp", "ccs-objects", "dacs-objects", "mail", "ccs", "dacs")


class Starts(Protocol):
    """A server."""

    port: int

    def start(self) -> Any:
        """Listen; from here on `port` is the real one."""

    def stop(self) -> None:
        """Listen no more."""


class Server(Starts, Protocol):
    """What all neighbours have."""

    @property
    def url(self) -> str:
        """Where it answers."""
        ...

    def fail(self, mode: str, times: int | None = None) -> None:
        """Fail the next `times` calls, all where None."""

    def received(self) -> list[dict[str, Any]]:
        """What it was sent."""
        ...

    def reset(self) -> None:
        """Work again."""


class World:
    """CCS, DACS, their file servers and object storages, and a mail server, with one control server for all."""

    def __init__(
        self,
        folder: Path,
        *,
        hub_url: str,
        kept: Kept,
        population: int = 300,
        first_id: int | None = None,
        breaks: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`folder`: files and records of the neighbours; `first_id`: of CCS's sync requests, by the clock where
        None, so that no two starts use the same; `breaks`: neighbours and modes to fail with from the start.
        """
        self._hub_url = hub_url
        self._kept = kept
        self._breaks = breaks
        self._stack = ExitStack()
        self.source = Folder(folder / "ccs-files" / CCS_DIRECTORY.lstrip("/"))
        self.target = Folder(folder / "dacs-files" / DACS_DIRECTORY.lstrip("/"))
        self.ccs_sftp = self._sftp("ccs-sftp", folder / "ccs-files", user="CCSUSER")
        self.dacs_sftp = self._sftp("dacs-sftp", folder / "dacs-files", user="DACSUSER")
        self.ccs_objects = self._objects("ccs-objects", CCS_NAMESPACE)
        self.dacs_objects = self._objects("dacs-objects", DACS_NAMESPACE)
        self.mail = MailServer(folder / "mails", port=kept.port("mail"))
        self.ccs = Ccs(
            population=population,
            first_id=first_id or int(time.time()) * 10_000,
            kept=folder / "records",
            username="CCSUSER",
            password=kept.secret("ccs"),
            port=kept.port("ccs"),
        )
        self.dacs = Dacs(
            shelves={"ftp": self.target, "os": self.dacs_objects.shelf(BUCKET)},
            hub=HubAddress(hub_url + ACK_PATH, DACS_CLIENT, kept.secret(f"client {DACS_CLIENT}")),
            kept=folder / "records",
            username="DACSUSER",
            password=kept.secret("dacs"),
            port=kept.port("dacs"),
        )
        self.control = Control(self.neighbours, {"ccs": self._ccs_actions()}, port=kept.port("control"))

    @property
    def neighbours(self) -> dict[str, Server]:
        """All of them, by name, in the order they start."""
        files: tuple[Server, ...] = (self.ccs_sftp, self.dacs_sftp, self.ccs_objects, self.dacs_objects)
        return dict(zip(NEIGHBOURS, (*files, self.mail, self.ccs, self.dacs), strict=True))

    def start(self) -> Self:
        """Start all; those that could be started are stopped where one cannot."""
        with ExitStack() as stack:
            for name, server in self._servers():
                server.start()
                stack.callback(server.stop)
                if isinstance(server, NamespaceServer):
                    server.reset(files=True)  # moto keeps what an earlier world of this process put there
                self._kept.keep_port(name, server.port)
            for name, mode in self._breaks:
                self.neighbours[name].fail(mode)
            self._stack = stack.pop_all()
        return self

    def _servers(self) -> list[tuple[str, Starts]]:
        return [*self.neighbours.items(), ("control", self.control)]

    def stop(self) -> None:
        """Stop all, last started first; harmless twice."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def mail_url(self) -> str:
        """The mail server as EMAIL_URL names it."""
        return f"smtp://{self.mail.host}:{self.mail.port}"

    @property
    def places(self) -> Neighbourhood:
        """Where the effects of the customer sync are looked for."""
        return Neighbourhood(self.ccs, self.dacs, self.source, self.target, self.mail)

    def addresses(self) -> dict[str, dict[str, str]]:
        """Each neighbour's URL and the URL of its control (contract: `var/demo.json`)."""
        return {
            name: {"url": server.url, "control": self.control.url_of(name)}
            for name, server in self.neighbours.items()
        }

    def passwords(self) -> dict[str, str]:
        """A password for each person of the demo, short enough to type."""
        return {username: self._kept.secret(f"user {username}", bytes_of_chance=9) for username in PEOPLE}

    def callers(self) -> list[Caller]:
        """DACS, which acknowledges and may hand in files; and the hub, which calls its own child flows."""
        secrets = {name: self._kept.secret(f"client {name}") for name in (DACS_CLIENT, HUB_CLIENT)}
        return [
            Caller(DACS_CLIENT, "DACS, the neighbour", (ACK_FLOW, *CHILD_FLOWS), secrets[DACS_CLIENT]),
            Caller(HUB_CLIENT, "The hub itself", CHILD_FLOWS, secrets[HUB_CLIENT]),
        ]

    def reaches(self) -> list[Reach]:
        """How each connection of the package reaches its neighbour."""
        return [
            self._sftp_reach("OU FTP CCS for CCS-DACS", self.ccs_sftp, "CCSUSER", "ccs-sftp", CCS_DIRECTORY),
            self._sftp_reach(
                "OU FTP DACS for CCS-DACS", self.dacs_sftp, "DACSUSER", "dacs-sftp", DACS_DIRECTORY
            ),
            _objects_reach("OU REST CCS OS for CCS-DACS", self.ccs_objects),
            _objects_reach("OU REST DACS OS for CCS-DACS", self.dacs_objects),
            _rest_reach("OU REST CCS for CCS-DACS", self.ccs),
            _rest_reach("OU REST DACS for CCS-DACS", self.dacs),
            Reach("OU REST for CCS-DACS"),
            Reach(
                "OU REST OIC for CCS-DACS",
                {"auth": "basic", "url": self._hub_url, "user": HUB_CLIENT},
                {"password": self._kept.secret(f"client {HUB_CLIENT}")},
            ),
        ]

    def _sftp(self, name: str, root: Path, *, user: str) -> SftpServer:
        key = root.parent / "keys" / name
        users = {user: self._kept.secret(name)}
        return SftpServer(root, users, port=self._kept.port(name), host_key=key)

    def _objects(self, name: str, namespace: str) -> NamespaceServer:
        key, port = self._kept.secret(name), self._kept.port(name)
        return NamespaceServer(namespace, [BUCKET], access_key=name, secret_key=key, port=port)

    def _sftp_reach(self, connection: str, server: SftpServer, user: str, name: str, directory: str) -> Reach:
        settings = {"host": server.host, "port": server.port, "user": user, "directory": directory}
        return Reach(connection, settings, {"password": self._kept.secret(name)}, host_key=server.host_key)

    def _ccs_actions(self) -> Mapping[str, Action]:
        """What CCS can be told beside: `extract {"batchCode", "changes", "zip", "to": "ftp" or "os"}`."""

        def extract(values: Mapping[str, Any]) -> dict[str, Any]:
            batch = BATCHES.get(str(values.get("batchCode")))
            if batch is None:
                raise ValueError(f"batchCode is {values.get('batchCode')!r}; it can be {', '.join(BATCHES)}")
            if not batch.initial:
                self.ccs.change(batch.entity, int(values.get("changes", 5)))
            made = self.ccs.extract(batch.code, self._shelf(values), zipped=bool(values.get("zip")))
            return {
                "name": made.name,
                "records": made.records,
                "sha256": made.sha256,
                "syncRequests": made.references,
            }

        return {"extract": extract}

    def _shelf(self, values: Mapping[str, Any]) -> Shelf:
        place = values.get("to", "ftp")
        if place not in ("ftp", "os"):
            raise ValueError(f"to is {place!r}; it can be ftp or os")
        return self.source if place == "ftp" else self.ccs_objects.shelf(BUCKET)


def _objects_reach(connection: str, server: NamespaceServer) -> Reach:
    settings = {
        "endpoint_url": server.url,
        "region": server.region,
        "access_key": server.access_key,
        "namespace": server.namespace,
        "bucket": BUCKET,
    }
    return Reach(connection, settings, {"secret_key": server.secret_key})


def _rest_reach(connection: str, server: Ccs | Dacs) -> Reach:
    settings = {"auth": "basic", "url": server.url, "user": server.username}
    return Reach(
        connection, settings, {"password": server.password}, catalog_url=f"{server.url}/openapi.json"
    )
