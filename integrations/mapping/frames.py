"""Messages between the hub and a sandbox process: four bytes of length, then JSON."""

import os
import select
import time
from typing import Any

import orjson

HEADER = 4
MOST = (1 << 32) - 1


class PipeClosed(Exception):
    """The other side is gone."""


class TooSlow(Exception):
    """The other side did not answer, or did not listen, before the deadline."""


class TooLong(Exception):
    """The other side announced a message longer than is taken; carries its length."""


def send(fd: int, message: bytes, *, deadline: float | None = None) -> None:
    """Write one message. `deadline`: on the monotonic clock; the descriptor is then non-blocking."""
    rest = memoryview(len(message).to_bytes(HEADER, "big") + message)
    while rest:
        _wait(fd, select.POLLOUT, deadline)
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:
            continue
        except BrokenPipeError:
            raise PipeClosed from None


def receive(fd: int, *, most: int, deadline: float | None = None) -> Any:
    """The next message's value. PipeClosed at the end, TooSlow, or TooLong where it has over `most` bytes."""
    return orjson.loads(receive_bytes(fd, most=most, deadline=deadline))


def receive_bytes(fd: int, *, most: int, deadline: float | None = None) -> bytes:
    """As `receive`, the bytes themselves."""
    length = int.from_bytes(_read(fd, HEADER, deadline), "big")
    if length > most:
        raise TooLong(length)
    return _read(fd, length, deadline)


def _read(fd: int, size: int, deadline: float | None) -> bytes:
    found = bytearray()
    while len(found) < size:
        _wait(fd, select.POLLIN, deadline)
        try:
            piece = os.read(fd, min(size - len(found), 1 << 20))
        except BlockingIOError:
            continue
        if not piece:
            raise PipeClosed
        found += piece
    return bytes(found)


def _wait(fd: int, event: int, deadline: float | None) -> None:
    if deadline is None:
        return
    poll = select.poll()
    poll.register(fd, event)
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise TooSlow
