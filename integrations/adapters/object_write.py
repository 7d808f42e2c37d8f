"""Writing an object: one PUT, or parts of bounded size; verified by what the store says afterwards."""

import base64
import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from integrations.adapters.contract import CHUNK, Endpoint, Reader, Written
from integrations.adapters.errors import AdapterError, NotFound, Unwhole
from integrations.adapters.object_errors import object_errors

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PART = 8 * 1024 * 1024  # the smallest part but the last may have 5 MiB
MOST_PARTS = 9000  # S3 takes 10,000
GROW_EVERY = 1000  # parts, where the size is not known: 8 GiB at the first size, 8 TiB in all
MARK = "busbar-transfer"
_MD5_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Head:
    """What the store says of an object."""

    size: int
    etag: str
    metadata: Mapping[str, str]
    content_type: str
    encrypted: bool


def head(endpoint: Endpoint, client: "S3Client", bucket: str, key: str) -> Head | None:
    """The object's figures, or None where it is not there."""
    try:
        with object_errors(endpoint, f"{bucket}/{key}"):
            found = client.head_object(Bucket=bucket, Key=key)
    except NotFound:
        return None
    return Head(
        found["ContentLength"],
        found["ETag"].strip('"'),
        found.get("Metadata", {}),
        found.get("ContentType", "application/octet-stream"),
        # Encrypted with a key of its own, an object's ETag is no longer the MD5 of its content.
        bool(found.get("SSECustomerAlgorithm"))
        or str(found.get("ServerSideEncryption")).startswith("aws:kms"),
    )


def write_object(
    endpoint: Endpoint,
    client: "S3Client",
    bucket: str,
    key: str,
    source: Reader,
    *,
    size: int | None,
    mark: str,
) -> Written:
    """All of `source` as one object, visible only when whole. Errors of `source` come through as they are."""
    upload = _Upload(endpoint, client, bucket, key, {MARK: quote(mark)} if mark else {})
    first = read_fully(source, part_size(1, size))
    small = len(first) < part_size(1, size)
    etag = upload.put(first) if small else upload.parts(first, source, size)
    written = Written(upload.size, upload.digest.hexdigest())
    upload.verify(etag)
    return written


def part_size(number: int, size: int | None) -> int:
    """Bytes of the part with this number (from 1): equal parts where the size is known, else growing ones."""
    if size is not None:
        return max(PART, -(-size // MOST_PARTS))
    return PART << ((number - 1) // GROW_EVERY)


def read_fully(source: Reader, size: int) -> bytes:
    """`size` bytes, fewer only at the end."""
    found = bytearray()
    while len(found) < size and (chunk := source.read(min(CHUNK, size - len(found)))):
        found += chunk
    return bytes(found)


class _Upload:
    """One object on its way: counts and hashes what it sends."""

    def __init__(
        self, endpoint: Endpoint, client: "S3Client", bucket: str, key: str, metadata: dict[str, str]
    ) -> None:
        self.endpoint, self.client, self.metadata = endpoint, client, metadata
        self.place: dict[str, Any] = {"Bucket": bucket, "Key": key}
        self.path = f"{bucket}/{key}"
        self.size, self.digest = 0, hashlib.sha256()

    def put(self, content: bytes) -> str:
        """One PUT; the ETag expected of it."""
        md5 = self._count(content)
        with object_errors(self.endpoint, self.path):
            self.client.put_object(
                **self.place, Body=content, ContentMD5=_base64(md5), Metadata=self.metadata
            )
        return md5.hex()

    def parts(self, content: bytes, source: Reader, size: int | None) -> str:
        """A multipart upload, aborted where anything goes wrong; the ETag expected of it."""
        with object_errors(self.endpoint, self.path):
            upload = self.client.create_multipart_upload(**self.place, Metadata=self.metadata)["UploadId"]
        try:
            return self._parts(upload, content, source, size)
        except BaseException:
            # What is left behind costs money, but the first error is the one to be seen.
            with suppress(AdapterError), object_errors(self.endpoint, self.path):
                self.client.abort_multipart_upload(**self.place, UploadId=upload)
            raise

    def _parts(self, upload: str, content: bytes, source: Reader, size: int | None) -> str:
        sums = b""
        done: list[dict[str, Any]] = []
        while content:
            number = len(done) + 1
            md5 = self._count(content)
            with object_errors(self.endpoint, self.path):
                answer = self.client.upload_part(
                    **self.place, UploadId=upload, PartNumber=number, Body=content, ContentMD5=_base64(md5)
                )
            sums += md5
            done.append({"PartNumber": number, "ETag": answer["ETag"]})
            del content
            content = read_fully(source, part_size(number + 1, size))
        with object_errors(self.endpoint, self.path):
            parts: Any = {"Parts": done}
            self.client.complete_multipart_upload(**self.place, UploadId=upload, MultipartUpload=parts)
        return f"{hashlib.md5(sums, usedforsecurity=False).hexdigest()}-{len(done)}"

    def verify(self, etag: str) -> None:
        """Compare what the store has with what was sent; what is not whole is removed again: Unwhole."""
        found = head(self.endpoint, self.client, self.place["Bucket"], self.place["Key"])
        size = found.size if found else None
        if found and size == self.size and (found.encrypted or not _differs(found.etag, etag)):
            return
        with object_errors(self.endpoint, self.path):
            self.client.delete_object(**self.place)
        raise Unwhole(
            f"{self.path} at {self.endpoint.name} has {size} bytes (ETag {found and found.etag}); "
            f"{self.size} bytes were sent (ETag {etag})"
        )

    def _count(self, content: bytes) -> bytes:
        self.size += len(content)
        self.digest.update(content)
        return hashlib.md5(content, usedforsecurity=False).digest()


def _differs(found: str, expected: str) -> bool:
    """Whether an ETag that is an MD5, or one of parts, is another one; other forms say nothing of the content."""
    digest, _, parts = found.partition("-")
    is_md5 = len(digest) == _MD5_LENGTH and all(letter in "0123456789abcdef" for letter in digest.lower())
    return is_md5 and (not parts or parts.isdigit()) and found.lower() != expected


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
