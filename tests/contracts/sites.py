"""One real server for each kind of store, set up and looked into without the adapter under test."""

import getpass
import io
import os
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from demo.ftp import FtpServer
from demo.objects import ObjectServer
from demo.oci import OciServer
from demo.oci_bucket import Stored
from demo.oci_signature import Account, new_account
from demo.sftp import SftpServer, User
from integrations.adapters import open_adapter
from integrations.adapters.contract import Endpoint, FileStore
from integrations.adapters.memory import memory_place
from tests.contracts.certificates import make
from tests.servers import free_port, wait_for

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin") or ""


class Site(ABC):
    """A store with an empty directory; `server` has fail(), reset(), stop() and received()."""

    has_directories = True  # that exist by themselves, so that one can be missing
    wrong_secret = "wrong-secret"

    def __init__(self, endpoint: Endpoint, directory: str, server: Any = None) -> None:
        self.endpoint, self.directory, self.server = endpoint, directory, server
        self.reader = endpoint

    def store(self, endpoint: Endpoint | None = None, **changes: Any) -> FileStore:
        """The adapter under test; `changes` are of the endpoint."""
        adapter = open_adapter(replace(endpoint or self.endpoint, **changes))
        assert isinstance(adapter, FileStore)
        return adapter

    @abstractmethod
    def put(self, name: str, content: bytes = b"x") -> None:
        """A file is there."""

    @abstractmethod
    def names(self) -> list[str]:
        """The names that are there."""

    def stop(self) -> None:
        """The server is gone."""
        self.server.stop()


class MemorySite(Site):
    """In this process."""

    def put(self, name: str, content: bytes = b"x") -> None:
        self.server.make(self.directory)[name] = content

    def names(self) -> list[str]:
        return sorted(self.server.make(self.directory))

    def stop(self) -> None:
        self.server.fail("down")


class FolderSite(Site):
    """A folder on this machine behind a server."""

    def __init__(self, endpoint: Endpoint, directory: str, server: Any, folder: Path) -> None:
        super().__init__(endpoint, directory, server)
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, name: str, content: bytes = b"x") -> None:
        (self.folder / name).write_bytes(content)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


class BucketSite(Site):
    """A bucket behind the S3 protocol."""

    def put(self, name: str, content: bytes = b"x") -> None:
        self.server.client().put_object(Bucket=self.directory, Key=name, Body=content)

    def names(self) -> list[str]:
        found = self.server.client().list_objects_v2(Bucket=self.directory)
        return sorted(item["Key"] for item in found.get("Contents", []))


class OciSite(Site):
    """A bucket behind OCI's native API."""

    def __init__(self, endpoint: Endpoint, directory: str, server: OciServer) -> None:
        super().__init__(endpoint, directory, server)
        self.bucket = server.buckets[directory]
        self.wrong_secret = oci_account("nobody").private_key

    def put(self, name: str, content: bytes = b"x") -> None:
        self.bucket.keep(name, Stored((self.bucket.receive(io.BytesIO(content), len(content)),), {}))

    def names(self) -> list[str]:
        page = self.bucket.page(prefix="", delimiter="", start="", after="", end="", limit=10_000)
        return [name for name, _ in page.objects]


@cache
def oci_account(name: str) -> Account:
    """A user of the native API; making a key takes its time, so each is made once. `reader` may only read."""
    return new_account(read_only=name == "reader")


def oci_endpoint(server: OciServer, account: Account, **changes: Any) -> Endpoint:
    """A connection to the server; `changes` are of the endpoint."""
    settings = {**account.settings, "endpoint_url": server.url, "namespace": server.namespace}
    made = Endpoint(
        "OS",
        "oci_object_storage",
        {**settings, "bucket": "ccs-out"},
        {"private_key": account.private_key},
        read_timeout=10,
    )
    return replace(made, **changes)


def new_key() -> tuple[str, str]:
    """An Ed25519 key pair: private in OpenSSH's form, public as `type base64`."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()


@contextmanager
def memory(tmp_path: Path) -> Iterator[Site]:
    place = memory_place(str(tmp_path))
    place.make("in")
    place.make("locked", read_only=True)
    site = MemorySite(Endpoint("Mem", "memory", {"store": str(tmp_path)}), "in", place)
    yield site


@contextmanager
def sftp(tmp_path: Path) -> Iterator[Site]:
    users: dict[str, str | User] = {"ccs": "right-password", "reader": User("right-password", read_only=True)}
    with SftpServer(tmp_path, users, slow_seconds=30) as server:
        settings = {"host": server.host, "port": server.port, "user": "ccs"}
        endpoint = Endpoint(
            "CCS", "sftp", settings, {"password": "right-password"}, host_key=server.host_key, read_timeout=10
        )
        site = FolderSite(endpoint, "out", server, tmp_path / "out")
        site.reader = replace(endpoint, settings={**settings, "user": "reader"})
        yield site


@contextmanager
def ftp(tmp_path: Path, **options: Any) -> Iterator[Site]:
    users = {"ccs": "right-password", "reader": "right-password"}
    tls = "none"
    trust: tuple[str, ...] = ()
    if options.pop("tls", ""):
        pair = make()
        tls, trust = ("implicit" if options.get("implicit") else "explicit"), (pair.certificate,)
        options["certificate"] = pair.file(tmp_path / "server.pem")
    root = tmp_path / "root"
    with FtpServer(root, users, read_only=("reader",), slow_seconds=30, **options) as server:
        settings = {"host": server.host, "port": server.port, "user": "ccs", "tls": tls}
        endpoint = Endpoint(
            "CCS", "ftp", settings, {"password": "right-password"}, trust=trust, read_timeout=10
        )
        site = FolderSite(endpoint, "/out", server, root / "out")
        site.reader = replace(endpoint, settings={**settings, "user": "reader"})
        yield site


def ftp_without_facts(tmp_path: Path) -> Any:
    return ftp(tmp_path, facts=False)


def ftps(tmp_path: Path) -> Any:
    return ftp(tmp_path, tls=True)


def ftps_implicit(tmp_path: Path) -> Any:
    return ftp(tmp_path, tls=True, implicit=True)


@contextmanager
def objects(tmp_path: Path) -> Iterator[Site]:
    with ObjectServer(["ccs-out"], readers={"reader": "right-password"}, slow_seconds=30) as server:
        server.reset(files=True)
        settings = {"endpoint_url": server.url, "access_key": server.access_key, "bucket": "ccs-out"}
        endpoint = Endpoint(
            "OS", "object_storage", settings, {"secret_key": server.secret_key}, read_timeout=10
        )
        site = BucketSite(endpoint, "ccs-out", server)
        site.reader = replace(
            endpoint,
            settings={**settings, "access_key": "reader"},
            secrets={"secret_key": "right-password"},
        )
        yield site


@contextmanager
def oci(tmp_path: Path, **options: Any) -> Iterator[OciSite]:
    writer, reader = oci_account("writer"), oci_account("reader")
    options = {"accounts": [writer, reader], "slow_seconds": 30, **options}
    with OciServer(tmp_path / "buckets", ["ccs-out"], **options) as server:
        site = OciSite(oci_endpoint(server, writer), "ccs-out", server)
        site.reader = oci_endpoint(server, reader)
        yield site


class Sshd:
    """Debian's OpenSSH server on a loopback port, with a configuration and keys of its own."""

    def __init__(self, folder: Path) -> None:
        if not SSHD:
            pytest.skip("OpenSSH's server (openssh-server) is not installed")
        folder.mkdir()
        self.folder, self.port = folder, free_port()
        self.private, public = new_key()
        (folder / "authorized_keys").write_text(public + "\n")
        host_key, self.host_key = new_key()
        (folder / "host_key").write_text(host_key)
        (folder / "host_key").chmod(0o600)
        (folder / "config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\n"
            f"PasswordAuthentication no\nPermitRootLogin prohibit-password\nPidFile none\n"
            f"Subsystem sftp internal-sftp\nMaxStartups 100\n"
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        command = [SSHD, "-D", "-e", "-f", str(folder / "config")]
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(command, stderr=self._log, start_new_session=True)
        wait_for(self.port)

    def sessions(self) -> list[int]:
        """The processes that serve sessions."""
        found, todo = [], [self._process.pid]
        while todo:
            listed = subprocess.run(
                ["ps", "-o", "pid=", "--ppid", str(todo.pop())], capture_output=True, text=True, check=False
            )
            children = [int(pid) for pid in listed.stdout.split()]
            found += children
            todo += children
        return found

    def signal(self, number: int) -> None:
        """Send a signal to every session."""
        for pid in self.sessions():
            with suppress(ProcessLookupError):  # it may end by itself meanwhile
                os.kill(pid, number)

    def stop(self) -> None:
        """End the server and its sessions; harmless twice."""
        if self._process.poll() is None:
            self.signal(9)
            self._process.terminate()
        self._process.wait(10)
        self._log.close()


@contextmanager
def sshd(tmp_path: Path) -> Iterator[Site]:
    server = Sshd(tmp_path / "sshd")
    folder = tmp_path / "files"
    settings = {"host": "127.0.0.1", "port": server.port, "user": getpass.getuser()}
    endpoint = Endpoint(
        "SSHD", "sftp", settings, {"private_key": server.private}, host_key=server.host_key, read_timeout=10
    )
    try:
        yield FolderSite(endpoint, str(folder), server, folder)
    finally:
        server.stop()


def host_key_of(key: paramiko.PKey) -> str:
    """A public key as a connection stores it."""
    return f"{key.get_name()} {key.get_base64()}"
