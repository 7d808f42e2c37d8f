"""The SFTP protocol, version 3 (draft-ietf-secsh-filexfer-02), over one SSH channel.

Why not paramiko's SFTPClient: it decodes names while it reads a directory, so that one name that is not UTF-8 stops
the whole listing; it swallows errors when a file is closed; it does not show the server's extensions.
Names are bytes here. Several requests may be under way; answers are matched by their number.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import paramiko
from paramiko.sftp import (
    CMD_ATTRS,
    CMD_CLOSE,
    CMD_DATA,
    CMD_EXTENDED,
    CMD_EXTENDED_REPLY,
    CMD_HANDLE,
    CMD_INIT,
    CMD_NAME,
    CMD_OPEN,
    CMD_OPENDIR,
    CMD_READ,
    CMD_READDIR,
    CMD_REALPATH,
    CMD_REMOVE,
    CMD_RENAME,
    CMD_STAT,
    CMD_STATUS,
    CMD_VERSION,
    CMD_WRITE,
    SFTP_FLAG_CREATE,
    SFTP_FLAG_READ,
    SFTP_FLAG_TRUNC,
    SFTP_FLAG_WRITE,
)

OK, EOF, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, UNSUPPORTED = 0, 1, 2, 3, 4, 8
_LARGEST_PACKET = 1024 * 1024
_HAS_SIZE, _HAS_OWNER, _HAS_MODE, _HAS_TIMES, _HAS_MORE = 1, 2, 4, 8, 0x80000000


class StatusError(Exception):
    """The server's answer is a status other than OK."""

    def __init__(self, code: int, text: str) -> None:
        """`code`: SSH_FX_…; `text`: the server's own words."""
        super().__init__(text or f"SFTP status {code}")
        self.code = code
        self.text = text


class ProtocolBroken(StatusError):
    """The server sent something that is no SFTP, or not what was asked for."""

    def __init__(self, text: str) -> None:
        super().__init__(FAILURE, text)


@dataclass(frozen=True, slots=True)
class Attributes:
    """What the server says of a file; None where it does not."""

    size: int | None
    mode: int | None
    modified: int | None


class Wire:
    """One SFTP session. Not for several threads at once."""

    def __init__(self, channel: paramiko.Channel) -> None:
        """`channel` has the sftp subsystem; its timeout bounds every wait here."""
        self._channel = channel
        self._number = 0
        self._early: dict[int, tuple[int, paramiko.Message]] = {}
        self._unwanted: set[int] = set()
        self.extensions = self._hello()

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    # -- requests and answers ----------------------------------------------------------------------------

    def ask(self, kind: int, content: bytes) -> int:
        """Send a request; its number."""
        self._number = (self._number + 1) & 0xFFFFFFFF
        head = struct.pack(">IBI", len(content) + 5, kind, self._number)
        self._channel.sendall(head + content)
        return self._number

    def answer(self, number: int) -> tuple[int, paramiko.Message]:
        """The answer to a request: kind and content; StatusError for a status other than OK."""
        while number not in self._early:
            kind, content = self._packet()
            message = paramiko.Message(content)
            found = message.get_int()
            if found in self._unwanted:
                self._unwanted.discard(found)
            else:
                self._early[found] = (kind, message)
        kind, message = self._early.pop(number)
        if kind == CMD_STATUS and (code := message.get_int()) != OK:
            raise StatusError(code, message.get_string().decode("utf-8", "replace"))
        return kind, message

    def forget(self, number: int) -> None:
        """The answer to this request is not wanted any more."""
        if self._early.pop(number, None) is None:
            self._unwanted.add(number)

    def call(self, kind: int, content: bytes, expected: int = CMD_STATUS) -> paramiko.Message:
        """Ask and wait; ProtocolBroken where the answer is of another kind than `expected`."""
        found, message = self.answer(self.ask(kind, content))
        if found != expected:
            raise ProtocolBroken(f"the server answered {found} where {expected} was expected")
        return message

    # -- operations --------------------------------------------------------------------------------------

    def names(self, directory: bytes) -> Iterator[tuple[bytes, Attributes]]:
        """Every name in a directory as bytes, `.` and `..` left out, in the server's order."""
        handle = self.call(CMD_OPENDIR, _text(directory), CMD_HANDLE).get_string()
        try:
            while True:
                yield from _entries(self.call(CMD_READDIR, _text(handle), CMD_NAME))
        except StatusError as error:
            if error.code != EOF:
                raise
        self.close_handle(handle)

    def stat(self, path: bytes) -> Attributes:
        """The file behind a path, links followed."""
        return _attributes(self.call(CMD_STAT, _text(path), CMD_ATTRS))

    def real_path(self, path: bytes) -> str:
        """The absolute path the server understands this one as."""
        message = self.call(CMD_REALPATH, _text(path), CMD_NAME)
        message.get_int()
        return message.get_string().decode("utf-8", "backslashreplace")

    def open_read(self, path: bytes) -> bytes:
        """A handle for reading."""
        return self._open(path, SFTP_FLAG_READ)

    def open_write(self, path: bytes) -> bytes:
        """A handle for writing from the start; what was there is gone."""
        return self._open(path, SFTP_FLAG_WRITE | SFTP_FLAG_CREATE | SFTP_FLAG_TRUNC)

    def _open(self, path: bytes, flags: int) -> bytes:
        return self.call(CMD_OPEN, _text(path) + struct.pack(">II", flags, 0), CMD_HANDLE).get_string()

    def ask_read(self, handle: bytes, offset: int, size: int) -> int:
        """Ask for bytes; the request's number, for `read_answer`."""
        return self.ask(CMD_READ, _text(handle) + struct.pack(">QI", offset, size))

    def read_answer(self, number: int) -> bytes:
        """The bytes asked for, perhaps fewer; b"" at the end of the file."""
        try:
            kind, message = self.answer(number)
        except StatusError as error:
            if error.code == EOF:
                return b""
            raise
        if kind != CMD_DATA:
            raise ProtocolBroken("the server answered a read without data")
        return message.get_string()

    def ask_write(self, handle: bytes, offset: int, content: bytes) -> int:
        """Send bytes; the request's number, for `answer`."""
        return self.ask(CMD_WRITE, _text(handle) + struct.pack(">Q", offset) + _text(content))

    def fsync(self, handle: bytes) -> None:
        """Have the file on the server's disk, where it offers this."""
        if "fsync@openssh.com" in self.extensions:
            self.call(CMD_EXTENDED, _text(b"fsync@openssh.com") + _text(handle))

    def close_handle(self, handle: bytes) -> None:
        """Close; an error here can mean that what was written is not kept."""
        self.call(CMD_CLOSE, _text(handle))

    def remove(self, path: bytes) -> None:
        """Remove a file."""
        self.call(CMD_REMOVE, _text(path))

    def rename(self, old: bytes, new: bytes) -> None:
        """The protocol's own rename: it fails where `new` exists."""
        self.call(CMD_RENAME, _text(old) + _text(new))

    def posix_rename(self, old: bytes, new: bytes) -> None:
        """OpenSSH's rename(2): it replaces `new`."""
        self.call(CMD_EXTENDED, _text(b"posix-rename@openssh.com") + _text(old) + _text(new))

    def space_left(self, path: bytes) -> int | None:
        """Blocks free for us where the path is; None where the server does not say."""
        if "statvfs@openssh.com" not in self.extensions:
            return None
        with suppress(StatusError):
            message = self.call(CMD_EXTENDED, _text(b"statvfs@openssh.com") + _text(path), CMD_EXTENDED_REPLY)
            return int([message.get_int64() for _ in range(5)][4])
        return None

    # -- packets -----------------------------------------------------------------------------------------

    def _hello(self) -> dict[str, bytes]:
        self._channel.sendall(struct.pack(">IBI", 5, CMD_INIT, 3))
        kind, content = self._packet()
        if kind != CMD_VERSION:
            raise ProtocolBroken("the server does not begin as SFTP servers do")
        message = paramiko.Message(content)
        message.get_int()
        found: dict[str, bytes] = {}
        while message.get_remainder():
            name = message.get_string().decode("utf-8", "replace")
            found[name] = message.get_string()
        return found

    def _packet(self) -> tuple[int, bytes]:
        size = struct.unpack(">I", self._bytes(4))[0]
        if not 0 < size <= _LARGEST_PACKET:
            raise ProtocolBroken("the server sent something that is no SFTP packet")
        content = self._bytes(size)
        return content[0], content[1:]

    def _bytes(self, size: int) -> bytes:
        parts = []
        while size:
            part = self._channel.recv(size)
            if not part:
                raise EOFError("the server closed the session")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def _text(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _entries(message: paramiko.Message) -> Iterator[tuple[bytes, Attributes]]:
    for _ in range(message.get_int()):
        name = message.get_string()
        message.get_string()  # the line `ls -l` would print
        attributes = _attributes(message)
        if name not in (b".", b".."):
            yield name, attributes


def _attributes(message: paramiko.Message) -> Attributes:
    flags = message.get_int()
    size = message.get_int64() if flags & _HAS_SIZE else None
    if flags & _HAS_OWNER:
        message.get_int(), message.get_int()
    mode = message.get_int() if flags & _HAS_MODE else None
    modified = None
    if flags & _HAS_TIMES:
        message.get_int()
        modified = message.get_int()
    if flags & _HAS_MORE:
        for _ in range(message.get_int() * 2):
            message.get_string()
    return Attributes(size, mode, modified)
