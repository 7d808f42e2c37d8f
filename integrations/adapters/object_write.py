"""Writing an object: one PUT, or a multipart upload (object_parts); compared with what the store says of it.

A PUT whose answer has the MD5 of what was sent as its ETag needs no further look. Where the ETag is something else
(the store encrypts with keys of its own, or makes it up), the size is looked at. What is not whole is removed again.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from integrations.adapters.contract import CHUNK, Endpoint, Reader, Written
from integrations.adapters.errors import AlreadyExists, NotFound, Refused, Unwhole
from integrations.adapters.object_errors import object_errors

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

    from integrations.adapters.object_quick import QuickClient

MARK = "busbar-transfer"
_MD5_LENGTH = 32
_BAD_REQUEST, _CONFLICT, _PRECONDITION_FAILED, _NOT_IMPLEMENTED = 400, 409, 412, 501
Answer = TypeVar("Answer")


class Habits:
    """What was learnt of how a store speaks S3, for as long as a connection to it is open."""

    def __init__(self) -> None:
        """Nothing yet: it is taken to speak as AWS does."""
        self.lists_near = True  # a listing begins behind any name that is given, not only behind one it has
        self.lists_all = True  # where it does not: the names looked for are among the first that it lists
        self._refuses_conditions = False

    def only_new(self, do: Callable[[Mapping[str, Any]], Answer], path: str, *, is_new: bool) -> Answer:
        """`do` with the parameters of `If-None-Match: *` where `is_new`; AlreadyExists where the name is taken.

        AWS, MinIO, Ceph and moto answer 412 then. rclone's server and older stores ignore the header, and some
        (Alibaba's) refuse any request that has it: those are asked again without, and from then on no more. So it
        is a guard beside looking for the name first, never in its place.
        """
        if not is_new or self._refuses_conditions:
            return do({})
        try:
            return do({"IfNoneMatch": "*"})
        except Refused as error:
            if error.status == _PRECONDITION_FAILED:
                raise AlreadyExists(f"{path} is there already", detail=str(error)) from error
            if error.status == _CONFLICT:
                error.passing = True  # somebody else is writing this name at this moment
            if error.status not in (_BAD_REQUEST, _NOT_IMPLEMENTED):
                raise
        answer = do({})
        self._refuses_conditions = True
        return answer


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, and how it is reached."""

    endpoint: Endpoint
    client: "S3Client"
    quick: "QuickClient"
    name: str
    habits: Habits = field(default_factory=Habits)

    def path(self, key: str) -> str:
        """How messages name an object."""
        return f"{self.name}/{key}"

    def place(self, key: str) -> dict[str, Any]:
        """The parameters every request for this object has."""
        return {"Bucket": self.name, "Key": key}

    def source(self, key: str) -> Any:
        """The object as what a copy is made of."""
        return {"Bucket": self.name, "Key": key}

    def errors(self, key: str) -> AbstractContextManager[None]:
        """boto's exceptions in this block in the hub's words."""
        return object_errors(self.endpoint, self.path(key))


@dataclass(frozen=True, slots=True)
class Head:
    """What the store says of an object."""

    size: int
    etag: str
    metadata: Mapping[str, str]
    content_type: str
    encrypted: bool


def head(bucket: Bucket, key: str) -> Head | None:
    """The object's figures, or None where it is not there."""
    try:
        with bucket.errors(key):
            found = bucket.quick.head_object(**bucket.place(key))
    except NotFound:
        return None
    return Head(
        found["ContentLength"],
        plain_etag(found["ETag"]),
        found.get("Metadata", {}),
        found.get("ContentType", "application/octet-stream"),
        is_encrypted(found),
    )


def is_encrypted(answer: Mapping[str, Any]) -> bool:
    """Whether the object has a key of its own: its ETag is then not the MD5 of its content."""
    own_key = bool(answer.get("SSECustomerAlgorithm"))
    return own_key or str(answer.get("ServerSideEncryption")).startswith("aws:kms")


def plain_etag(text: str) -> str:
    """An ETag without its quotes."""
    return text.strip('"')


def is_md5(etag: str) -> bool:
    """Whether it looks like the MD5 of a content that came in one piece."""
    return len(etag) == _MD5_LENGTH and all(letter in "0123456789abcdef" for letter in etag.lower())


def says(etag: str, expected: str) -> bool | None:
    """Whether an ETag is the expected MD5 (or MD5 of parts); None where it is of another form and says nothing."""
    digest, _, parts = etag.partition("-")
    if not is_md5(digest) or parts != expected.partition("-")[2]:
        return None
    return etag.lower() == expected


def write_small(
    bucket: Bucket, key: str, content: bytes | bytearray, *, mark: str, is_new: bool = False
) -> Written:
    """One PUT. `is_new`: AlreadyExists where the store says that the name is taken."""
    md5 = hashlib.md5(content, usedforsecurity=False).digest()

    def put(condition: Mapping[str, Any]) -> Mapping[str, Any]:
        with bucket.errors(key):
            return bucket.quick.put_object(
                **bucket.place(key),
                Body=content,
                ContentMD5=in_base64(md5),
                Metadata=metadata(mark),
                **condition,
            )

    answer = bucket.habits.only_new(put, bucket.path(key), is_new=is_new)
    same = None if is_encrypted(answer) else says(plain_etag(answer.get("ETag", "")), md5.hex())
    if not same:
        compare(bucket, key, len(content), differs=same is False)
    return Written(len(content), hashlib.sha256(content).hexdigest())


def compare(bucket: Bucket, key: str, size: int, *, differs: bool = False) -> None:
    """Look at the object's size; Unwhole, and the object removed, where it is another or the sums differ."""
    found = None if differs else head(bucket, key)
    if found and found.size == size:
        return
    with bucket.errors(key):
        bucket.quick.delete_object(**bucket.place(key))
    what = "another checksum" if differs else f"{found.size if found else 'no'} bytes"
    raise Unwhole(f"{bucket.path(key)} at {bucket.endpoint.name} has {what} than the {size} bytes sent")


def read_fully(source: Reader, size: int) -> bytearray:
    """`size` bytes, fewer only at the end."""
    found = bytearray()
    while len(found) < size and (chunk := source.read(min(CHUNK, size - len(found)))):
        found += chunk
    return found


def metadata(mark: str) -> dict[str, str]:
    """What is kept with an object."""
    return {MARK: quote(mark)} if mark else {}


def in_base64(digest: bytes) -> str:
    """As headers have it."""
    return base64.b64encode(digest).decode()
