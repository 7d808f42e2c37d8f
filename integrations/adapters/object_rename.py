"""Renaming an object, which S3 does not know: copy, verify, delete; each step may be repeated.

The copy carries the original's ETag, so that after a crash between copy and delete it is known as the copy, and a
rename tried again only deletes.
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from integrations.adapters.contract import FileStore
from integrations.adapters.errors import AdapterError, AlreadyExists, NotFound, Unwhole
from integrations.adapters.object_write import Bucket, Head, head, plain_etag
from integrations.adapters.places import same_content

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

COPY_OF = "busbar-copy-of"
LARGEST_COPY = 5 * 1024**3  # bytes S3 copies in one request
COPY_PART = 1024**3


def rename_object(store: FileStore, bucket: Bucket, directory: str, names: tuple[str, str]) -> None:
    """Give an object its other name. NotFound, AlreadyExists, Unwhole where the copy is not what was copied."""
    old, new = names
    source = head(bucket, old)
    if source is None:
        raise NotFound(f"There is no {bucket.path(old)} at {bucket.endpoint.name}")
    if old == new:
        return
    target = head(bucket, new)
    if target is None:
        _copied(bucket, names, source)
    elif not _is_copy(target, source) and not same_content(store, directory, old, new):
        raise AlreadyExists(
            f"{bucket.path(new)} exists at {bucket.endpoint.name} already, with other content"
        )
    store.delete(directory, old)


def _copied(bucket: Bucket, names: tuple[str, str], source: Head) -> None:
    """Copy; look at the copy where the answer's ETag does not say that it is the same."""
    old, new = names
    with bucket.errors(old):
        etag = _copy(bucket, names, source)
    if plain_etag(etag) == source.etag:
        return
    target = head(bucket, new)
    if target is None or not _is_copy(target, source):
        raise Unwhole(
            f"The copy of {bucket.path(old)} as {new} at {bucket.endpoint.name} is not what was copied"
        )


def _is_copy(target: Head, source: Head) -> bool:
    """Whether `target` is `source`'s copy: same size, and its ETag or its origin says so."""
    return target.size == source.size and source.etag in (target.etag, target.metadata.get(COPY_OF))


def _copy(bucket: Bucket, names: tuple[str, str], source: Head) -> str:
    """The copy's ETag as the store answers it."""
    old, new = names
    made: dict[str, Any] = {
        **bucket.place(new),
        "Metadata": {**source.metadata, COPY_OF: source.etag},
        "ContentType": source.content_type,
    }
    origin: dict[str, Any] = {"CopySource": bucket.source(old), "CopySourceIfMatch": f'"{source.etag}"'}
    client = bucket.client
    if source.size <= LARGEST_COPY:
        answer = client.copy_object(**made, **origin, MetadataDirective="REPLACE")
        return answer["CopyObjectResult"].get("ETag", "")
    upload = client.create_multipart_upload(**made)["UploadId"]
    place: dict[str, Any] = {**bucket.place(new), "UploadId": upload}
    try:
        parts: Any = {"Parts": _copy_parts(client, place | origin, source.size)}
        return client.complete_multipart_upload(**place, MultipartUpload=parts).get("ETag", "")
    except BaseException:
        with suppress(AdapterError), bucket.errors(new):
            client.abort_multipart_upload(**place)
        raise


def _copy_parts(client: "S3Client", request: dict[str, Any], size: int) -> list[dict[str, Any]]:
    done = []
    for number, start in enumerate(range(0, size, COPY_PART), 1):
        last = min(start + COPY_PART, size) - 1
        answer = client.upload_part_copy(
            **request, PartNumber=number, CopySourceRange=f"bytes={start}-{last}"
        )
        done.append({"PartNumber": number, "ETag": answer["CopyPartResult"].get("ETag", "")})
    return done
