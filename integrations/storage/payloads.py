"""Putting payloads, and reading them back (contract, "Payload store"; reliability: row first, bytes before it)."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from integrations.models import Payload
from integrations.storage.backend import Backend, Reader, Scratch, current_backend, key_of
from integrations.storage.errors import PayloadDamaged, StorageError
from integrations.storage.seal import FRAME, Sealer, Unsealer, rewrap, sealed_size


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
    row = Payload.objects.filter(pk=arrival.digest).first()
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
    with transaction.atomic():
        Payload.objects.filter(pk=arrival.digest).update(created_at=timezone.now())
        row, _ = Payload.objects.get_or_create(
            pk=arrival.digest,
            defaults={"size": arrival.size, "content_type": content_type, "encrypted": arrival.encrypted},
        )
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
