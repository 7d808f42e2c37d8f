"""An FTP server in threads, on the loopback address, serving a folder; FTPS where it is given a certificate."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from demo.ftp_session import Session, Shared

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class FtpServer:
    """Serves `root` to every user. Port 0 takes a free one.

    Modes of `fail`: down (connections are closed at once), 401 (log-ins refused), slow (operations wait
    `slow_seconds`), 500 (operations fail), cut (the connection breaks `cut_after` bytes into a file).
    """

    def __init__(
        self,
        root: Path,
        users: Mapping[str, str],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        read_only: tuple[str, ...] = (),
        certificate: Path | None = None,
        implicit: bool = False,
        facts: bool = True,
        slow_seconds: float = 5.0,
        cut_after: int = 64 * 1024,
    ) -> None:
        """`users`: name → password; `read_only`: those that may not write.

        `certificate`: PEM with its key; `facts`: whether it knows MLSD and MLST.
        """
        self.host, self.port = host, port
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
        self.shared = Shared(
            root,
            dict(users),
            read_only,
            context,
            implicit=implicit,
            facts=facts,
            slow_seconds=slow_seconds,
            cut_after=cut_after,
        )
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._sessions: list[tuple[Session, threading.Thread]] = []

    @property
    def url(self) -> str:
        """ftp://host:port"""
        return f"ftp://{self.host}:{self.port}"

    def start(self) -> Self:
        """Listen; from here on `port` is the real one."""
        self.shared.root.mkdir(parents=True, exist_ok=True)
        self.shared.stopping.clear()
        self._socket = socket.create_server((self.host, self.port), backlog=64)
        self._socket.settimeout(0.1)
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="demo-ftp", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close every connection and stop listening; harmless twice."""
        self.shared.stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
        for session, thread in self._sessions:
            with contextlib.suppress(OSError):
                session.connection.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)
        self._sessions.clear()
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
        return list(self.shared.log)

    def reset(self) -> None:
        """Work again, forget what was received; files stay."""
        self.shared.faults.clear()
        self.shared.log.clear()

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
            session = Session(self.shared, connection)
            thread = threading.Thread(target=session.run, name="demo-ftp-session", daemon=True)
            self._sessions = [(other, its) for other, its in self._sessions if its.is_alive()]
            self._sessions.append((session, thread))
            thread.start()
