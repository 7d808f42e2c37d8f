"""A file's bytes over SFTP, with many requests under way, so that distance costs little; memory is bounded."""

import hashlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko

from integrations.adapters import sftp_wire
from integrations.adapters.contract import CHUNK, Endpoint, Reader, Written
from integrations.adapters.errors import (
    AdapterError,
    Dropped,
    NotFound,
    NotPermitted,
    TargetFull,
    TimedOut,
)
from integrations.adapters.sftp_login import where_of
from integrations.adapters.sftp_wire import StatusError, Wire

BLOCK = 32 * 1024  # bytes a request; every server takes so many
WINDOW = 64  # requests under way: 2 MiB


@contextmanager
def sftp_errors(endpoint: Endpoint, path: str, wire: Wire | None = None) -> Iterator[None]:
    """What the server or the network says about this path, in the hub's words.

    With `wire`, a failure that gives no reason is looked into: OpenSSH does not say when the disk is full.
    """
    where = where_of(endpoint)
    try:
        yield
    except StatusError as error:
        raise _status(error, endpoint, path, wire) from error
    except TimeoutError as error:
        raise TimedOut(f"{where} said nothing about {path} for {endpoint.read_timeout:g} s") from error
    except (EOFError, OSError, paramiko.SSHException) as error:
        raise Dropped(f"{where} dropped the session at {path}", detail=str(error)) from error


def _status(error: StatusError, endpoint: Endpoint, path: str, wire: Wire | None) -> AdapterError:
    where = where_of(endpoint)
    if error.code == sftp_wire.NO_SUCH_FILE:
        return NotFound(f"{path} is not at {where}", detail=error.text)
    if error.code == sftp_wire.PERMISSION_DENIED:
        user = endpoint.settings.get("user", "")
        return NotPermitted(f"{where} does not permit {user} to use {path}", detail=error.text)
    words = error.text.lower()
    if "space" in words or "quota" in words or (wire and wire.space_left(b".") == 0):
        return TargetFull(f"{where} has no space left for {path}", detail=error.text)
    return AdapterError(f"{where} could not do it with {path}: {error.text or 'failure'}")


def send_file(endpoint: Endpoint, wire: Wire, handle: bytes, path: str, source: Reader) -> Written:
    """All of `source` to an open handle, on the server's disk where it offers that, and closed.

    Errors of `source` come through as they are.
    """
    digest, offset = hashlib.sha256(), 0
    under_way: deque[int] = deque()
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        with sftp_errors(endpoint, path, wire):
            for start in range(0, len(chunk), BLOCK):
                under_way.append(wire.ask_write(handle, offset + start, chunk[start : start + BLOCK]))
                if len(under_way) >= WINDOW:
                    wire.answer(under_way.popleft())
        offset += len(chunk)
    with sftp_errors(endpoint, path, wire):
        while under_way:
            wire.answer(under_way.popleft())
        wire.fsync(handle)
        wire.close_handle(handle)
    return Written(offset, digest.hexdigest())


class ReadAhead:
    """A file read in order, with requests sent ahead; few at first, so that a small file costs little."""

    def __init__(self, endpoint: Endpoint, wire: Wire, handle: bytes, path: str) -> None:
        """`handle` is open for reading."""
        self._endpoint, self._wire, self._handle, self._path = endpoint, wire, handle, path
        self._asked: deque[tuple[int, int, int]] = deque()  # number, offset, size
        self._next, self._window, self._rest, self._ended = 0, 2, b"", False

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; b"" at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK), b""))
        if not self._rest and not self._ended and size:
            with sftp_errors(self._endpoint, self._path):
                self._rest = self._block()
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def _block(self) -> bytes:
        while len(self._asked) < self._window:
            self._asked.append((self._wire.ask_read(self._handle, self._next, BLOCK), self._next, BLOCK))
            self._next += BLOCK
        number, offset, size = self._asked.popleft()
        content = self._wire.read_answer(number)
        if not content:
            self._ended = True
        elif len(content) < size:  # the rest of this block comes before the blocks behind it
            offset, size = offset + len(content), size - len(content)
            self._asked.appendleft((self._wire.ask_read(self._handle, offset, size), offset, size))
        else:
            self._window = min(self._window * 2, WINDOW)
        return content

    def finish(self) -> None:
        """Close the file; answers still on their way are dropped as they come."""
        for number, _, _ in self._asked:
            self._wire.forget(number)
        with sftp_errors(self._endpoint, self._path):
            self._wire.close_handle(self._handle)
