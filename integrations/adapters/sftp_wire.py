"""The SFTP protocol, version 3 (draft-ietf-secsh-filexfer-02), over one SSH channel.

Why not paramiko's SFTPClient: it decodes names while it reads a directory, so that one name that is not UTF-8 stops
the whole listing; it swallows errors when a file is closed; it does not show the server's extensions; it sends each
request by itself and waits for most answers.
Names are bytes here. Several requests may be under way; answers are matched by their number.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress

import paramiko
from paramiko.sftp import (
    CMD_CLOSE,
    CMD_EXTENDED,
    CMD_EXTENDED_REPLY,
    CMD_FSTAT,
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
    CMD_WRITE,
    SFTP_FLAG_CREATE,
    SFTP_FLAG_READ,
    SFTP_FLAG_TRUNC,
    SFTP_FLAG_WRITE,
)

from integrations.adapters.sftp_answers import (
    EOF,
    Answer,
    Attributes,
    ProtocolBroken,
    StatusError,
    attributes_in,
    content_of,
    data_in,
    entries_in,
    extensions_in,
    good,
    handle_in,
)
from integrations.adapters.sftp_packets import Packets
from integrations.adapters.sftp_pipe import Pipe

_FSYNC, _LIMITS, _POSIX_RENAME = b"fsync@openssh.com", b"limits@openssh.com", b"posix-rename@openssh.com"
_EVERYONES_BLOCK = 32 * 1024  # bytes; every server takes so many in a request (draft, chapter 3)
_LARGEST_BLOCK = 255 * 1024  # bytes; what OpenSSH takes


class Wire:
    """One SFTP session. Not for several threads at once."""

    def __init__(self, channel: paramiko.Channel, pipe: Pipe) -> None:
        """`channel` has the sftp subsystem; its timeout bounds every wait here. `pipe` is the channel's."""
        self._channel = channel
        self._packets = Packets(channel, pipe)
        self._number = 0
        self._early: dict[int, Answer] = {}
        self._unwanted: set[int] = set()
        self.extensions = extensions_in(self._packets.hello())
        self.read_block, self.write_block, self.most_handles = self._limits()

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    # -- requests and answers ----------------------------------------------------------------------------

    def ask(self, kind: int, *content: bytes | memoryview) -> int:
        """Queue a request; its number. It leaves with `push`, or at the latest when an answer is waited for."""
        self._number = (self._number + 1) & 0xFFFFFFFF
        size = sum(map(len, content)) + 5
        self._packets.queue(struct.pack(">IBI", size, kind, self._number), *content)
        return self._number

    def push(self) -> None:
        """Send what is worth sending now."""
        self._packets.push()

    def flush(self) -> None:
        """Send all that is queued."""
        self._packets.flush()

    def answer(self, number: int) -> Answer:
        """The answer to a request; StatusError for a status other than OK."""
        while number not in self._early:
            found, kind, content = self._packets.receive()
            if found in self._unwanted:
                self._unwanted.discard(found)
            else:
                self._early[found] = (kind, content)
        return good(self._early.pop(number))

    def forget(self, number: int) -> None:
        """The answer to this request is not wanted any more."""
        if self._early.pop(number, None) is None:
            self._unwanted.add(number)

    def call(self, kind: int, *content: bytes, expected: int = CMD_STATUS) -> bytes:
        """Ask and wait; ProtocolBroken where the answer is of another kind than `expected`."""
        return content_of(self.answer(self.ask(kind, *content)), expected)

    # -- operations that wait ----------------------------------------------------------------------------

    def names(self, directory: bytes) -> Iterator[tuple[bytes, Attributes]]:
        """Every name in a directory as bytes, `.` and `..` left out, in the server's order."""
        handle = handle_in(self.answer(self.ask(CMD_OPENDIR, _text(directory))))
        try:
            while True:
                yield from entries_in(self.call(CMD_READDIR, _text(handle), expected=CMD_NAME))
        except StatusError as error:
            if error.code != EOF:
                raise
        self.answer(self.ask_close(handle))

    def stat(self, path: bytes) -> Attributes:
        """The file behind a path, links followed."""
        return attributes_in(self.answer(self.ask_stat(path)))

    def real_path(self, path: bytes) -> str:
        """The absolute path the server understands this one as."""
        message = paramiko.Message(self.call(CMD_REALPATH, _text(path), expected=CMD_NAME))
        message.get_int()
        return message.get_string().decode("utf-8", "backslashreplace")

    def remove(self, path: bytes) -> None:
        """Remove a file."""
        self.call(CMD_REMOVE, _text(path))

    def space_left(self, path: bytes) -> int | None:
        """Blocks free for us where the path is; None where the server does not say."""
        if "statvfs@openssh.com" not in self.extensions:
            return None
        with suppress(StatusError):
            return self._numbers(_text(b"statvfs@openssh.com"), _text(path), count=5)[4]
        return None

    def _limits(self) -> tuple[int, int, int]:
        """Bytes to read and to write with one request, and files open at once (0: not said)."""
        asked = [0, 0, 0]
        if _LIMITS.decode() in self.extensions:
            with suppress(StatusError):
                asked = self._numbers(_text(_LIMITS), count=4)[1:]
        read, write = (min(size or _EVERYONES_BLOCK, _LARGEST_BLOCK) for size in asked[:2])
        return read, write, asked[2]

    def _numbers(self, *request: bytes, count: int) -> list[int]:
        content = self.call(CMD_EXTENDED, *request, expected=CMD_EXTENDED_REPLY)
        if len(content) < count * 8:
            raise ProtocolBroken("the server's answer to an extension is too short")
        return list(struct.unpack_from(f">{count}Q", content))

    # -- operations asked for; their answers come by number ------------------------------------------------

    def ask_open_read(self, path: bytes) -> int:
        """Ask for a handle for reading, for `handle_in`."""
        return self._ask_open(path, SFTP_FLAG_READ)

    def ask_open_write(self, path: bytes) -> int:
        """Ask for a handle for writing from the start; what was there is gone."""
        return self._ask_open(path, SFTP_FLAG_WRITE | SFTP_FLAG_CREATE | SFTP_FLAG_TRUNC)

    def _ask_open(self, path: bytes, flags: int) -> int:
        return self.ask(CMD_OPEN, _text(path), struct.pack(">II", flags, 0))

    def ask_read(self, handle: bytes, offset: int, size: int) -> int:
        """Ask for bytes, for `read_answer`."""
        return self.ask(CMD_READ, _text(handle), struct.pack(">QI", offset, size))

    def read_answer(self, number: int) -> bytes:
        """The bytes asked for, perhaps fewer; b"" at the end of the file."""
        try:
            return data_in(self.answer(number))
        except StatusError as error:
            if error.code == EOF:
                return b""
            raise

    def ask_write(self, handle: bytes, offset: int, content: bytes | memoryview) -> int:
        """Have bytes written, which are not copied."""
        return self.ask(CMD_WRITE, _text(handle), struct.pack(">QI", offset, len(content)), content)

    def ask_file_stat(self, handle: bytes) -> int:
        """Ask for an open file's attributes, for `attributes_in`."""
        return self.ask(CMD_FSTAT, _text(handle))

    def ask_stat(self, path: bytes) -> int:
        """Ask for the attributes of the file behind a path, for `attributes_in`."""
        return self.ask(CMD_STAT, _text(path))

    @property
    def can_flush(self) -> bool:
        """Whether the server can be asked to have a file on its disk."""
        return _FSYNC.decode() in self.extensions

    def ask_flush(self, handle: bytes) -> int:
        """Ask that the file be on the server's disk."""
        return self.ask(CMD_EXTENDED, _text(_FSYNC), _text(handle))

    def ask_close(self, handle: bytes) -> int:
        """Close; an error here can mean that what was written is not kept."""
        return self.ask(CMD_CLOSE, _text(handle))

    def ask_rename(self, old: bytes, new: bytes) -> int:
        """The protocol's own rename: it fails where `new` exists."""
        return self.ask(CMD_RENAME, _text(old), _text(new))

    @property
    def can_replace(self) -> bool:
        """Whether the server offers OpenSSH's rename(2)."""
        return _POSIX_RENAME.decode() in self.extensions

    def ask_posix_rename(self, old: bytes, new: bytes) -> int:
        """OpenSSH's rename(2): it replaces `new`."""
        return self.ask(CMD_EXTENDED, _text(_POSIX_RENAME), _text(old), _text(new))


def _text(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content
