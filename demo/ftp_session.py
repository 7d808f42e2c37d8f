"""One FTP session in its thread: the commands clients use (RFC 959, 2228, 2389, 2428, 3659, 4217)."""

import contextlib
import errno
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo.faults import Faults

MODES = ("down", "slow", "401", "500", "cut")
_BLOCK = 64 * 1024
_SILENCE = 60.0  # seconds a session may say nothing
_BEFORE_LOGIN = ("USER", "PASS", "AUTH", "PBSZ", "PROT", "FEAT", "QUIT", "NOOP", "OPTS")


@dataclass
class Shared:
    """What all sessions of one server share."""

    root: Path
    users: dict[str, str]
    read_only: tuple[str, ...] = ()
    context: ssl.SSLContext | None = None
    implicit: bool = False
    facts: bool = True
    faults: Faults = field(default_factory=lambda: Faults(MODES))
    slow_seconds: float = 5.0
    cut_after: int = 64 * 1024
    stopping: threading.Event = field(default_factory=threading.Event)
    log: list[dict[str, Any]] = field(default_factory=list)

    def note(self, operation: str, user: str, path: str, **more: Any) -> None:
        """Remember what a client did."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.log.append({"at": at, "operation": operation, "user": user, "path": path} | more)


class Refusal(Exception):
    """A command's negative reply."""


class Session:
    """Commands are methods named do_<command>; each returns its reply, or None where it has sent its own."""

    def __init__(self, shared: Shared, connection: socket.socket) -> None:
        """`connection` is the control connection."""
        self.shared, self.connection = shared, connection
        self.user, self.asked, self.directory, self.old = "", "", "/", ""
        self.private = False
        self.listening: socket.socket | None = None

    def run(self) -> None:
        """Serve until the client goes."""
        try:
            self.connection.settimeout(_SILENCE)
            if self.shared.implicit and self.shared.context:
                self.connection = self.shared.context.wrap_socket(self.connection, server_side=True)
            self.reply("220 Ready")
            for line in self._lines():
                self._obey(line)
        except (OSError, EOFError):
            return  # the client went, or was cut off
        finally:
            self._forget_listening()
            self.connection.close()

    def reply(self, text: str) -> None:
        """Send one reply."""
        self.connection.sendall(f"{text}\r\n".encode())

    def _lines(self) -> Iterator[str]:
        waiting = b""
        while chunk := self.connection.recv(4096):
            waiting += chunk
            while b"\r\n" in waiting:
                line, _, waiting = waiting.partition(b"\r\n")
                yield line.decode("utf-8", "surrogateescape")

    def _obey(self, line: str) -> None:
        command, _, argument = line.partition(" ")
        handler: Callable[[str], str | None] | None = getattr(self, f"do_{command.lower()}", None)
        if handler is None:
            self.reply("502 Not implemented")
        elif not self.user and command.upper() not in _BEFORE_LOGIN:
            self.reply("530 Log in first")
        else:
            self._answer(handler, argument)

    def _answer(self, handler: Callable[[str], str | None], argument: str) -> None:
        try:
            text = handler(argument)
        except Refusal as refusal:
            text = str(refusal)
        except PermissionError:
            text = "550 Permission denied"
        except OSError as error:
            text = "452 No space left" if error.errno == errno.ENOSPC else f"550 {error.strerror}"
        if text:
            self.reply(text)

    def _strike(self) -> None:
        """The faults that strike operations on files."""
        fault = self.shared.faults.take("slow", "500")
        if fault == "500":
            raise Refusal("451 The server failed, as it was told to")
        if fault == "slow":
            self.shared.stopping.wait(self.shared.slow_seconds)

    def do_user(self, argument: str) -> str:
        self.asked = argument
        return "331 Password"

    def do_pass(self, argument: str) -> str:
        good = self.shared.users.get(self.asked) == argument and self.asked in self.shared.users
        if not good or self.shared.faults.take("401"):
            return "530 Login incorrect"
        self.user = self.asked
        return "230 Logged in"

    def do_auth(self, argument: str) -> str | None:
        if self.shared.context is None or argument.upper() != "TLS":
            return "504 No TLS here"
        self.reply("234 Go ahead")
        self.connection = self.shared.context.wrap_socket(self.connection, server_side=True)
        return None

    def do_prot(self, argument: str) -> str:
        self.private = argument.upper() == "P"
        return "200 Done"

    def do_feat(self, argument: str) -> str:
        facts = " MLST type*;size*;modify*;\r\n" if self.shared.facts else ""
        return f"211-Features\r\n UTF8\r\n SIZE\r\n MDTM\r\n{facts}211 End"

    def do_opts(self, argument: str) -> str:
        return "200 Done"

    do_type = do_noop = do_pbsz = do_opts

    def do_quit(self, argument: str) -> None:
        self.reply("221 Bye")
        raise EOFError

    def _real(self, path: str) -> Path:
        return self.shared.root / self._virtual(path).lstrip("/")

    def _virtual(self, path: str) -> str:
        return os.path.normpath(
            "/" + (path if path.startswith("/") else f"{self.directory}/{path}").lstrip("/")
        )

    def do_pwd(self, argument: str) -> str:
        return f'257 "{self.directory}"'

    def do_cwd(self, argument: str) -> str:
        if not self._real(argument).is_dir():
            return "550 No such directory"
        self.directory = self._virtual(argument)
        return "250 Done"

    # -- data --------------------------------------------------------------------------------------------

    def _listen(self) -> int:
        self._forget_listening()
        self.listening = socket.create_server((self.connection.getsockname()[0], 0))
        self.listening.settimeout(10)
        return int(self.listening.getsockname()[1])

    def _forget_listening(self) -> None:
        if self.listening is not None:
            self.listening.close()
            self.listening = None

    def do_epsv(self, argument: str) -> str:
        return f"229 Extended passive (|||{self._listen()}|)"

    def do_pasv(self, argument: str) -> str:
        high, low = divmod(self._listen(), 256)
        return f"227 Passive (127,0,0,1,{high},{low})"

    @contextlib.contextmanager
    def _data(self) -> Iterator[socket.socket]:
        if self.listening is None:
            raise Refusal("425 PASV or EPSV first")
        self.reply("150 Here it comes")
        conn, _ = self.listening.accept()
        self._forget_listening()
        try:
            conn.settimeout(_SILENCE)
            if self.private and self.shared.context:
                conn = self.shared.context.wrap_socket(conn, server_side=True)
            yield conn
            if isinstance(conn, ssl.SSLSocket):
                with contextlib.suppress(OSError):
                    conn.unwrap()
        finally:
            conn.close()

    def _pass(self, conn: socket.socket, blocks: Iterator[bytes], put: Callable[[bytes], Any]) -> int:
        """Blocks from one side to the other; `cut` breaks both connections after some bytes."""
        cut = self.shared.cut_after if self.shared.faults.take("cut") else None
        passed = 0
        for block in blocks:
            put(block)
            passed += len(block)
            if cut is not None and passed >= cut:
                for broken in (conn, self.connection):
                    with contextlib.suppress(OSError):
                        broken.shutdown(socket.SHUT_RDWR)
                raise EOFError
        return passed

    def _may_write(self) -> None:
        if self.user in self.shared.read_only:
            raise PermissionError(errno.EACCES, "This user may only read")

    # -- files -------------------------------------------------------------------------------------------

    def do_retr(self, argument: str) -> str:
        self._strike()
        with self._real(argument).open("rb") as file, self._data() as conn:
            size = self._pass(conn, iter(lambda: file.read(_BLOCK), b""), conn.sendall)
        self.shared.note("get", self.user, self._virtual(argument), size=size)
        return "226 Done"

    def do_stor(self, argument: str) -> str:
        self._strike()
        self._may_write()
        with self._real(argument).open("wb") as file, self._data() as conn:
            size = self._pass(conn, iter(lambda: conn.recv(_BLOCK), b""), file.write)
        self.shared.note("put", self.user, self._virtual(argument), size=size)
        return "226 Done"

    def do_dele(self, argument: str) -> str:
        self._strike()
        self._may_write()
        self._real(argument).unlink()
        self.shared.note("remove", self.user, self._virtual(argument))
        return "250 Done"

    def do_rnfr(self, argument: str) -> str:
        self._strike()
        self._may_write()
        self._real(argument).lstat()
        self.old = argument
        return "350 And its new name"

    def do_rnto(self, argument: str) -> str:
        self._real(self.old).rename(self._real(argument))
        self.shared.note("rename", self.user, self._virtual(argument), old=self._virtual(self.old))
        return "250 Done"

    def do_size(self, argument: str) -> str:
        self._strike()
        return f"213 {self._real(argument).stat().st_size}"

    def do_mdtm(self, argument: str) -> str:
        return f"213 {_moment(self._real(argument))}"

    def do_mlst(self, argument: str) -> str:
        if not self.shared.facts:
            return "502 Not implemented"
        self._strike()
        return f"250-Here\r\n {_facts(self._real(argument))} {argument}\r\n250 End"

    def do_mlsd(self, argument: str) -> str:
        return self._list(argument, lambda path: f"{_facts(path)} ".encode())

    def do_list(self, argument: str) -> str:
        return self._list(argument, _long)

    def _list(self, argument: str, before: Callable[[Path], bytes]) -> str:
        self._strike()
        entries = list(self._real(argument).iterdir())
        lines = [before(path) + os.fsencode(path.name) + b"\r\n" for path in entries]
        with self._data() as conn:
            conn.sendall(b"".join(lines))
        return "226 Done"


def _moment(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y%m%d%H%M%S")


def _facts(path: Path) -> str:
    kind = "dir" if path.is_dir() else "file"
    return f"type={kind};size={path.stat().st_size};modify={_moment(path)};"


def _long(path: Path) -> bytes:
    kind = "d" if path.is_dir() else "-"
    return f"{kind}rw-r--r-- 1 demo demo {path.stat().st_size:>10} Jan  1 12:00 ".encode()
