"""A file's bytes over SFTP, with many requests under way, so that distance costs little; memory is bounded."""

import hashlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import paramiko

from integrations.adapters.contract import CHUNK, Endpoint, Reader, Written
from integrations.adapters.errors import (
    AdapterError,
    Dropped,
    NotFound,
    NotPermitted,
    TargetFull,
    TimedOut,
    Unwhole,
)
from integrations.adapters.sftp_answers import (
    NO_SUCH_FILE,
    PERMISSION_DENIED,
    Attributes,
    StatusError,
    attributes_in,
)
from integrations.adapters.sftp_login import where_of
from integrations.adapters.sftp_wire import Wire

WINDOW = 4 * 1024 * 1024  # bytes asked for, or sent, whose answers have not come
MOST_REQUESTS = 64  # the same in requests, where they are small


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
    if error.code == NO_SUCH_FILE:
        return NotFound(f"{path} is not at {where}", detail=error.text)
    if error.code == PERMISSION_DENIED:
        user = endpoint.settings.get("user", "")
        return NotPermitted(f"{where} does not permit {user} to use {path}", detail=error.text)
    words = error.text.lower()
    if "space" in words or "quota" in words or (wire and _is_full(wire)):
        return TargetFull(f"{where} has no space left for {path}", detail=error.text)
    return AdapterError(f"{where} could not do it with {path}: {error.text or 'failure'}")


def _is_full(wire: Wire) -> bool:
    with suppress(EOFError, OSError, paramiko.SSHException):
        return wire.space_left(b".") == 0
    return False


def check_size(endpoint: Endpoint, path: str, there: int | None, sent: int) -> None:
    """Unwhole where the server says that it has another number of bytes than were sent."""
    if there is not None and there != sent:
        raise Unwhole(f"{path} at {where_of(endpoint)} has {there} bytes, {sent} were sent")


def send_file(
    endpoint: Endpoint, wire: Wire, handle: bytes, path: str, source: Reader, *, flush: bool
) -> Written:
    """All of `source` to an open handle, closed, its size compared; on the server's disk before, if `flush`.

    Errors of `source` come through as they are.
    """
    digest, sending = hashlib.sha256(), _Sending(wire, handle)
    while chunk := source.read(CHUNK):
        with sftp_errors(endpoint, path, wire):
            sending.put(chunk)
        digest.update(chunk)  # while the server has something to do
    with sftp_errors(endpoint, path, wire):
        attributes = sending.finish(flush=flush and wire.can_flush)
        if attributes is None or attributes.size != sending.size:
            attributes = wire.stat(path.encode())  # some servers know it only of a closed file
    check_size(endpoint, path, attributes.size, sending.size)
    return Written(sending.size, digest.hexdigest())


class _Sending:
    """Bytes on their way into an open file, so many that the server always has some to write."""

    def __init__(self, wire: Wire, handle: bytes) -> None:
        self._wire, self._handle = wire, handle
        self._most = min(WINDOW, MOST_REQUESTS * wire.write_block)
        self._asked: deque[tuple[int, int]] = deque()  # number, bytes
        self._open = 0  # bytes whose answers have not come
        self.size = 0

    def put(self, chunk: bytes) -> None:
        """The next bytes. Answers are taken in half a window at a time, not one for each request."""
        view, block = memoryview(chunk), self._wire.write_block
        for start in range(0, len(view), block):
            part = view[start : start + block]
            self._asked.append((self._wire.ask_write(self._handle, self.size, part), len(part)))
            self.size += len(part)
            self._open += len(part)
            self._wire.push()
            if self._open >= self._most or len(self._asked) >= MOST_REQUESTS:
                self._settle(self._open // 2)

    def finish(self, *, flush: bool) -> Attributes | None:
        """Flush, look and close in one go; None where the server does not say what it has."""
        wire, handle = self._wire, self._handle
        if flush:
            self._asked.append((wire.ask_flush(handle), 0))
        stat, close = wire.ask_file_stat(handle), wire.ask_close(handle)
        self._settle(-1)
        attributes = None
        with suppress(StatusError):
            attributes = attributes_in(wire.answer(stat))
        wire.answer(close)
        return attributes

    def _settle(self, left: int) -> None:
        while self._asked and self._open > left:
            number, size = self._asked.popleft()
            self._wire.answer(number)
            self._open -= size


class ReadAhead:
    """A file read in order, with requests sent ahead; few at first, so that a small file costs little."""

    def __init__(self, endpoint: Endpoint, wire: Wire, handle: bytes, path: str, *, start: int = 0) -> None:
        """`handle` is open for reading; `start`: bytes that have been read already."""
        self._endpoint, self._wire, self._handle, self._path = endpoint, wire, handle, path
        self._asked: deque[tuple[int, int, int]] = deque()  # number, offset, size
        self._most = min(WINDOW // wire.read_block, MOST_REQUESTS)
        self._next, self._window, self._ended = start, 2, False
        self._rest: bytes | memoryview = b""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; b"" at the end. What one request brought is not copied where it is wanted whole."""
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK), b""))
        if not self._rest and not self._ended and size:
            with sftp_errors(self._endpoint, self._path):
                self._rest = self._block()
        found, self._rest = self._rest, b""
        if len(found) > size:
            view = memoryview(found)
            found, self._rest = view[:size], view[size:]
        return bytes(found)

    def _block(self) -> bytes:
        if len(self._asked) <= self._window // 2:
            self._ask()
        number, offset, size = self._asked.popleft()
        content = self._wire.read_answer(number)
        if not content:
            self._ended = True
        elif len(content) < size:  # the rest of this block comes before the blocks behind it
            offset, size = offset + len(content), size - len(content)
            self._asked.appendleft((self._wire.ask_read(self._handle, offset, size), offset, size))
        else:
            self._window = min(self._window * 2, self._most)
        return content

    def _ask(self) -> None:
        size = self._wire.read_block
        while len(self._asked) < self._window:
            self._asked.append((self._wire.ask_read(self._handle, self._next, size), self._next, size))
            self._next += size
        self._wire.flush()

    def stop(self) -> None:
        """Answers still on their way are dropped as they come."""
        for number, _, _ in self._asked:
            self._wire.forget(number)
        self._asked.clear()

    def finish(self) -> None:
        """Close the file."""
        self.stop()
        with sftp_errors(self._endpoint, self._path):
            self._wire.answer(self._wire.ask_close(self._handle))
