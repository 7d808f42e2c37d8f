"""What is read over OCI's native API: listings page by page, objects as a stream or whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from integrations.adapters.contract import FileInfo, Reader
from integrations.adapters.errors import Refused
from integrations.adapters.names import decode_name
from integrations.adapters.oci_client import Bucket
from integrations.adapters.oci_errors import oci_errors
from integrations.adapters.oci_write import Head, head_of, plain_etag
from integrations.adapters.several import Whole


def objects(bucket: Bucket, prefix: str) -> Iterator[FileInfo]:
    """Objects (and, marked, common prefixes up to a slash) that begin with `prefix`, in name order."""
    wanted: dict[str, Any] = {"prefix": prefix} if prefix else {}
    while True:
        page = first_page(bucket, **wanted)
        yield from _infos(page)
        if not page.next_start_with:
            return
        wanted["start"] = page.next_start_with


def first_page(bucket: Bucket, **wanted: Any) -> Any:
    """One page of the bucket's objects; Refused where the answer is no list of objects."""
    with oci_errors(bucket.endpoint, bucket.name):
        found = bucket.client.list_objects(
            *bucket.place, delimiter="/", fields="name,size,etag", **wanted
        ).data
    if getattr(found, "objects", None) is None:
        raise Refused(
            f"{bucket.endpoint.name} answers for {bucket.name} as OCI object storage does not",
            status=200,
            hint="Is the endpoint URL that of OCI's native API?",
        )
    return found


def _infos(page: Any) -> list[FileInfo]:
    found = []
    for item in page.objects:
        name, trouble = _name(item.name)
        found.append(FileInfo(name, int(item.size or 0), plain_etag(item.etag or ""), trouble=trouble))
    for common in page.prefixes or []:
        name, trouble = _name(common.rstrip("/"))
        found.append(FileInfo(name, 0, "", is_directory=True, trouble=trouble))
    return sorted(found, key=lambda info: info.name)


def _name(name: str) -> tuple[str, str]:
    return decode_name(name.encode("utf-8", "surrogatepass"))


@contextmanager
def opened(bucket: Bucket, name: str) -> Iterator[tuple[Reader, Head]]:
    """An object's bytes, streamed, and the figures of the version they are of."""
    path = bucket.path(name)
    with oci_errors(bucket.endpoint, path):
        answer = bucket.client.get_object(*bucket.place, name)
    try:
        yield _Body(bucket, answer.data.raw, path), head_of(bucket, name, answer.headers)
    finally:
        answer.data.close()


def whole(bucket: Bucket, name: str) -> Whole:
    """A small object in one request: an object changes only as a whole, so its ETag is that of the bytes read."""
    with opened(bucket, name) as (reader, found):
        content = reader.read()
    return Whole(FileInfo(name, found.size, found.etag), content)


class _Body:
    """An object's bytes; a connection that breaks midway is said as such."""

    def __init__(self, bucket: Bucket, raw: Any, path: str) -> None:
        self._bucket, self._raw, self._path = bucket, raw, path

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; b"" at the end."""
        with oci_errors(self._bucket.endpoint, self._path):
            return bytes(self._raw.read(None if size < 0 else size, decode_content=False))
