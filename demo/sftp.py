"""An SFTP server in threads, on the loopback address, serving a folder."""

import contextlib
import logging
import socket
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import paramiko

from demo.sftp_files import Files, Login, Shared, User

__all__ = ["SftpServer", "User"]
_LOG = "demo.sftp"
# Clients that break off are what this server is for: its log is for whoever asks for it.
logging.getLogger(_LOG).addHandler(logging.NullHandler())
logging.getLogger(_LOG).propagate = False
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class SftpServer:
    """Serves `root`; each user its own home below it. Port 0 takes a free one.

    Modes of `fail`: down (connections are closed at once), 401 (log-ins refused), slow (operations wait
    `slow_seconds`), 500 (operations fail), 400 (operations are not permitted), cut (the connection breaks
    `cut_after` bytes into a file).
    """

    def __init__(
        self,
        root: Path,
        users: Mapping[str, str | User],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        host_key: Path | paramiko.PKey | None = None,
        slow_seconds: float = 5.0,
        cut_after: int = 64 * 1024,
    ) -> None:
        """`users`: name → password or User; `host_key`: a key, or a file it is kept in (made where missing)."""
        self.host, self.port = host, port
        self.shared = Shared(root, slow_seconds=slow_seconds, cut_after=cut_after)
        self.users = {
            name: user if isinstance(user, User) else User(password=user) for name, user in users.items()
        }
        self._key = host_key if isinstance(host_key, paramiko.PKey) else _kept_key(host_key)
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._transports: list[paramiko.Transport] = []

    @property
    def host_key(self) -> str:
        """The public key, `type base64`, as a connection's host key is written."""
        return f"{self._key.get_name()} {self._key.get_base64()}"

    @property
    def url(self) -> str:
        """sftp://host:port"""
        return f"sftp://{self.host}:{self.port}"

    def start(self) -> Self:
        """Listen; from here on `port` is the real one. Homes are made where they are missing."""
        for user in self.users.values():
            (self.shared.root / user.home).mkdir(parents=True, exist_ok=True)
        self.shared.stopping.clear()
        self._socket = socket.create_server((self.host, self.port), backlog=64)
        self._socket.settimeout(0.1)
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="demo-sftp", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close every connection and stop listening; harmless twice."""
        self.shared.stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
        for transport in self._transports:
            transport.close()
        self._transports.clear()
        self._socket = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def fail(self, mode: str, times: int | None = None) -> None:
        """Fail the next `times` connections, log-ins, operations or files; all where None. ValueError."""
        self.shared.faults.set(mode, times)

    def received(self) -> list[dict[str, Any]]:
        """What clients did, oldest first: at, operation (get, put, rename, remove), user, path, size, old."""
        return self.shared.noted()

    def reset(self) -> None:
        """Work again, forget what was received; files stay."""
        self.shared.forget()

    def _accept(self) -> None:
        listening = self._socket
        while listening is not None and not self.shared.stopping.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            if self.shared.faults.take("down"):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                connection.close()
                continue
            self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transports = [transport for transport in self._transports if transport.is_active()]
        transport = paramiko.Transport(connection)
        transport.set_log_channel(_LOG)
        transport.add_server_key(self._key)
        transport.set_subsystem_handler("sftp", _Sftp, Files)
        login = Login(self.shared, self.users)
        login.transport = transport
        self._transports.append(transport)
        # A client that breaks off while keys are exchanged is its own affair: paramiko has logged it.
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(event=threading.Event(), server=login)


class _Sftp(paramiko.SFTPServer):
    """paramiko's server, which knows posix-rename but does not say so."""

    def _send_server_version(self) -> int:
        self._read_packet()  # type: ignore[attr-defined]  # the base class's own, not in its stubs
        message = paramiko.Message()
        message.add_int(3)
        message.add_string("posix-rename@openssh.com")
        message.add_string("1")
        self._send_packet(paramiko.sftp.CMD_VERSION, message)  # type: ignore[attr-defined]  # as above
        return 3


def _kept_key(path: Path | None) -> paramiko.PKey:
    """The key in the file, made where the file is missing; without a file, one that lives as long as the server."""
    if path is None:
        return paramiko.ECDSAKey.generate()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        paramiko.ECDSAKey.generate().write_private_key_file(str(path))
    return paramiko.ECDSAKey.from_private_key_file(str(path))
