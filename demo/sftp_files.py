"""Folders on this machine served over SFTP: each user sees only its own home."""

import errno
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)
from paramiko.sftp import SFTP_EOF, SFTP_FAILURE, SFTP_OK, SFTP_PERMISSION_DENIED

from demo.faults import Faults

_REFUSALS = {"500": SFTP_FAILURE, "400": SFTP_PERMISSION_DENIED}


@dataclass
class Shared:
    """What all sessions of one server share."""

    root: Path
    faults: Faults = field(default_factory=Faults)
    slow_seconds: float = 5.0
    cut_after: int = 64 * 1024
    stopping: threading.Event = field(default_factory=threading.Event)
    _log: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, operation: str, user: str, path: str, **more: Any) -> None:
        """Remember what a client did."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._lock:
            self._log.append({"at": at, "operation": operation, "user": user, "path": path, **more})

    def noted(self) -> list[dict[str, Any]]:
        """All that was noted, oldest first."""
        with self._lock:
            return list(self._log)

    def forget(self) -> None:
        """Work again, remember nothing."""
        self.faults.clear()
        with self._lock:
            self._log.clear()


class Login(paramiko.ServerInterface):
    """Who may log in, by password or key."""

    def __init__(self, shared: Shared, users: "dict[str, User]") -> None:
        """`users`: name → what it shows to get in."""
        self.shared, self.users = shared, users
        self.user = ""
        self.transport: paramiko.Transport | None = None

    def get_allowed_auths(self, username: str) -> str:
        """The two ways."""
        return "publickey,password"

    def check_auth_password(self, username: str, password: str) -> int:
        """Let in whoever knows the password."""
        user = self.users.get(username)
        return self._judge(username, bool(user and user.password and user.password == password))

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """Let in whoever holds a listed key."""
        user = self.users.get(username)
        line = f"{key.get_name()} {key.get_base64()}"
        return self._judge(username, bool(user and any(line in known for known in user.keys)))

    def _judge(self, username: str, good: bool) -> int:
        if self.shared.faults.take("401") or not good:
            return AUTH_FAILED
        self.user = username
        return AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Sessions only."""
        if kind == "session":
            return OPEN_SUCCEEDED
        return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


@dataclass(frozen=True)
class User:
    """A log-in: a password, public keys (`type base64`), the folder it sees below the root, and if it may write."""

    password: str = ""
    keys: tuple[str, ...] = ()
    home: str = ""
    read_only: bool = False


def _answered(operation: Callable[..., Any]) -> Callable[..., Any]:
    """The operation with OSError turned into SFTP's codes, and the faults that strike operations."""

    def answer(self: "Files", *args: Any) -> Any:
        if fault := self.shared.faults.take("slow", *_REFUSALS):
            if fault in _REFUSALS:
                return _REFUSALS[fault]
            self.shared.stopping.wait(self.shared.slow_seconds)
        try:
            return operation(self, *args)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or errno.EIO)

    return answer


class Files(paramiko.SFTPServerInterface):
    """One session's view of its home."""

    def __init__(self, server: paramiko.ServerInterface, *args: Any, **kwargs: Any) -> None:
        """`server` is the Login of this connection."""
        super().__init__(server, *args, **kwargs)
        assert isinstance(server, Login)  # noqa: S101  (the server below passes no other)
        self.login, self.shared = server, server.shared
        self.home = (self.shared.root / server.users[server.user].home).resolve()

    def _may_write(self) -> None:
        if self.login.users[self.login.user].read_only:
            raise PermissionError(errno.EACCES, "This user may only read")

    def _real(self, path: str) -> Path:
        """The place on disk: whatever a path says, it stays below the home."""
        return self.home / os.path.normpath("/" + path).lstrip("/")

    @_answered
    def list_folder(self, path: str) -> Any:
        """Every name, those that are not UTF-8 as bytes."""
        found = []
        for entry in self._real(path).iterdir():
            attributes = paramiko.SFTPAttributes.from_stat(entry.lstat())
            attributes.filename = _readable(os.fsencode(entry.name))
            found.append(attributes)
        return found

    @_answered
    def stat(self, path: str) -> Any:
        """Attributes, links followed."""
        return paramiko.SFTPAttributes.from_stat(self._real(path).stat())

    @_answered
    def lstat(self, path: str) -> Any:
        """Attributes of a link itself."""
        return paramiko.SFTPAttributes.from_stat(self._real(path).lstat())

    @_answered
    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> Any:
        """A file; `cut` is decided here and strikes after some bytes."""
        writing = bool(flags & (os.O_WRONLY | os.O_RDWR))
        if writing:
            self._may_write()
        descriptor = os.open(self._real(path), flags, 0o644)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return SFTP_FAILURE
        cut = self.shared.cut_after if self.shared.faults.take("cut") else None
        return Handle(self, descriptor, path, flags, writing=writing, cut=cut)

    @_answered
    def remove(self, path: str) -> Any:
        """Remove a file."""
        self._may_write()
        self._real(path).unlink()
        self.shared.note("remove", self.login.user, path)
        return SFTP_OK

    @_answered
    def rename(self, oldpath: str, newpath: str) -> Any:
        """As the protocol says: not onto something."""
        if os.path.lexists(self._real(newpath)):
            return SFTP_FAILURE
        return self._rename(oldpath, newpath)

    @_answered
    def posix_rename(self, oldpath: str, newpath: str) -> Any:
        """rename(2)."""
        return self._rename(oldpath, newpath)

    def _rename(self, oldpath: str, newpath: str) -> int:
        self._may_write()
        self._real(oldpath).rename(self._real(newpath))
        self.shared.note("rename", self.login.user, newpath, old=oldpath)
        return SFTP_OK

    @_answered
    def mkdir(self, path: str, attr: paramiko.SFTPAttributes) -> Any:
        """Make a folder."""
        self._real(path).mkdir()
        return SFTP_OK

    @_answered
    def rmdir(self, path: str) -> Any:
        """Remove an empty folder."""
        self._real(path).rmdir()
        return SFTP_OK


class Handle(paramiko.SFTPHandle):
    """An open file."""

    def __init__(
        self, files: Files, descriptor: int, path: str, flags: int, *, writing: bool, cut: int | None
    ) -> None:
        """`cut`: bytes after which the connection breaks."""
        super().__init__(flags)
        self._files, self._descriptor, self._path = files, descriptor, path
        self._writing, self._cut, self._passed, self._open = writing, cut, 0, True

    def read(self, offset: int, length: int) -> bytes | int:
        """Bytes at a place; b"" at the end."""
        self._count(length)
        return os.pread(self._descriptor, length, offset) or SFTP_EOF

    def write(self, offset: int, data: Any) -> int:
        """Bytes to a place."""
        self._count(len(data))
        try:
            os.pwrite(self._descriptor, data, offset)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or errno.EIO)
        return SFTP_OK

    def stat(self) -> Any:
        """Attributes of the open file."""
        return paramiko.SFTPAttributes.from_stat(os.fstat(self._descriptor))

    def close(self) -> None:
        """Close, and note what was put."""
        if not self._open:
            return
        self._open = False
        size = os.fstat(self._descriptor).st_size
        os.close(self._descriptor)
        operation = "put" if self._writing else "get"
        self._files.shared.note(operation, self._files.login.user, self._path, size=size)

    def _count(self, size: int) -> None:
        self._passed += size
        transport = self._files.login.transport
        if self._cut is not None and self._passed > self._cut and transport is not None:
            transport.close()


def _readable(raw: bytes) -> Any:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
