"""What a place of payloads does, whichever it is."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class Reader(Protocol):
    """Bytes to be read once, in order."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; b"" at the end."""
        ...


class Scratch(Protocol):
    """A file to write an object into, and to read it from when it is kept."""

    def write(self, data: bytes, /) -> int:
        """Append all of the bytes."""
        ...

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes from the position."""
        ...

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move the position."""
        ...

    def tell(self) -> int:
        """The position."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored object: its key, size in bytes as stored, and when it was written."""

    key: str
    size: int
    written_at: datetime


class Backend(ABC):
    """Objects by key. Every method raises StoreUnavailable where the place itself fails."""

    # Whether it is on this machine: asking it inside a transaction then waits for no network.
    here = False

    @abstractmethod
    def scratch(self) -> AbstractContextManager[Scratch]:
        """A nameless-to-others file to write an object into before its key is known; gone at the end."""

    @abstractmethod
    def keep(self, scratch: Scratch, key: str) -> None:
        """Have the scratch's bytes under the key, whole and durable when this returns; may be repeated."""

    @abstractmethod
    def size(self, key: str) -> int | None:
        """Bytes stored under a key, None where there is nothing."""

    @abstractmethod
    def open(self, key: str) -> AbstractContextManager[Reader]:
        """The object's bytes, streamed; PayloadMissing where there is nothing."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove an object; nothing happens where there is none."""

    @abstractmethod
    def sweep(self, before: datetime) -> Iterator[Stored]:
        """Remove what interrupted writes left before then, and list the objects written before then."""


def key_of(digest: str, *, encrypted: bool) -> str:
    """Where a content is: `ab/abcd…`, with `.enc` where it is encrypted, so that the two are never mixed up.

    One level of 256 folders: each new folder costs one more synced write, and these are soon all there.
    """
    return f"{digest[:2]}/{digest}{'.enc' if encrypted else ''}"


def current_backend() -> Backend:
    """The backend that PAYLOAD_STORE names; ImproperlyConfigured where it names none."""
    return _backend(settings.PAYLOAD_STORE)


@lru_cache(maxsize=8)
def _backend(url: str) -> Backend:
    from integrations.storage.files import FileBackend  # noqa: PLC0415  (this module is what it imports)

    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path and parts.netloc in ("", "localhost"):
        return FileBackend(unquote(parts.path))
    if parts.scheme != "s3" or not parts.netloc:
        raise ImproperlyConfigured(f"PAYLOAD_STORE is {url!r}; it is file:///folder or s3://bucket/prefix")
    from integrations.storage.s3 import S3Backend  # noqa: PLC0415  (boto3 loads slowly)

    options = dict(parse_qsl(parts.query))
    if unknown := set(options) - {"endpoint_url", "region"}:
        raise ImproperlyConfigured(
            f"PAYLOAD_STORE has {', '.join(sorted(unknown))}; an s3:// store takes endpoint_url and region"
        )
    return S3Backend(parts.netloc, parts.path.strip("/"), **options)
