"""Object storage of one namespace: CCS and DACS each have a bucket of the same name (seed 001 chapter 6).

moto has one set of bucket names a process, so a namespace's buckets carry its name inside, which no caller sees.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from demo.objects import ObjectServer
from demo.shelf import Item

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class NamespaceServer(ObjectServer):
    """The object storage endpoint of one namespace."""

    def __init__(self, namespace: str, buckets: Iterable[str] = (), **more: Any) -> None:
        """`more`: as for ObjectServer."""
        super().__init__(buckets, **more)
        self.namespace = namespace
        self._application = _Inside(namespace, self._application)

    def shelf(self, bucket: str) -> "BucketShelf":
        """The bucket as its owner sees it."""
        return BucketShelf(f"{self.namespace}.{bucket}")


class BucketShelf:
    """A bucket without the server before it: what the owner does there is neither received nor failed."""

    def __init__(self, bucket: str) -> None:
        """`bucket`: its name in moto."""
        self._name = bucket

    def items(self) -> Iterator[Item]:
        """Objects in name order; version is the ETag and the time of writing."""
        keys = self._keys()
        for name in sorted(list(keys)):  # noqa: C414  (a copy in one step: callers may write meanwhile)
            if key := keys.get(name):
                yield Item(name, f"{key.etag}-{key.last_modified.timestamp()}")

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """The object's bytes."""
        return io.BytesIO(self._keys()[name].value)

    def put(self, name: str, content: Path) -> None:
        """Whole or not at all."""
        self._backend().put_object(self._name, name, content.read_bytes())
        content.unlink()

    def _keys(self) -> Any:
        return self._backend().buckets[self._name].keys

    def _backend(self) -> Any:
        return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]


class _Inside:
    """A WSGI application whose buckets are those of one namespace."""

    def __init__(self, namespace: str, application: Application) -> None:
        self._namespace = namespace
        self._application = application

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        inner = dict(environ)
        for name in ("PATH_INFO", "RAW_URI", "REQUEST_URI", "HTTP_X_AMZ_COPY_SOURCE"):
            if name in inner:
                inner[name] = self._named(inner[name])
        return self._application(inner, start)

    def _named(self, path: str) -> str:
        """The path with the namespace before its bucket; the root, which has none, as it is."""
        slash, rest = ("/", path[1:]) if path.startswith("/") else ("", path)
        return f"{slash}{self._namespace}.{rest}" if rest and not rest.startswith("?") else path
