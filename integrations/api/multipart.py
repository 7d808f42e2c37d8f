"""Multipart bodies read as they arrive: no part is held in memory or spooled to a temporary file.

Django's parser writes uploads to disk and the payload store would write them again; here the store reads the
part straight from the socket (RFC 7578, RFC 2046 section 5.1).
"""

import re
import unicodedata
from collections.abc import Iterator

from django.utils.http import parse_header_parameters

from integrations.adapters.contract import Reader
from integrations.api.errors import BadMultipart

STRIDE = 64 * 1024
LONGEST_HEADER = 16 * 1024
MOST_PARTS = 100
_PADDING = 64
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


def header_parameters(line: str) -> tuple[str, dict[str, str]]:
    """A header's value in lower case and its parameters; BadMultipart for an encoding there is not (RFC 2231)."""
    try:
        value, parameters = parse_header_parameters(line)
    except ValueError as error:
        raise BadMultipart(f"A header cannot be read: {str(error)[:100]}") from None
    return value, {name: str(parameter) for name, parameter in parameters.items()}


def boundary_of(content_type: str) -> bytes:
    """The boundary a Content-Type header names; BadMultipart where there is none or it is not one."""
    _, parameters = header_parameters(content_type)
    boundary = parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise BadMultipart(
            "The Content-Type header names no valid boundary", hint="multipart/form-data; boundary=…"
        )
    return boundary.encode()


def safe_name(name: str) -> str:
    """A file's name without folders, control and format characters, at most 255 long; "" if none is left."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C").strip()
    return "" if name in (".", "..") else name[:255]


class Part:
    """One part; a Reader of its bytes, valid until the next part is asked for."""

    def __init__(self, body: "Parts", name: str, file_name: str, content_type: str) -> None:
        """Made by Parts."""
        self.name = name
        self.file_name = file_name
        self.content_type = content_type
        self._body = body
        self._ended = False

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, b"" at the part's end; all that is left where no size is said."""
        if size < 0:
            return b"".join(iter(lambda: self.read(STRIDE), b""))
        if self._ended or size == 0:
            return b""
        data = self._body.take(size)
        self._ended = not data
        return data

    def skip(self) -> None:
        """Read the rest and drop it."""
        while self.read(STRIDE):
            pass


class Parts:
    """The parts of a body, in the order they come."""

    def __init__(self, stream: Reader, boundary: bytes) -> None:
        """`stream` is read from where it stands."""
        self._stream = stream
        self._delimiter = b"\r\n--" + boundary
        self._mark = re.compile(re.escape(self._delimiter) + rb"(--|[ \t]{0,%d}\r\n)" % _PADDING)
        self._buffer = bytearray(b"\r\n")  # so that the first delimiter looks like the others

    def __iter__(self) -> Iterator[Part]:
        """Each part once; what of it was not read is skipped. BadMultipart where the body breaks the rules."""
        while self.take(STRIDE):  # the preamble is for nobody
            pass
        for _ in range(MOST_PARTS):
            if self._pass_mark() == b"--":
                return
            part = self._next()
            yield part
            part.skip()
        raise BadMultipart(f"There are more than {MOST_PARTS} parts")

    def take(self, size: int) -> bytes:
        """Up to `size` bytes before the next delimiter; b"" when it is reached."""
        while True:
            if found := self._mark.search(self._buffer):
                return self._cut(min(size, found.start()))
            if safe := self._safe():
                return self._cut(min(size, safe))
            self._fill()

    def _safe(self) -> int:
        """How many bytes at the front cannot be part of a delimiter that is still arriving."""
        start = self._buffer.rfind(self._delimiter)
        if start >= 0 and len(self._buffer) - start < len(self._delimiter) + _PADDING + 2:
            return start
        return max(0, len(self._buffer) - len(self._delimiter) + 1)

    def _cut(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _fill(self) -> None:
        data = self._stream.read(STRIDE)
        if not data:
            raise BadMultipart(
                "The body ended before its closing boundary",
                hint="Either it was cut short, or the boundary is not the one the Content-Type header names.",
            )
        self._buffer += data

    def _pass_mark(self) -> bytes:
        """Step over the delimiter at the front: what followed it."""
        found = self._mark.match(self._buffer)
        if found is None:
            raise BadMultipart("A boundary is not followed by a line end")
        after = found.group(1)
        del self._buffer[: found.end()]
        return after

    def _next(self) -> Part:
        headers = self._headers()
        _, disposition = header_parameters(headers.get("content-disposition", ""))
        encoding = headers.get("content-transfer-encoding", "binary").lower()
        if encoding not in ("binary", "8bit", "7bit"):
            raise BadMultipart(
                f"A part has the transfer encoding {encoding[:40]}", hint="Send parts as they are."
            )
        name, file_name = disposition.get("name", ""), disposition.get("filename", "")
        return Part(self, name, safe_name(file_name), headers.get("content-type", ""))

    def _headers(self) -> dict[str, str]:
        """A part's headers, names in lower case."""
        self._buffer[:0] = b"\r\n"  # a part without headers begins with the empty line itself
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > LONGEST_HEADER:
                raise BadMultipart(f"A part's headers are longer than {LONGEST_HEADER} bytes")
            self._fill()
        lines = self._cut(end + 4).decode("utf-8", errors="replace").split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}
