"""Reading request bodies within bounds, whatever their headers say."""

from typing import Any

from django.http import HttpRequest
from django.http.request import UnreadablePostError

from integrations.adapters.contract import Reader
from integrations.api.errors import BodyCut, TooLarge

STRIDE = 64 * 1024


class BodyStream:
    """A request's body as a Reader that knows when it was cut short.

    Django takes a chunked body (no Content-Length) for an empty one; the server behind it has decoded it and
    ends it by itself, so it is read from there.
    """

    def __init__(self, request: HttpRequest) -> None:
        """Nothing is read yet."""
        announced = request.META.get("CONTENT_LENGTH") or ""
        chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
        self.announced = int(announced) if announced.isascii() and announced.isdigit() else None
        self.taken = 0
        self._source: Any = request
        if chunked and self.announced is None:
            self._source = request.META["wsgi.input"]

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, all that is left where no size is said; BodyCut if it ended before it should."""
        if size < 0:
            return b"".join(iter(lambda: self.read(STRIDE), b""))
        try:
            data: bytes = self._source.read(size)
        except UnreadablePostError:
            raise _cut(self.taken, self.announced) from None
        self.taken += len(data)
        if not data and size != 0 and self.taken < (self.announced or 0):
            raise _cut(self.taken, self.announced)
        return data


def _cut(taken: int, announced: int | None) -> BodyCut:
    of = f" of the {announced} announced" if announced is not None else ""
    return BodyCut(f"The body ended after {taken} bytes{of}", hint="Nothing was kept; send it again.")


def read_bounded(stream: Reader, limit: int, *, what: str = "The body") -> bytes:
    """All of the stream, if it is no longer than `limit` bytes; TooLarge, naming the limit, as soon as it is."""
    parts: list[bytes] = []
    room = limit
    while data := stream.read(min(STRIDE, room + 1)):
        room -= len(data)
        if room < 0:
            raise too_large(limit, what=what)
        parts.append(data)
    return b"".join(parts)


def too_large(limit: int, *, what: str = "The body") -> TooLarge:
    """The fault of a body over its limit, in bytes."""
    return TooLarge(
        f"{what} is larger than {limit} bytes",
        hint="Send less at once, or have the limit raised (HUB_MAX_BODY, HUB_MAX_BODY_BY_FLOW).",
    )
