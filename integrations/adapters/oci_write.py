"""Writing an object over OCI's native API: one PUT, or parts of bounded size with several of them in flight; compared
with what the service says it has.
"""

import base64
import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from integrations.adapters.contract import Reader, Written
from integrations.adapters.errors import AdapterError, NotFound, Refused, Unwhole
from integrations.adapters.oci_client import Bucket
from integrations.adapters.oci_errors import oci_errors
from integrations.adapters.parts import part_size, read_fully, send_parts

MARK = "busbar-transfer"


@dataclass(frozen=True, slots=True)
class Head:
    """What the service says of an object; `md5` in base64, of the whole or of the parts' sums, or ""."""

    size: int
    etag: str
    md5: str


def head(bucket: Bucket, name: str) -> Head | None:
    """The object's figures, or None where it is not there."""
    path = bucket.path(name)
    try:
        with oci_errors(bucket.endpoint, path):
            said = bucket.client.head_object(*bucket.place, name).headers
    except NotFound:
        return None
    return head_of(bucket, name, said)


def head_of(bucket: Bucket, name: str, said: Mapping[str, str]) -> Head:
    """The figures from an answer's headers; Refused where they are not those of an object."""
    if "etag" not in said or not said.get("content-length", "").isdigit():
        raise Refused(
            f"{bucket.endpoint.name} answers for {bucket.path(name)} as OCI object storage does not",
            status=200,
            hint="Is the endpoint URL that of OCI's native API?",
        )
    md5 = said.get("content-md5") or said.get("opc-multipart-md5") or ""
    return Head(int(said["content-length"]), plain_etag(said["etag"]), md5.partition("-")[0])


def plain_etag(text: str) -> str:
    """An ETag without the quotes that HTTP has around it and listings have not."""
    return text.strip('"')


def write_object(
    bucket: Bucket, name: str, source: Reader, *, size: int | None, mark: str, is_new: bool
) -> Written:
    """All of `source` as one object, visible only when whole. Errors of `source` come through as they are.

    `is_new`: AlreadyExists where the name is taken when the object would appear.
    """
    upload = _Upload(bucket, name, mark, {"if_none_match": "*"} if is_new else {})
    first = read_fully(source, part_size(1, size))
    if len(first) < part_size(1, size):
        upload.put(first)
    else:
        upload.parts(first, source, size)
    return Written(upload.size, upload.digest.hexdigest())


def abort_uploads(bucket: Bucket, name: str) -> None:
    """End every multipart upload of this object that is under way."""
    for upload in _uploads(bucket, name):  # listed to the end first: what is aborted would shift the pages
        with suppress(NotFound), oci_errors(bucket.endpoint, bucket.path(name)):
            bucket.client.abort_multipart_upload(*bucket.place, name, upload)


def _uploads(bucket: Bucket, name: str) -> list[str]:
    found: list[str] = []
    wanted: dict[str, str] = {}
    while True:
        with oci_errors(bucket.endpoint, bucket.path(name)):
            answer = bucket.client.list_multipart_uploads(*bucket.place, limit=1000, **wanted)
        found += [str(upload.upload_id) for upload in answer.data if upload.object == name]
        wanted = {"page": answer.headers.get("opc-next-page", "")}
        if not wanted["page"]:
            return found


@dataclass(frozen=True, slots=True)
class _Part:
    """A part that is there."""

    number: int
    etag: str
    md5: bytes


class _Upload:
    """One object on its way: counts and hashes what it sends."""

    def __init__(self, bucket: Bucket, name: str, mark: str, condition: Mapping[str, str]) -> None:
        self.bucket, self.name, self.condition = bucket, name, dict(condition)
        self.client, self.path = bucket.client, bucket.path(name)
        self.metadata = {MARK: quote(mark)} if mark else {}
        self.size, self.digest = 0, hashlib.sha256()

    def put(self, content: bytes) -> None:
        """One PUT."""
        self._count(content)
        md5 = _md5(content)
        with oci_errors(self.bucket.endpoint, self.path):
            answer = self.client.put_object(
                *self.bucket.place,
                self.name,
                content,
                content_md5=_base64(md5),
                opc_meta=self.metadata,
                **self.condition,
            )
        etag = plain_etag(answer.headers.get("etag", ""))
        self._compare(Head(self.size, etag, answer.headers.get("opc-content-md5", "")), md5, etag)

    def parts(self, content: bytes, source: Reader, size: int | None) -> None:
        """A multipart upload, aborted where anything goes wrong."""
        upload = self._begin()
        try:
            send = partial(self._part, upload)
            done = send_parts(content, source, size, count=self._count, send=send)
            etag = self._commit(upload, done)
        except BaseException:
            # What is left behind costs money, but the first error is the one to be seen.
            with suppress(AdapterError), oci_errors(self.bucket.endpoint, self.path):
                self.client.abort_multipart_upload(*self.bucket.place, self.name, upload)
            raise
        found = head(self.bucket, self.name)
        if found is None:
            raise Unwhole(f"{self.path} at {self.bucket.endpoint.name} is not there after it was written")
        self._compare(found, _md5(b"".join(part.md5 for part in done)), etag)

    def _begin(self) -> str:
        from oci.object_storage.models import CreateMultipartUploadDetails  # noqa: PLC0415  (an extra)

        details = CreateMultipartUploadDetails(
            object=self.name, metadata={f"opc-meta-{key}": value for key, value in self.metadata.items()}
        )
        with oci_errors(self.bucket.endpoint, self.path):
            answer = self.client.create_multipart_upload(*self.bucket.place, details, **self.condition)
        return str(answer.data.upload_id)

    def _part(self, upload: str, number: int, content: bytes) -> _Part:
        md5 = _md5(content)
        with oci_errors(self.bucket.endpoint, self.path):
            answer = self.client.upload_part(
                *self.bucket.place, self.name, upload, number, content, content_md5=_base64(md5)
            )
        return _Part(number, answer.headers.get("etag", ""), md5)

    def _commit(self, upload: str, parts: list[_Part]) -> str:
        from oci.object_storage import models  # noqa: PLC0415  (an extra)

        details = models.CommitMultipartUploadDetails(
            parts_to_commit=[
                models.CommitMultipartUploadPartDetails(part_num=part.number, etag=part.etag)
                for part in parts
            ]
        )
        with oci_errors(self.bucket.endpoint, self.path):
            answer = self.client.commit_multipart_upload(
                *self.bucket.place, self.name, upload, details, **self.condition
            )
        return plain_etag(answer.headers.get("etag", ""))

    def _compare(self, found: Head, md5: bytes, etag: str) -> None:
        """What the service has with what was sent; the version that is not whole is removed again: Unwhole."""
        if found.size == self.size and found.md5 == _base64(md5):
            return
        raise Unwhole(
            f"{self.path} at {self.bucket.endpoint.name} has {found.size} bytes (MD5 {found.md5 or 'unknown'}); "
            f"{self.size} bytes were sent (MD5 {_base64(md5)}); {self._removed(etag)}"
        )

    def _removed(self, etag: str) -> str:
        """Only what was written here goes: another version, written meanwhile, is not ours to remove."""
        try:
            with oci_errors(self.bucket.endpoint, self.path):
                self.client.delete_object(*self.bucket.place, self.name, if_match=etag or None)
        except AdapterError as error:
            return f"it was not removed: {error.text}"
        return "it was removed again"

    def _count(self, content: bytes) -> None:
        self.size += len(content)
        self.digest.update(content)


def _md5(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
