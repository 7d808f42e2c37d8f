"""Object storage over the S3 protocol: AWS, OCI's compatibility API, MinIO and others, by path style."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from integrations.adapters.contract import (
    Endpoint,
    Field,
    FileInfo,
    FileStore,
    Reader,
    TestStep,
    Written,
    missing_fields,
)
from integrations.adapters.errors import AdapterError, Misconfigured, NotFound
from integrations.adapters.names import decode_name, usable_directory, usable_name
from integrations.adapters.object_client import close_client, object_client, quick_client
from integrations.adapters.object_errors import object_errors
from integrations.adapters.object_parts import abort_uploads, write_object
from integrations.adapters.object_read import opened
from integrations.adapters.object_rename import rename_object
from integrations.adapters.object_several import read_several, rename_several, taken, write_several
from integrations.adapters.object_write import Bucket, Habits, head
from integrations.adapters.rest_settings import url_problems
from integrations.adapters.several import Each, Parcel, Whole
from integrations.adapters.steps import Steps
from integrations.adapters.tls import client_context
from integrations.adapters.web_steps import address_steps

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsOutputTypeDef

    from integrations.adapters.object_quick import QuickClient


class ObjectStorage(FileStore):
    """Buckets as directories: `bucket`, or `namespace/bucket` where namespaces exist (OCI)."""

    name = "object_storage"
    label = "Object storage"
    writes_whole = True
    at_once = 16
    fields = (
        Field(
            "endpoint_url",
            "Endpoint URL",
            required=True,
            help="e.g. https://{namespace}.compat.objectstorage.eu-frankfurt-1.oraclecloud.com",
        ),
        Field("region", "Region", default="us-east-1"),
        Field("access_key", "Access key", required=True),
        Field("secret_key", "Secret key", secret=True, required=True),
        Field("namespace", "Namespace", help="OCI's; a transfer to another one is refused. Empty: any."),
        Field("bucket", "Bucket that Test lists"),
    )

    def __init__(self, endpoint: Endpoint) -> None:
        """Nothing is connected yet."""
        super().__init__(endpoint)
        self._clients: dict[str, S3Client] = {}
        self._quick: dict[str, QuickClient] = {}
        self._habits = Habits()
        # Names that were last looked for and not found: written next, they must still be free.
        self._free: set[tuple[str, str]] = set()

    @classmethod
    def problems(cls, endpoint: Endpoint) -> list[str]:
        """What is wrong with these settings, a sentence each."""
        found = missing_fields(cls.fields, endpoint)
        url = str(endpoint.settings.get("endpoint_url") or "")
        found += url_problems("Endpoint URL", url.replace("{namespace}", "namespace"))
        try:
            client_context(endpoint)
        except AdapterError as error:
            found.append(error.text)
        return found

    def close(self) -> None:
        """Let go of sockets; harmless twice."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            close_client(client)

    def directory_for(self, place: Mapping[str, str]) -> str:
        """Namespace and bucket of a transfer message (seed 001 chapter 2, "To Object Storage")."""
        if bucket := place.get("bucketName"):
            return "/".join(filter(None, (place.get("namespaceName", ""), bucket)))
        raise Misconfigured(
            "The transfer names no bucket", hint="Files for object storage need a `bucketName`."
        )

    def test(self) -> list[TestStep]:
        """Resolve, connect, TLS, then list the bucket (or, where none is set, the buckets)."""
        steps = Steps()
        with steps.until_failure():
            namespace = str(self.endpoint.settings.get("namespace") or "")
            address_steps(self.endpoint, self._url(namespace), steps)
            bucket = str(self.endpoint.settings.get("bucket") or "")
            with steps.step(f"List bucket {bucket}" if bucket else "List buckets") as said:
                said.append(self._count(namespace, bucket))
        return steps.done

    def _count(self, namespace: str, bucket: str) -> str:
        client = self._client(namespace)
        with object_errors(self.endpoint, bucket or "the list of buckets"):
            if bucket:
                more = client.list_objects(Bucket=bucket, MaxKeys=1).get("Contents")
                return "it has objects" if more else "it is empty"
            return f"{len(client.list_buckets()['Buckets'])} buckets"

    # -- the contract ------------------------------------------------------------------------------------

    def list(self, directory: str, prefix: str = "") -> Iterator[FileInfo]:
        """Objects (and, marked, common prefixes up to a slash) that begin with `prefix`, in name order."""
        bucket = self._bucket(directory)
        with object_errors(self.endpoint, bucket.name):
            # The first version of the call: every S3-like service has it, and it pages just as well.
            paginator = bucket.client.get_paginator("list_objects")
            pages = iter(paginator.paginate(Bucket=bucket.name, Prefix=prefix, Delimiter="/"))
        while True:
            with object_errors(self.endpoint, bucket.name):
                page = next(pages, None)
            if page is None:
                return
            yield from _infos(page)

    def stat(self, directory: str, name: str) -> FileInfo | None:
        """The object, or None."""
        found = head(self._bucket(directory), usable_name(name))
        self._free = set() if found else {(directory, name)}
        return None if found is None else FileInfo(name, found.size, found.etag)

    @contextmanager
    def open(self, directory: str, name: str) -> Iterator[Reader]:
        """The object's bytes: streamed, of a large one pieces fetched ahead."""
        with opened(self._bucket(directory), usable_name(name)) as reader:
            yield reader

    def write(
        self, directory: str, name: str, source: Reader, *, size: int | None = None, mark: str = ""
    ) -> Written:
        """Put the object whole: one PUT, or a multipart upload that is aborted on any failure.

        AlreadyExists where `stat` has just found the name free and the store says that it no longer is.
        """
        bucket, is_new = self._bucket(directory), (directory, name) in self._free
        self._free = set()
        return write_object(bucket, usable_name(name), source, size=size, mark=mark, is_new=is_new)

    def rename(self, directory: str, old: str, new: str) -> None:
        """Copy, verify, delete: may be repeated after a crash at any point."""
        bucket = self._bucket(directory)
        rename_object(self, bucket, directory, (usable_name(old), usable_name(new)))

    def delete(self, directory: str, name: str) -> None:
        """Remove one object; nothing happens where it is gone."""
        bucket = self._bucket(directory)
        with bucket.errors(usable_name(name)):
            bucket.quick.delete_object(**bucket.place(name))

    def discard(self, directory: str, name: str) -> None:
        """Abort the uploads of this name that nobody ended: their parts are kept, and paid for, for ever."""
        abort_uploads(self._bucket(directory), usable_name(name))

    # -- several at once ---------------------------------------------------------------------------------

    def read_many(self, directory: str, names: Sequence[str], *, at_once: int) -> Each[Whole]:
        """Each object whole, in one request: its size and ETag are those of the version that was read."""
        return read_several(self._bucket(directory), names, at_once)

    def write_many(self, directory: str, files: Sequence[Parcel], *, at_once: int) -> Each[Written]:
        """Each object in one request; looked for first, unless `taken` has just found its name free."""
        free = {name for place, name in self._free if place == directory}
        self._free = set()
        return write_several(self._bucket(directory), files, free, at_once)

    def taken(self, directory: str, names: Sequence[str], *, at_once: int) -> set[str]:
        """Which of these names are there, by a short listing."""
        found = taken(self._bucket(directory), names, at_once)
        self._free = {(directory, name) for name in names if name not in found}
        return found

    def rename_many(self, directory: str, names: Sequence[tuple[str, str]], *, at_once: int) -> Each[None]:
        """Each (old, new) in two requests: copy, compare, delete."""
        bucket = self._bucket(directory)
        return rename_several(bucket, names, lambda old, new: self.rename(directory, old, new), at_once)

    # -- places ------------------------------------------------------------------------------------------

    def _bucket(self, directory: str) -> Bucket:
        namespace, _, bucket = usable_directory(directory).rpartition("/")
        if not bucket or "/" in namespace:
            raise Misconfigured(f"{directory!r} is no bucket", hint="It reads bucket or namespace/bucket.")
        client = self._client(namespace)
        return Bucket(self.endpoint, client, self._quick[namespace], bucket, self._habits)

    def _client(self, namespace: str) -> "S3Client":
        if namespace not in self._clients:
            client = object_client(self.endpoint, self._url(namespace))
            self._quick[namespace] = quick_client(self.endpoint, client)
            self._clients[namespace] = client
        return self._clients[namespace]

    def _url(self, namespace: str) -> str:
        """The endpoint for a namespace; plain S3 has none, so it only matters where the connection names it."""
        own = str(self.endpoint.settings.get("namespace") or "")
        if namespace and own and namespace != own:
            raise NotFound(
                f"{self.endpoint.name} is for the namespace {own!r}, not {namespace!r}",
                hint="Mend the namespace in the lookup, or use another connection.",
            )
        url = str(self.endpoint.settings.get("endpoint_url") or "")
        if "{namespace}" in url and not (namespace or own):
            raise Misconfigured(
                "The endpoint URL has {namespace} in it, but there is no namespace",
                hint="Set it on the connection or give it with the bucket.",
            )
        return url.replace("{namespace}", namespace or own)


def _infos(page: "ListObjectsOutputTypeDef") -> "list[FileInfo]":
    found = []
    for item in page.get("Contents", []):
        name, trouble = decode_name(item.get("Key", "").encode("utf-8", "surrogateescape"))
        found.append(FileInfo(name, item.get("Size", 0), item.get("ETag", "").strip('"'), trouble=trouble))
    for common in page.get("CommonPrefixes", []):
        name, trouble = decode_name(common.get("Prefix", "").rstrip("/").encode())
        found.append(FileInfo(name, 0, "", is_directory=True, trouble=trouble))
    return sorted(found, key=lambda info: info.name)
