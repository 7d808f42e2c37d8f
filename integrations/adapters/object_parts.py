"""Writing a large object: a multipart upload with several parts in flight while the next is read.

The caller's thread reads; parts are hashed and sent in others. At most `MOST_BYTES` are held: the parts in flight and
the one that is read. An object appears when the upload is completed, so what fails before leaves none.
"""

import hashlib
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from integrations.adapters.contract import Reader, Written
from integrations.adapters.errors import AdapterError
from integrations.adapters.object_write import (
    Bucket,
    compare,
    in_base64,
    is_encrypted,
    metadata,
    plain_etag,
    read_fully,
    says,
    write_small,
)

NOT_IMPLEMENTED = 501
PART = 8 * 1024 * 1024  # the smallest part but the last may have 5 MiB
MOST_PARTS = 9000  # S3 takes 10,000
GROW_EVERY = 1000  # parts, where the size is not known: 8 GiB at the first size, 8 TiB in all
IN_FLIGHT = 4  # parts under way beside the one that is read
MOST_BYTES = (
    48 * 1024 * 1024
)  # of those together; beyond 200 GiB, where one part alone is larger, that one part


def write_object(
    bucket: Bucket, key: str, source: Reader, *, size: int | None, mark: str, is_new: bool = False
) -> Written:
    """All of `source` as one object, visible only when whole. Errors of `source` come through as they are.

    `is_new`: AlreadyExists where the store says that the name is taken when the object would appear.
    """
    first = read_fully(source, part_size(1, size))
    if len(first) < part_size(1, size):
        return write_small(bucket, key, first, mark=mark, is_new=is_new)
    return _Upload(bucket, key, size, is_new=is_new).write([first], source, mark)


def abort_uploads(bucket: Bucket, key: str) -> None:
    """End every upload of this name that was begun and not completed; a service that lists none has none to end."""
    pages = bucket.client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket.name, Prefix=key)
    with bucket.errors(key):
        try:
            uploads = [
                upload for page in pages for upload in page.get("Uploads", []) if upload.get("Key") == key
            ]
        except bucket.client.exceptions.ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == NOT_IMPLEMENTED:
                return
            raise
        for upload in uploads:
            with suppress(bucket.client.exceptions.NoSuchUpload):  # it was ended meanwhile
                bucket.client.abort_multipart_upload(Bucket=bucket.name, Key=key, UploadId=upload["UploadId"])


def part_size(number: int, size: int | None) -> int:
    """Bytes of the part with this number (from 1): equal parts where the size is known, else growing ones."""
    if size is not None:
        return max(PART, -(-size // MOST_PARTS))
    return PART << ((number - 1) // GROW_EVERY)


def in_flight(number: int, size: int | None) -> int:
    """How many parts may be under way while this one is read; 0: it is read when the one before is there."""
    return min(IN_FLIGHT, max(0, MOST_BYTES // part_size(number, size) - 1))


@dataclass(frozen=True, slots=True)
class _Sent:
    """A part that is there."""

    number: int
    etag: str
    md5: bytes


class _Upload:
    """One multipart upload: counts and hashes what it sends."""

    def __init__(self, bucket: Bucket, key: str, size: int | None, *, is_new: bool) -> None:
        self.bucket, self.key, self.expected, self.is_new = bucket, key, size, is_new
        self.size, self.digest = 0, hashlib.sha256()
        self.place: dict[str, Any] = bucket.place(key)
        self.under_way: set[Future[_Sent]] = set()
        self.sent: list[_Sent] = []

    def write(self, first: list[bytearray], source: Reader, mark: str) -> Written:
        """All parts, `first` holding the one that is read already; aborted where anything goes wrong, even in the
        caller's own thread."""
        with self.bucket.errors(self.key):
            begun = self.bucket.client.create_multipart_upload(**self.place, Metadata=metadata(mark))
        self.place["UploadId"] = begun["UploadId"]
        try:
            sent = self._send(first, source)
            answer = self._complete(sent)
        except BaseException:
            # What is left behind costs money, but the first error is the one to be seen.
            with suppress(AdapterError), self.bucket.errors(self.key):
                self.bucket.client.abort_multipart_upload(**self.place)
            raise
        self._verify(answer, sent)
        return Written(self.size, self.digest.hexdigest())

    def _send(self, first: list[bytearray], source: Reader) -> "list[_Sent]":
        """Read on while parts are sent. Where one fails no more is read, and those under way finish: one that arrived
        after the upload is aborted would stay."""
        content = first.pop()
        with (
            ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="parts") as sending,
            ThreadPoolExecutor(1, thread_name_prefix="sha256") as hashing,
        ):
            number = 0
            while content:
                number += 1
                self.size += len(content)
                hashed = hashing.submit(self.digest.update, content)
                self.under_way.add(sending.submit(self._part, number, content, hashed))
                del content
                self._settle(in_flight(number + 1, self.expected))
                content = read_fully(source, part_size(number + 1, self.expected))
            self._settle(0)
        return sorted(self.sent, key=lambda part: part.number)

    def _settle(self, most: int) -> None:
        """Wait until at most so many parts are under way; raise what any of them raised."""
        done, self.under_way = wait(self.under_way, timeout=0)
        self.sent += [part.result() for part in done]
        while len(self.under_way) > most:
            done, self.under_way = wait(self.under_way, return_when=FIRST_COMPLETED)
            self.sent += [part.result() for part in done]

    def _part(self, number: int, content: bytearray, hashed: "Future[None]") -> "_Sent":
        md5 = hashlib.md5(content, usedforsecurity=False).digest()
        request: Any = {**self.place, "PartNumber": number, "Body": content, "ContentMD5": in_base64(md5)}
        with self.bucket.errors(self.key):
            answer = self.bucket.client.upload_part(**request)
        hashed.result()
        return _Sent(number, answer["ETag"], md5)

    def _complete(self, sent: "list[_Sent]") -> Mapping[str, Any]:
        parts: Any = {"Parts": [{"PartNumber": part.number, "ETag": part.etag} for part in sent]}

        def complete(condition: Mapping[str, Any]) -> Mapping[str, Any]:
            with self.bucket.errors(self.key):
                return self.bucket.client.complete_multipart_upload(
                    **self.place, MultipartUpload=parts, **condition
                )

        return self.bucket.habits.only_new(complete, self.bucket.path(self.key), is_new=self.is_new)

    def _verify(self, answer: Mapping[str, Any], sent: "list[_Sent]") -> None:
        sums = hashlib.md5(b"".join(part.md5 for part in sent), usedforsecurity=False).hexdigest()
        etag = plain_etag(answer.get("ETag", ""))
        same = None if is_encrypted(answer) else says(etag, f"{sums}-{len(sent)}")
        compare(self.bucket, self.key, self.size, differs=same is False)
