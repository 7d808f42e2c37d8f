"""Reading an object: a small one in one request, a large one in pieces that are fetched ahead.

One connection gives what one connection can; several pieces at once were measured to be twice as fast as one stream.
At most `AHEAD` pieces beside the one that is read are held. All must be of the version the first one was of.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Event
from typing import Any

from integrations.adapters.contract import CHUNK, FileInfo, Reader
from integrations.adapters.errors import Dropped, Refused, Unwhole
from integrations.adapters.object_write import Bucket, plain_etag
from integrations.adapters.several import Whole

PIECE = 8 * 1024 * 1024
AHEAD = 3  # pieces under way beside the one that is read
_PRECONDITION_FAILED, _NO_SUCH_RANGE = 412, 416
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@contextmanager
def opened(bucket: Bucket, key: str) -> Iterator[Reader]:
    """The object's bytes; what is under way when the block ends is broken off."""
    first = _first(bucket, key)
    with closing(first["Body"]):
        total = _total(first)
        if total is None or total <= PIECE:
            yield _Stream(bucket, key, first["Body"])
            return
        with _Pieces(bucket, key, first, total) as pieces:
            yield pieces


def whole(bucket: Bucket, key: str) -> Whole:
    """A small object in one request: its size and ETag are those of the version that was read."""
    with bucket.errors(key):
        answer = bucket.quick.get_object(**bucket.place(key))
    content = answer["Body"]
    return Whole(FileInfo(key, len(content), plain_etag(answer["ETag"])), content)


def _first(bucket: Bucket, key: str) -> Mapping[str, Any]:
    """The answer with the first piece; of an empty object, which has none, with all of it."""
    try:
        with bucket.errors(key):
            return bucket.client.get_object(**bucket.place(key), Range=f"bytes=0-{PIECE - 1}")
    except Refused as error:
        if error.status != _NO_SUCH_RANGE:
            raise
    with bucket.errors(key):
        return bucket.client.get_object(**bucket.place(key))


def _total(answer: Mapping[str, Any]) -> int | None:
    """The object's size where the answer has only a piece of it; None where the store sends all there is."""
    found = _RANGE.fullmatch(answer.get("ContentRange", ""))
    return int(found[3]) if found else None


class _Stream:
    """An answer's bytes as they come; a connection that breaks midway is said as such."""

    def __init__(self, bucket: Bucket, key: str, body: Any) -> None:
        self._bucket, self._key, self._body = bucket, key, body

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; b"" at the end."""
        with self._bucket.errors(self._key):
            found: bytes = self._body.read(None if size < 0 else size)
        return found


class _Pieces:
    """The object's pieces in order, the next ones fetched meanwhile."""

    def __init__(self, bucket: Bucket, key: str, first: Mapping[str, Any], total: int) -> None:
        self._bucket, self._key, self._total = bucket, key, total
        self._etag = first["ETag"]
        self._current, self._at = bytearray(), 0
        self._stop = Event()
        self._pool = ThreadPoolExecutor(AHEAD, thread_name_prefix="pieces")
        self._next = PIECE  # where the next piece begins that nobody has asked for
        self._under_way: deque[Future[bytearray]] = deque()
        self._under_way.append(self._pool.submit(self._body, first["Body"], PIECE))
        self._fetch()

    def __enter__(self) -> "_Pieces":
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._pool.shutdown(cancel_futures=True)

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, and of one piece; b"" at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(PIECE), b""))
        if self._at == len(self._current):
            self._current, self._at = bytearray(), 0
            if not self._under_way:
                return b""
            self._current = self._under_way.popleft().result()
            self._fetch()
        found = bytes(memoryview(self._current)[self._at : self._at + size])
        self._at += len(found)
        return found

    def _fetch(self) -> None:
        while self._next < self._total and len(self._under_way) < AHEAD:
            begin, self._next = self._next, min(self._next + PIECE, self._total)
            self._under_way.append(self._pool.submit(self._piece, begin, self._next))

    def _piece(self, begin: int, end: int) -> bytearray:
        with closing(self._asked(begin, end)["Body"]) as body:
            return self._body(body, end - begin)

    def _asked(self, begin: int, end: int) -> Mapping[str, Any]:
        """The answer with a piece of the same version; Unwhole where there is another by now."""
        place = {**self._bucket.place(self._key), "Range": f"bytes={begin}-{end - 1}"}
        try:
            with self._bucket.errors(self._key):
                answer = self._bucket.client.get_object(**place, IfMatch=self._etag)
        except Refused as error:
            if error.status != _PRECONDITION_FAILED:
                raise
        else:
            # Not every store heeds If-Match.
            if answer["ETag"] == self._etag and _total(answer) == self._total:
                return answer
            answer["Body"].close()
        raise Unwhole(f"{self._bucket.path(self._key)} was changed while it was read")

    def _body(self, body: Any, size: int) -> bytearray:
        found = bytearray()
        while len(found) < size and not self._stop.is_set():
            with self._bucket.errors(self._key):
                piece = body.read(min(CHUNK, size - len(found)))
            if not piece:
                raise Dropped(f"{self._bucket.endpoint.name} ended {self._bucket.path(self._key)} midway")
            found += piece
        return found
