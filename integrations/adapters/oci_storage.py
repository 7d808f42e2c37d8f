"""Object storage over OCI's native API, signed with signature version 1: renames are atomic there.

The vendor's SDK does the talking; it is an extra, imported when such a connection is used.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from integrations.adapters.at_once import each_at_once
from integrations.adapters.contract import Endpoint, FileInfo, FileStore, Reader, TestStep, Written
from integrations.adapters.errors import AlreadyExists, Misconfigured, NotFound, Refused
from integrations.adapters.names import usable_directory, usable_name
from integrations.adapters.oci_client import Bucket, close_client, oci_client
from integrations.adapters.oci_errors import oci_errors, only_the_object_is_gone
from integrations.adapters.oci_read import first_page, objects, opened, whole
from integrations.adapters.oci_settings import OCI_FIELDS, check_key, service_url, setting, settings_problems
from integrations.adapters.oci_write import abort_uploads, head, write_object
from integrations.adapters.places import same_content
from integrations.adapters.several import Each, Parcel, Whole
from integrations.adapters.steps import Steps
from integrations.adapters.web_steps import address_steps

_CONFLICT = 409


class OciObjectStorage(FileStore):
    """Buckets as directories: `bucket` in the connection's namespace, or `namespace/bucket`."""

    name = "oci_object_storage"
    label = "OCI object storage"
    writes_whole = True
    at_once = 8
    fields = OCI_FIELDS

    def __init__(self, endpoint: Endpoint) -> None:
        """Nothing is connected yet."""
        super().__init__(endpoint)
        self._opened: Any = None
        self._own_namespace = setting(endpoint, "namespace")
        # The name that was last looked for and not found: written next, it must still be free.
        self._free: tuple[str, str] | None = None

    @classmethod
    def problems(cls, endpoint: Endpoint) -> list[str]:
        """What is wrong with these settings, a sentence each."""
        return settings_problems(endpoint)

    def close(self) -> None:
        """Let go of sockets; harmless twice."""
        client, self._opened = self._opened, None
        if client is not None:
            close_client(client)

    def directory_for(self, place: Mapping[str, str]) -> str:
        """Namespace and bucket of a transfer message (seed 001 chapter 2, "To Object Storage")."""
        if bucket := place.get("bucketName"):
            return "/".join(filter(None, (place.get("namespaceName", ""), bucket)))
        raise Misconfigured(
            "The transfer names no bucket", hint="Files for object storage need a `bucketName`."
        )

    def test(self) -> list[TestStep]:
        """Check the key, resolve, connect, TLS, a signed call, then list the bucket (or count the compartment's)."""
        steps = Steps()
        with steps.until_failure():
            with steps.step("Check key") as said:
                said.append(f"fingerprint {check_key(self.endpoint)}")
            client = self._client()
            address_steps(self.endpoint, service_url(self.endpoint), steps)
            with steps.step("Log in") as said, oci_errors(self.endpoint, "the namespace"):
                said.append(f"the tenancy's namespace is {client.get_namespace().data}")
            self._test_buckets(steps)
        return steps.done

    def _test_buckets(self, steps: Steps) -> None:
        bucket, compartment = setting(self.endpoint, "bucket"), setting(self.endpoint, "compartment")
        if bucket:
            with steps.step(f"List bucket {bucket}") as said:
                found = first_page(self._place(bucket), limit=1)
                said.append("it has objects" if found.objects or found.prefixes else "it is empty")
        elif compartment:
            with steps.step("List buckets") as said, oci_errors(self.endpoint, "the compartment's buckets"):
                names = self._client().list_buckets(self._namespace(), compartment, limit=1000).data
                said.append(f"{len(names)} buckets")

    # -- the contract ------------------------------------------------------------------------------------

    def list(self, directory: str, prefix: str = "") -> Iterator[FileInfo]:
        """Objects (and, marked, common prefixes up to a slash) that begin with `prefix`, in name order."""
        return objects(self._place(directory), prefix)

    def stat(self, directory: str, name: str) -> FileInfo | None:
        """The object, or None."""
        found = head(self._place(directory), usable_name(name))
        self._free = None if found else (directory, name)
        return FileInfo(name, found.size, found.etag) if found else None

    @contextmanager
    def open(self, directory: str, name: str) -> Iterator[Reader]:
        """The object's bytes, streamed."""
        with opened(self._place(directory), usable_name(name)) as (reader, _):
            yield reader

    def write(
        self, directory: str, name: str, source: Reader, *, size: int | None = None, mark: str = ""
    ) -> Written:
        """Put the object whole: one PUT, or a multipart upload that is aborted on any failure.

        AlreadyExists where `stat` has just found the name free and it no longer is when the object would appear.
        """
        free, self._free = self._free, None
        is_new = free == (directory, name)
        bucket = self._place(directory)
        return write_object(bucket, usable_name(name), source, size=size, mark=mark, is_new=is_new)

    def rename(self, directory: str, old: str, new: str) -> None:
        """One atomic step that never replaces; where `new` has the same content, `old` goes."""
        bucket = self._place(directory)
        if usable_name(old) == usable_name(new):
            if head(bucket, old) is None:
                raise NotFound(f"There is no {bucket.path(old)} at {self.endpoint.name}")
            return
        try:
            _rename(bucket, old, new)
        except (AlreadyExists, Refused) as error:
            taken = isinstance(error, AlreadyExists) or error.status == _CONFLICT
            if not taken or not same_content(self, directory, old, new):
                raise
            self.delete(directory, old)

    def delete(self, directory: str, name: str) -> None:
        """Remove one object; nothing happens where it is gone."""
        bucket = self._place(directory)
        try:
            with oci_errors(self.endpoint, bucket.path(usable_name(name))):
                bucket.client.delete_object(*bucket.place, name)
        except NotFound as error:
            if not only_the_object_is_gone(error):
                raise

    def discard(self, directory: str, name: str) -> None:
        """Abort the uploads of this name that nobody ended: their parts are kept, and paid for, for ever."""
        abort_uploads(self._place(directory), usable_name(name))

    # -- several at once ---------------------------------------------------------------------------------

    def read_many(self, directory: str, names: Sequence[str], *, at_once: int) -> Each[Whole]:
        """Each object whole, in one request: its size and ETag are those of the version that was read."""
        bucket = self._place(directory)
        return each_at_once(names, lambda name: whole(bucket, usable_name(name)), at_once)

    def write_many(self, directory: str, files: Sequence[Parcel], *, at_once: int) -> Each[Written]:
        """Each object in one request, which the service refuses where the name is taken."""
        bucket = self._place(directory)

        def write(file: Parcel) -> Written:
            source, size = io.BytesIO(file.content), len(file.content)
            return write_object(
                bucket, usable_name(file.name), source, size=size, mark=file.mark, is_new=True
            )

        return each_at_once(files, write, at_once)

    def taken(self, directory: str, names: Sequence[str], *, at_once: int) -> set[str]:
        """Which of these names are there."""
        bucket = self._place(directory)
        found = each_at_once(names, lambda name: head(bucket, usable_name(name)), at_once)
        for error in found:
            if isinstance(error, Exception):
                raise error
        return {name for name, info in zip(names, found, strict=True) if info is not None}

    def rename_many(self, directory: str, names: Sequence[tuple[str, str]], *, at_once: int) -> Each[None]:
        """Each (old, new) as by `rename`."""
        self._place(directory)
        return each_at_once(names, lambda pair: self.rename(directory, *pair), at_once)

    # -- places ------------------------------------------------------------------------------------------

    def _place(self, directory: str) -> Bucket:
        namespace, _, bucket = usable_directory(directory).rpartition("/")
        if not bucket or "/" in namespace:
            raise Misconfigured(f"{directory!r} is no bucket", hint="It reads bucket or namespace/bucket.")
        own = setting(self.endpoint, "namespace")
        if namespace and own and namespace != own:
            raise NotFound(
                f"{self.endpoint.name} is for the namespace {own!r}, not {namespace!r}",
                hint="Mend the namespace in the lookup, or use another connection.",
            )
        return Bucket(self.endpoint, self._client(), namespace or self._namespace(), bucket)

    def _client(self) -> Any:
        if self._opened is None:
            self._opened = oci_client(self.endpoint)
        return self._opened

    def _namespace(self) -> str:
        """The connection's, or the tenancy's own, asked for once."""
        if not self._own_namespace:
            with oci_errors(self.endpoint, "the namespace"):
                self._own_namespace = str(self._client().get_namespace().data)
        return self._own_namespace


def _rename(bucket: Bucket, old: str, new: str) -> None:
    from oci.object_storage.models import RenameObjectDetails  # noqa: PLC0415  (an extra that may be missing)

    details = RenameObjectDetails(source_name=old, new_name=new, new_obj_if_none_match_e_tag="*")
    with oci_errors(bucket.endpoint, f"{bucket.path(old)} as {new}"):
        bucket.client.rename_object(*bucket.place, details)
