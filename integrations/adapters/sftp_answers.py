"""What SFTP servers answer, version 3 (draft-ietf-secsh-filexfer-02): kinds, codes, and what is in them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import paramiko
from paramiko.sftp import CMD_ATTRS, CMD_DATA, CMD_HANDLE, CMD_STATUS

OK, EOF, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, UNSUPPORTED = 0, 1, 2, 3, 4, 8
_HAS_SIZE, _HAS_OWNER, _HAS_MODE, _HAS_TIMES, _HAS_MORE = 1, 2, 4, 8, 0x80000000
_HAS_THE_USUAL = struct.pack(">I", _HAS_SIZE | _HAS_OWNER | _HAS_MODE | _HAS_TIMES)
_THE_USUAL = struct.Struct(">IQIIIII")  # flags, size, user, group, mode, accessed, modified

Answer = tuple[int, bytes]  # kind, content; of data the bytes themselves


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


def good(answer: Answer) -> Answer:
    """The answer itself; StatusError for a status other than OK."""
    kind, content = answer
    if kind == CMD_STATUS and content[:4] != b"\0\0\0\0":
        message = paramiko.Message(content)
        raise StatusError(message.get_int(), message.get_string().decode("utf-8", "replace"))
    return answer


def content_of(answer: Answer, expected: int) -> bytes:
    """The content; ProtocolBroken where the answer is of another kind than `expected`."""
    kind, content = answer
    if kind != expected:
        raise ProtocolBroken(f"the server answered {kind} where {expected} was expected")
    return content


def handle_in(answer: Answer) -> bytes:
    """The handle."""
    return content_of(answer, CMD_HANDLE)[4:]


def data_in(answer: Answer) -> bytes:
    """The bytes of a file."""
    return content_of(answer, CMD_DATA)


def attributes_in(answer: Answer) -> Attributes:
    """The attributes."""
    content = content_of(answer, CMD_ATTRS)
    if content.startswith(_HAS_THE_USUAL) and len(content) == _THE_USUAL.size:
        _, size, _, _, mode, _, modified = _THE_USUAL.unpack(content)
        return Attributes(size, mode, modified)
    return _attributes(paramiko.Message(content))


def entries_in(content: bytes) -> Iterator[tuple[bytes, Attributes]]:
    """Names with attributes, `.` and `..` left out."""
    message = paramiko.Message(content)
    for _ in range(message.get_int()):
        name = message.get_string()
        message.get_string()  # the line `ls -l` would print
        attributes = _attributes(message)
        if name not in (b".", b".."):
            yield name, attributes


def extensions_in(content: bytes) -> dict[str, bytes]:
    """What a server offers beyond the version: name → its version or values."""
    message, found = paramiko.Message(content), {}
    while message.get_remainder():
        name = message.get_string().decode("utf-8", "replace")
        found[name] = message.get_string()
    return found


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
