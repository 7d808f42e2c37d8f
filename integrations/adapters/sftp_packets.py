"""SFTP packets over one SSH channel: requests gathered into full SSH packets, answers cut out of large pieces.

A request is small and paramiko's work for one SSH packet is not, so requests wait here until there are enough, or
until an answer is waited for.
"""

import struct
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko
from paramiko.sftp import CMD_DATA, CMD_INIT, CMD_VERSION

from integrations.adapters.sftp_answers import ProtocolBroken
from integrations.adapters.sftp_pipe import Pipe

_LARGEST_PACKET = 1024 * 1024
_PIECE = 64 * 1024  # bytes taken at a time where less is missing
_SSH_OVERHEAD = 64  # bytes paramiko keeps free in an SSH packet
_WORTH_SENDING = 16  # requests that are sent without waiting for more, so that the server has something to do


class Packets:
    """Both directions of one session. Not for several threads at once."""

    def __init__(self, channel: paramiko.Channel, pipe: Pipe) -> None:
        """`pipe` is the channel's; its timeout bounds every wait here."""
        self._channel, self._pipe = channel, pipe
        self._full = channel.out_max_packet_size - _SSH_OVERHEAD
        self._queued: deque[bytes | memoryview] = deque()
        self._size = self._requests = 0
        self._buffer, self._at = b"", 0
        self._broken = False

    # -- out ---------------------------------------------------------------------------------------------

    def queue(self, *parts: bytes | memoryview) -> None:
        """One request, not copied; it is sent by `push` or `flush`, or when an answer is waited for."""
        self._queued += parts
        self._size += sum(map(len, parts))
        self._requests += 1

    def push(self) -> None:
        """Send what fills SSH packets, or all where many requests have gathered."""
        if self._requests >= _WORTH_SENDING:
            self.flush()
        while self._size >= self._full:
            self._send(self._full)

    def flush(self) -> None:
        """Send all that is queued."""
        self._requests = 0
        while self._size:
            self._send(min(self._size, self._full))

    def _send(self, size: int) -> None:
        parts, left = [], size
        while left:
            part = self._queued.popleft()
            if len(part) > left:
                view = memoryview(part)
                self._queued.appendleft(view[left:])
                part = view[:left]
            parts.append(part)
            left -= len(part)
        self._size -= size
        whole = b"".join(parts)
        with self._unbroken():
            while whole:
                sent = self._channel.send(whole)
                if not sent:
                    raise EOFError("the session ended while a request was sent")
                whole = whole[sent:]

    # -- in ----------------------------------------------------------------------------------------------

    def hello(self) -> bytes:
        """Say version 3; what the server says of its extensions."""
        self.queue(struct.pack(">IBI", 5, CMD_INIT, 3))
        size, kind, _ = struct.unpack(">IBI", self._take(9))
        if kind != CMD_VERSION or not 5 <= size <= _LARGEST_PACKET:  # noqa: PLR2004  (kind and version)
            raise ProtocolBroken("the server does not begin as SFTP servers do")
        return self._take(size - 5)

    def receive(self) -> tuple[int, int, bytes]:
        """The next answer: its request's number, its kind, its content (of data, the bytes themselves)."""
        size, kind, number = struct.unpack(">IBI", self._take(9))
        if not 5 <= size <= _LARGEST_PACKET:  # noqa: PLR2004  (kind and number)
            raise self._out_of_step("the server sent something that is no SFTP packet")
        if kind != CMD_DATA:
            return number, kind, self._take(size - 5)
        (length,) = struct.unpack(">I", self._take(4))
        if length > size - 9:
            raise self._out_of_step("the server sent fewer bytes than it says")
        content = self._take(length)
        self._take(size - 9 - length)  # nothing, where the server keeps to version 3
        return number, kind, content

    def _out_of_step(self, text: str) -> ProtocolBroken:
        self._broken, self._buffer, self._at = True, b"", 0
        return ProtocolBroken(text)

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._buffer):
            return self._wait_for(size)
        found = self._buffer[self._at : end]
        self._at = end
        return found

    def _wait_for(self, size: int) -> bytes:
        """Bytes of which some have not been taken from the channel yet; what is queued is sent first."""
        parts = [self._buffer[self._at :]]
        missing = size - len(parts[0])
        if len(self._pipe) < missing:
            self.flush()
        with self._unbroken():
            while missing > 0:
                self._pipe.wanted = missing
                part = self._channel.recv(max(missing, _PIECE))
                if not part:
                    raise EOFError("the server closed the session")
                parts.append(part)
                missing -= len(part)
        last = parts[-1]
        self._buffer, self._at = last, len(last) + missing
        if missing:
            parts[-1] = last[:missing]
        return b"".join(parts)

    @contextmanager
    def _unbroken(self) -> Iterator[None]:
        """After a first failure nothing is in step any more: whatever is asked then fails at once."""
        if self._broken:
            raise EOFError("the session broke before")
        self._broken = True
        yield
        self._broken = False
