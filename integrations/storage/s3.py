"""Payloads in an S3 bucket; a PUT shows all of an object or nothing. Credentials come from the environment."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any, cast

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from integrations.storage.backend import Backend, Reader, Scratch, Stored
from integrations.storage.errors import PayloadMissing, StoreUnavailable
from integrations.storage.files import explain

_IN_MEMORY = 1024 * 1024  # bytes of an object that never touch the local disk
_GONE = ("404", "NoSuchKey", "NotFound")
_CONFIG = Config(
    s3={"addressing_style": "path"},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 3},
)


class S3Backend(Backend):
    """A bucket, and a prefix in it."""

    def __init__(self, bucket: str, prefix: str = "", *, endpoint_url: str = "", region: str = "") -> None:
        """`endpoint_url`, `region`: of any S3 service; empty for the environment's."""
        self.bucket, self.prefix = bucket, f"{prefix}/" if prefix else ""
        self._where = f"The payload store s3://{bucket}/{self.prefix}"
        self._client = boto3.client(
            "s3", endpoint_url=endpoint_url or None, region_name=region or None, config=_CONFIG
        )

    @contextmanager
    def scratch(self) -> Iterator[Scratch]:
        """A temporary file, on disk from a megabyte on; it holds what will be stored, encrypted where it is."""
        try:
            with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
                yield file
        except OSError as error:
            if isinstance(error, ConnectionError | TimeoutError):
                raise
            raise explain(error, "The folder for temporary files cannot be written") from error

    def keep(self, scratch: Scratch, key: str) -> None:
        """Upload it, in parts where it is large; one part in memory at a time."""
        scratch.seek(0)
        with self._explained():
            self._client.upload_fileobj(
                cast("IO[bytes]", _Unclosed(scratch)),
                self.bucket,
                self.prefix + key,
                Config=TransferConfig(use_threads=False),
            )

    def size(self, key: str) -> int | None:
        """The object's size, by HEAD."""
        try:
            with self._explained():
                return int(
                    self._client.head_object(Bucket=self.bucket, Key=self.prefix + key)["ContentLength"]
                )
        except PayloadMissing:
            return None

    @contextmanager
    def open(self, key: str) -> Iterator[Reader]:
        """The object's body as it arrives; what breaks midway is StoreUnavailable."""
        with self._explained():
            body = self._client.get_object(Bucket=self.bucket, Key=self.prefix + key)["Body"]
        try:
            yield _Body(body, self)
        finally:
            body.close()

    def delete(self, key: str) -> None:
        """One single delete."""
        with self._explained():
            self._client.delete_object(Bucket=self.bucket, Key=self.prefix + key)

    def sweep(self, before: datetime) -> Iterator[Stored]:
        """Abort old multipart uploads; list objects page by page."""
        with self._explained():
            found = self._client.list_multipart_uploads(Bucket=self.bucket, Prefix=self.prefix)
            for upload in found.get("Uploads", []):
                if upload["Initiated"] < before:
                    self._client.abort_multipart_upload(
                        Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        with self._explained():
            for page in pages:
                for item in page.get("Contents", []):
                    if item["LastModified"] < before:
                        yield Stored(
                            item["Key"].removeprefix(self.prefix), item["Size"], item["LastModified"]
                        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            said = error.response.get("Error", {})
            if said.get("Code") in _GONE:
                raise PayloadMissing(f"{self._where} has no such object") from None
            raise StoreUnavailable(
                f"{self._where} refused: {said.get('Code')} {said.get('Message', '')}".strip(),
                hint="Look at PAYLOAD_STORE, its bucket and the AWS_… credentials.",
            ) from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"{self._where} cannot be reached: {error}", hint="Try again.") from error


class _Body:
    """A response's body, its errors in the store's words."""

    def __init__(self, body: Any, backend: S3Backend) -> None:
        self._body, self._backend = body, backend

    def read(self, size: int = -1, /) -> bytes:
        with self._backend._explained():
            data: bytes = self._body.read(None if size < 0 else size)
            return data


class _Unclosed:
    """A scratch that boto3, which closes what it uploads, cannot close."""

    def __init__(self, file: Scratch) -> None:
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        """Nothing: its owner closes it."""
