"""Reading lines out of a file as it passes: plain or zipped, in constant memory, never a second time."""

import zlib
from collections.abc import Callable

LOCAL_HEADER = b"PK\x03\x04"
LOCAL_HEADER_SIZE = 30
DEFLATED = 8
LONGEST_LINE = 1024 * 1024
MOST_UNPACKED = 64 * 1024 * 1024 * 1024
PIECE = 256 * 1024  # bytes inflated at a time, so that a bomb cannot fill memory


class Unreadable(Exception):
    """The tap cannot make lines of this file; the file itself goes on its way."""


class Lines:
    """Bytes in, whole lines out (without their end), in order, to `take`."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        """`take` gets each line; CRLF and LF both end one, and a UTF-8 BOM is dropped."""
        self._take = take
        self._rest = b""
        self._first = True

    def feed(self, chunk: bytes) -> None:
        """The next bytes; b"" means the end, and gives out a last line without an end."""
        if not chunk:
            last, self._rest = self._rest, b""
            self._give([last] if last else [])
            return
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise Unreadable(f"a line is longer than {LONGEST_LINE} bytes")
        self._give(whole)

    def _give(self, lines: list[bytes]) -> None:
        for line in lines:
            clean = line.removeprefix(b"\xef\xbb\xbf") if self._first else line
            self._first = False
            self._take(clean.removesuffix(b"\r"))


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
        while chunk and not inflate.eof:
            try:
                piece = inflate.decompress(chunk, PIECE)
            except zlib.error as error:
                raise Unreadable(f"its zip data are damaged: {error}") from error
            self._out += len(piece)
            if self._out > MOST_UNPACKED:
                raise Unreadable(f"it unpacks to more than {MOST_UNPACKED} bytes")
            if piece:
                self._onward(piece)
            chunk = inflate.unconsumed_tail
        if inflate.eof:
            self._ended = True
            self._onward(b"")
