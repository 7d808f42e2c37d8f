"""Where files come from and go to: folders behind SFTP servers, a bucket behind an object storage."""

import getpass
import hashlib
import itertools
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from demo.objects import ObjectServer
from demo.sftp import SftpServer
from tests.contracts.sites import Sshd
from tests.faults.proxy import Proxy
from tests.faults.watch import BucketWatch, Expected, FolderWatch, Watch

_numbers = itertools.count(1)


class Place(Protocol):
    """A place of files as the hub reaches it (through a proxy) and as the judge looks into it."""

    proxy: Proxy
    directory: str  # as the hub names it

    def connection(self) -> dict[str, Any]:
        """How the hub's connection is set up: settings, secrets, host_key."""
        ...

    def contents(self) -> Expected:
        """Everything that is there, hidden names too."""
        ...

    def uploads(self) -> list[str]:
        """Uploads that were begun and neither completed nor aborted."""
        ...

    def watch(self, expected: Expected) -> Watch:
        """Begin to look."""
        ...

    def clear(self) -> None:
        """Nothing is there any more."""
        ...


class FolderPlace:
    """A folder behind an SFTP server: the demo's, or OpenSSH's."""

    def __init__(self, stack: ExitStack, root: Path, name: str, *, sshd: bool) -> None:
        """`name` of the folder below `root`; servers end with the stack."""
        self.folder = root / name
        self.folder.mkdir(parents=True)
        if sshd:
            self.directory = str(self.folder)
            server = Sshd(root / "sshd")
            stack.callback(server.stop)
            self._login = {"user": getpass.getuser()}, {"private_key": server.private}, server.host_key
            port = server.port
        else:
            self.directory = f"/{name}"
            demo = stack.enter_context(SftpServer(root, {"hub": "sftp"}))
            self._login = {"user": "hub"}, {"password": "sftp"}, demo.host_key
            port = demo.port
        self.proxy = stack.enter_context(Proxy(port))

    def connection(self) -> dict[str, Any]:
        """Host, port, log-in."""
        settings, secrets, host_key = self._login
        where = {"host": "127.0.0.1", "port": self.proxy.port}
        return {"settings": {**where, **settings}, "secrets": secrets, "host_key": host_key}

    def contents(self) -> Expected:
        """Each file's size and checksum."""
        return {path.name: measured(path.read_bytes()) for path in self.folder.iterdir()}

    def uploads(self) -> list[str]:
        """What is left of a copy is seen as a file."""
        return []

    def watch(self, expected: Expected) -> Watch:
        """By inotify."""
        return FolderWatch(self.folder, expected)

    def clear(self) -> None:
        """Every file goes."""
        for path in self.folder.iterdir():
            path.unlink()


class BucketPlace:
    """A bucket that keeps versions, so that an object put twice is known as such."""

    def __init__(self, stack: ExitStack) -> None:
        """moto has one set of bucket names a process: each place has one of its own."""
        self.bucket = f"faults-{os.getpid()}-{next(_numbers)}"
        self.directory = f"faults/{self.bucket}"
        self._server = stack.enter_context(ObjectServer([self.bucket]))
        self._client = self._server.client()
        stack.callback(self._client.close)
        stack.callback(self.clear)
        self._client.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        self.proxy = stack.enter_context(Proxy(self._server.port))

    def connection(self) -> dict[str, Any]:
        """Address and keys."""
        where = {
            "endpoint_url": f"http://127.0.0.1:{self.proxy.port}",
            "access_key": self._server.access_key,
        }
        return {"settings": where, "secrets": {"secret_key": self._server.secret_key}, "host_key": ""}

    def contents(self) -> Expected:
        """Each object's size and checksum, as a reader gets it."""
        found = self._client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {item["Key"]: measured(self._read(item["Key"])) for item in found}

    def _read(self, name: str) -> bytes:
        with self._client.get_object(Bucket=self.bucket, Key=name)["Body"] as body:
            content: bytes = body.read()
        return content

    def uploads(self) -> list[str]:
        """Multipart uploads under way."""
        found = self._client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        return [item["Key"] for item in found]

    def watch(self, expected: Expected) -> Watch:
        """By listing."""
        return BucketWatch(self._client, self.bucket, expected)

    def clear(self) -> None:
        """Every version and every upload goes."""
        answer = self._client.list_object_versions(Bucket=self.bucket)
        for version in (*answer.get("Versions", []), *answer.get("DeleteMarkers", [])):
            self._client.delete_object(Bucket=self.bucket, Key=version["Key"], VersionId=version["VersionId"])
        for upload in self._client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", []):
            self._client.abort_multipart_upload(
                Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
            )
        self._server.reset()


def measured(content: bytes) -> tuple[int, str]:
    """Size and SHA-256."""
    return len(content), hashlib.sha256(content).hexdigest()
