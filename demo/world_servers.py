"""What both projects' neighbours are made of, and how the hub reaches each kind."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from demo.kept import Kept
from demo.namespaces import NamespaceServer
from demo.neighbour import HttpNeighbour
from demo.reach import Reach
from demo.sftp import SftpServer

HUB_CLIENT = "OIC"


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


def client_secret(kept: Kept, client_id: str) -> str:
    """What a system that calls the hub logs in with."""
    return kept.secret(f"client {client_id}")


def sftp_server(kept: Kept, name: str, root: Path, *, user: str) -> SftpServer:
    """A file server with one user, whose password, port and host key last from one start to the next."""
    users = {user: kept.secret(name)}
    return SftpServer(root, users, port=kept.port(name), host_key=root.parent / "keys" / name)


def object_server(kept: Kept, name: str, namespace: str, buckets: Iterable[str]) -> NamespaceServer:
    """An object storage whose key and port last from one start to the next."""
    key, port = kept.secret(name), kept.port(name)
    return NamespaceServer(namespace, buckets, access_key=name, secret_key=key, port=port)


def sftp_reach(connection: str, server: SftpServer, directory: str) -> Reach:
    """A file server, by its only user."""
    ((user, login),) = server.users.items()
    settings = {"host": server.host, "port": server.port, "user": user, "directory": directory}
    return Reach(connection, settings, {"password": login.password}, host_key=server.host_key)


def objects_reach(connection: str, server: NamespaceServer, bucket: str) -> Reach:
    """An object storage, by its key."""
    settings = {
        "endpoint_url": server.url,
        "region": server.region,
        "access_key": server.access_key,
        "namespace": server.namespace,
        "bucket": bucket,
    }
    return Reach(connection, settings, {"secret_key": server.secret_key})


def rest_reach(connection: str, server: HttpNeighbour, *, base: str = "") -> Reach:
    """REST services below `base`, by the user the neighbour expects."""
    url = server.url + base
    settings = {"auth": "basic", "url": url, "user": server.username}
    return Reach(connection, settings, {"password": server.password}, catalog_url=f"{url}/openapi.json")


def hub_reach(connection: str, hub_url: str, kept: Kept) -> Reach:
    """The hub itself, by the log-in it has for its child flows."""
    settings = {"auth": "basic", "url": hub_url, "user": HUB_CLIENT}
    return Reach(connection, settings, {"password": client_secret(kept, HUB_CLIENT)})
