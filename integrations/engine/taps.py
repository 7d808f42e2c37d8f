"""Reading lines out of a file as it passes: plain or zipped, in constant memory, never a second time."""

import zlib
from collections.abc import Callable
from re import Pattern

LOCAL_HEADER = b"PK\x03\x04"
LOCAL_HEADER_SIZE = 30
DEFLATED = 8
LONGEST_LINE = 1024 * 1024
MOST_UNPACKED = 64 * 1024 * 1024 * 1024
PIECE = 256 * 1024  # bytes inflated at a time, so that a bomb cannot fill memory
PORTION = (
    64 * 1024
)  # zipped bytes inflated from at a time: what is not yet used of them is copied for each piece
BOM = b"\xef\xbb\xbf"


class Unreadable(Exception):
    """The tap cannot make lines of this file; the file itself goes on its way."""


class MarkedLines:
    """Bytes in, blocks of whole lines out to `take` where one of them holds the mark.

    What holds none, an initial load's lines, the bulk of the largest files, costs one search and no copy. NUL bytes
    and a UTF-8 BOM are dropped; a line ends with LF, a CR before it is left to `take`.
    """

    def __init__(self, mark: Pattern[bytes], take: Callable[[bytes], None]) -> None:
        """`mark` matches inside one line; `take` gets a block, from a line with the mark on, each line ended."""
        self._mark, self._take = mark, take
        self._rest = bytearray()  # the beginning of a line whose end has not come yet
        self._first = True

    def feed(self, chunk: bytes) -> None:
        """The next bytes; b"" means the end, and ends a last line without an end. Unreadable: one without any end."""
        if not chunk:
            self._end_line(b"\n" if self._rest else b"")
            return
        if b"\x00" in chunk:
            chunk = chunk.replace(b"\x00", b"")
        end = chunk.rfind(b"\n") + 1
        if end:
            start = self._end_line(chunk[: chunk.find(b"\n") + 1]) if self._rest or self._first else 0
            self._look(chunk, start, end)
        self._keep(chunk, end)

    def _end_line(self, ending: bytes) -> int:
        """Look at the line that began in an earlier chunk; how many bytes of this one belong to it."""
        line = bytes(self._rest) + ending
        self._rest.clear()
        if self._first:
            self._first, line = False, line.removeprefix(BOM)
        self._look(line, 0, len(line))
        return len(ending)

    def _look(self, chunk: bytes, start: int, end: int) -> None:
        if found := self._mark.search(chunk, start, end):
            line = chunk.rfind(b"\n", start, found.start()) + 1
            self._take(chunk[max(line, start) : end])

    def _keep(self, chunk: bytes, start: int) -> None:
        if len(self._rest) + len(chunk) - start > LONGEST_LINE:
            self._rest.clear()
            raise Unreadable(f"a line is longer than {LONGEST_LINE} bytes")
        self._rest += memoryview(chunk)[start:]


class Unzipped:
    """Zip bytes in, the first member's bytes out to `onward`; the sizes a header claims are not believed."""

    def __init__(self, onward: Callable[[bytes], None]) -> None:
        """`onward` gets the unpacked bytes, b"" at the member's end."""
        self._onward = onward
        self._head = b""
        self._inflate: zlib._Decompress | None = None
        self._out = 0
        self._ended = False

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the zip file; Unreadable where they are none, or unpack to too much."""
        if self._ended:
            return
        if self._inflate is None:
            self._head += chunk
            chunk = self._begin()
        if not chunk and self._inflate is None:
            return
        self._unpack(chunk)

    def _begin(self) -> bytes:
        """Past the member's local header; b"" while it is not all there yet."""
        if len(self._head) < LOCAL_HEADER_SIZE:
            return b""
        if not self._head.startswith(LOCAL_HEADER):
            raise Unreadable("it is no zip file")
        method = int.from_bytes(self._head[8:10], "little")
        if method != DEFLATED:
            raise Unreadable(f"its zip method is {method}, not deflate")
        if self._head[6] & 1:
            raise Unreadable("it is an encrypted zip file")
        names = int.from_bytes(self._head[26:28], "little") + int.from_bytes(self._head[28:30], "little")
        if len(self._head) < LOCAL_HEADER_SIZE + names:
            return b""
        rest, self._head = self._head[LOCAL_HEADER_SIZE + names :], b""
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        return rest

    def _unpack(self, chunk: bytes) -> None:
        inflate = self._inflate
        if inflate is None:
            return
        for start in range(0, len(chunk), PORTION):
            self._unpack_portion(inflate, chunk[start : start + PORTION])
        if inflate.eof:
            self._ended = True
            self._onward(b"")

    def _unpack_portion(self, inflate: "zlib._Decompress", portion: bytes) -> None:
        while portion and not inflate.eof:
            try:
                piece = inflate.decompress(portion, PIECE)
            except zlib.error as error:
                raise Unreadable(f"its zip data are damaged: {error}") from error
            self._out += len(piece)
            if self._out > MOST_UNPACKED:
                raise Unreadable(f"it unpacks to more than {MOST_UNPACKED} bytes")
            if piece:
                self._onward(piece)
            portion = inflate.unconsumed_tail
