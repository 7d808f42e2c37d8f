"""Putting payloads, and reading them back (contract, "Payload store"; reliability: row first, bytes before it)."""

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.utils import timezone

from hub.asked import Asked
from integrations.models import Payload
from integrations.storage.backend import Backend, Reader, Scratch, current_backend, key_of
from integrations.storage.errors import PayloadDamaged, StorageError
from integrations.storage.files import FileBackend
from integrations.storage.seal import FRAME, Sealer, Unsealer, rewrap, sealed_size

_rows = Asked(lambda digest: Payload.objects.filter(pk=digest), str)
# As one statement, which needs no transaction of its own; the ORM takes an UPDATE, a SELECT, a savepoint and an INSERT.
_UPSERT = """
    INSERT INTO integrations_payload (digest, size, content_type, encrypted, created_at) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (digest) DO UPDATE SET created_at = excluded.created_at
    RETURNING size, content_type, encrypted
"""


def payloads_flatten() -> int:
    """Bring a folder of payloads into this version's layout; how many were moved. Nothing where it is a bucket."""
    backend = current_backend()
    return backend.flatten() if isinstance(backend, FileBackend) else 0


def payload_put(content: bytes | Reader, *, content_type: str) -> Payload:
    """The row of this content, its bytes durable before the row is there; in constant memory.

    A content that is stored already is not written again, unless its bytes turn out to be missing or of another
    size: then it is healed. StoreUnavailable: the place is full, forbidden or unreachable.
    """
    backend = current_backend()
    encrypt = bool(settings.PAYLOAD_ENCRYPT)
    with backend.scratch() as scratch:
        arrival = _written(io.BytesIO(content) if isinstance(content, bytes) else content, scratch, encrypt)
        return _settle(backend, scratch, arrival, content_type)


def payload_keep(content: bytes, *, content_type: str) -> Callable[[], Payload]:
    """Make a content's bytes durable; what comes back writes its row, and belongs into the caller's transaction.

    One commit less than `payload_put`. A place that is asked over the network has its row written at once.
    """
    backend = current_backend()
    if not backend.here:
        row = payload_put(content, content_type=content_type)
        return lambda: row
    encrypt = bool(settings.PAYLOAD_ENCRYPT)
    digest = hashlib.sha256(content).hexdigest()
    arrival = _Arrival(digest, len(content), encrypt)
    if not _is_there(backend, arrival):
        with backend.scratch() as scratch:
            _written(io.BytesIO(content), scratch, encrypt)
            backend.keep(scratch, arrival.key)

    def row_of_it() -> Payload:
        row = _row(arrival, content_type)
        return row if is_whole(backend, row) else payload_put(content, content_type=content_type)

    return row_of_it


def _is_there(backend: Backend, arrival: "_Arrival") -> bool:
    """Whether a row says that these bytes are durable, and they are there. Asks for the row only if they are."""
    size = sealed_size(arrival.size) if arrival.encrypted else arrival.size
    return backend.size(arrival.key) == size and _rows.first(arrival.digest) is not None


@contextmanager
def payload_open(payload: Payload) -> Iterator[Reader]:
    """The plain bytes, streamed; digest and size are compared when the end is reached.

    PayloadMissing, PayloadDamaged, StoreUnavailable; damage to an encrypted payload shows at its frame.
    """
    with current_backend().open(_key(payload)) as stored:
        plain = Unsealer(stored, _label(payload)) if payload.encrypted else stored
        yield _Verified(plain, payload)


def payload_bytes(payload: Payload, limit: int | None = None) -> bytes:
    """The plain bytes in memory; with a limit the first so many, which are compared only if they are all."""
    with payload_open(payload) as reader:
        if limit is None:
            return reader.read()
        found = bytearray()
        while len(found) < limit and (piece := reader.read(min(FRAME, limit - len(found)))):
            found += piece
        if len(found) == payload.size:
            reader.read(1)  # the end, where the digest is compared
        return bytes(found)


def payload_rewrap(payload: Payload) -> bool:
    """Put an encrypted payload's key under the newest of HUB_FERNET_KEYS; False where it is not encrypted."""
    if not payload.encrypted:
        return False
    backend = current_backend()
    with backend.scratch() as scratch:
        with backend.open(_key(payload)) as stored:
            rewrap(stored, scratch, _label(payload))
        backend.keep(scratch, _key(payload))
    return True


@dataclass(frozen=True, slots=True)
class _Arrival:
    """What was written into the scratch."""

    digest: str
    size: int
    encrypted: bool

    @property
    def key(self) -> str:
        return key_of(self.digest, encrypted=self.encrypted)


def _written(content: Reader, scratch: Scratch, encrypt: bool) -> _Arrival:
    digest, size = hashlib.sha256(), 0
    target = Sealer(scratch) if encrypt else scratch
    while chunk := content.read(FRAME):
        digest.update(chunk)
        size += len(chunk)
        target.write(chunk)
    if isinstance(target, Sealer):
        target.finish()
    return _Arrival(digest.hexdigest(), size, encrypt)


def _settle(backend: Backend, scratch: Scratch, arrival: _Arrival, content_type: str) -> Payload:
    """Bytes, then row, then a look whether a purge of the same content came between."""
    row = _rows.first(arrival.digest)
    if row is None or not is_whole(backend, row):
        backend.keep(scratch, arrival.key)
    row = _row(arrival, content_type)
    if not is_whole(backend, row):
        backend.keep(scratch, arrival.key)
        row.encrypted = arrival.encrypted
        row.save(update_fields=["encrypted"])
        if not is_whole(backend, row):
            raise StorageError(
                f"{_label(row)} was written and is not there: something else empties the store"
            )
    return row


def _row(arrival: _Arrival, content_type: str) -> Payload:
    """The content's row, new or dated anew: a purge that waits for it then spares it."""
    given = (arrival.digest, arrival.size, content_type, arrival.encrypted, timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [*given[:-1], connection.ops.adapt_datetimefield_value(given[-1])])
        ((size, kind, encrypted),) = cursor.fetchall()  # to the end, where SQLite commits
    row = Payload(arrival.digest, size, kind, bool(encrypted), given[-1])
    row._state.adding, row._state.db = False, connection.alias
    return row


def is_whole(backend: Backend, payload: Payload) -> bool:
    """Whether the row's bytes are there, as many as there must be."""
    wanted = sealed_size(payload.size) if payload.encrypted else payload.size
    return backend.size(_key(payload)) == wanted


def _key(payload: Payload) -> str:
    return key_of(payload.digest, encrypted=payload.encrypted)


def _label(payload: Payload) -> str:
    return f"The payload {payload.digest[:12]}"


class _Verified:
    """A payload's bytes on their way; what comes at the end must be what the row says."""

    def __init__(self, source: Reader, payload: Payload) -> None:
        self._source, self._payload = source, payload
        self._digest, self._size = hashlib.sha256(), 0

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; b"" at the end, PayloadDamaged where that is not the end stored."""
        if size == 0:
            return b""
        chunk = self._source.read(size)
        self._digest.update(chunk)
        self._size += len(chunk)
        if not chunk or size < 0:
            self._compare()
        return chunk

    def _compare(self) -> None:
        payload = self._payload
        if self._size != payload.size:
            raise PayloadDamaged(f"{_label(payload)} has {self._size} bytes; {payload.size} were stored")
        if self._digest.hexdigest() != payload.digest:
            raise PayloadDamaged(f"{_label(payload)} is not as it was stored: its SHA-256 is another one")
