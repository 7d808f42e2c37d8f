"""The ends of a route: a folder of this machine behind a server, as the hub, rclone and OpenSSH reach it.

The folder is filled and looked into beside the server, so that what is judged is on the disk.
"""

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.plain import sftp_batch
from bench.rclone import ObjectPlace, Spent, object_server
from bench.servers import FileServer, openssh
from demo.reach import Reach

SFTP_END, OBJECTS_END = "sftp", "os"
TITLES = {SFTP_END: "SFTP", OBJECTS_END: "object storage"}
FORGET_SECONDS = 0.3  # an object server's, to take the signal


@dataclass(frozen=True)
class End(ABC):
    """One end. `system`: CCS or DACS, as the package's connections and properties name it."""

    system: str
    folder: Path

    @abstractmethod
    def reach(self, **settings: str) -> Reach:
        """How the system's connection reaches it; `settings` are added."""

    @abstractmethod
    def properties(self) -> Mapping[str, str]:
        """The package's properties that say where files are."""

    @abstractmethod
    def spec(self) -> str:
        """How rclone names it."""

    def changed(self) -> None:
        """The folder was changed beside the server."""
        return


@dataclass(frozen=True)
class SftpEnd(End):
    """A directory behind OpenSSH's server."""

    server: FileServer = field(kw_only=True)

    def reach(self, **settings: str) -> Reach:
        at = {"host": "127.0.0.1", "port": self.server.port, "user": self.server.user, **settings}
        return Reach(
            f"OU FTP {self.system} for CCS-DACS", at, self.server.secrets, host_key=self.server.host_key
        )

    def properties(self) -> Mapping[str, str]:
        way = "input" if self.system == "CCS" else "output"
        return {f"{self.system.lower()}.ftp.custsync.{way}.directory": str(self.folder)}

    def spec(self) -> str:
        server = self.server
        return (
            f':sftp,host=127.0.0.1,port={server.port},user={server.user},key_file="{server.private}",'
            f'known_hosts_file="{server.known_hosts}",shell_type=none:{self.folder}'
        )

    def program(self, lines: list[str], here: Path) -> Spent:
        """OpenSSH's `sftp` with these commands, between this end and a folder here."""
        batch = "\n".join([f"lcd {here}", f"cd {self.folder}", *lines, ""])
        return sftp_batch(self.server, Path(self.server.known_hosts), batch)


@dataclass(frozen=True)
class ObjectsEnd(End):
    """A bucket behind `rclone serve s3`."""

    place: ObjectPlace = field(kw_only=True)

    def reach(self, **settings: str) -> Reach:
        at = {"endpoint_url": self.place.url, "access_key": self.place.access_key, "bucket": self.folder.name}
        secrets = {"secret_key": self.place.secret_key}
        return Reach(f"OU REST {self.system} OS for CCS-DACS", {**at, **settings}, secrets)

    def properties(self) -> Mapping[str, str]:
        system = self.system.lower()
        return {
            f"{system}.os.custsync.namespace": f"{system}namespace",
            f"{system}.os.custsync.bucketname": self.folder.name,
        }

    def spec(self) -> str:
        return self.place.spec(self.folder.name)

    def changed(self) -> None:
        """The server keeps a folder's listing for minutes, until this signal."""
        os.kill(self.place.pid, signal.SIGHUP)
        time.sleep(FORGET_SECONDS)


@contextmanager
def end(kind: str, system: str, work: Path) -> Iterator[End]:
    """An end with a server of its own, until the block ends; all of it is in `work`. RuntimeError where one is not
    installed.
    """
    folder = work / system.lower()
    if kind == SFTP_END:
        with openssh(folder) as server:
            files = folder / "files"
            files.mkdir()
            yield SftpEnd(system, files, server=server)
    else:
        with object_server(folder) as place:
            yield ObjectsEnd(system, place.bucket(f"{system.lower()}-files"), place=place)
