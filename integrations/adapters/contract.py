"""The contracts of all adapters: plain values in, plain values or an AdapterError out.

Nothing here knows the database, so the same operations can run in an agent behind a firewall.
"""

import io
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self

from integrations.adapters.several import Each, Parcel, Whole, each, read_each, write_each

CHUNK = 1024 * 1024  # bytes read at a time where nothing better is known


@dataclass(frozen=True, slots=True)
class Endpoint:
    """All an adapter may know of a connection."""

    name: str
    adapter: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    host_key: str = ""
    trust: tuple[str, ...] = ()
    catalog_url: str = ""
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    allowed_networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One setting of an adapter, as the console's form shows it and as it is checked when saved."""

    name: str
    label: str
    kind: type = str
    required: bool = False
    default: Any = None
    secret: bool = False
    multiline: bool = False
    choices: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class TestStep:
    """One thing that Test tried: what, whether it worked, how long it took, the real error if not."""

    __test__: ClassVar[bool] = False  # not a test class, whatever pytest makes of its name

    what: str
    ok: bool
    milliseconds: float
    detail: str = ""
    hint: str = ""
    offered_host_key: str = ""


class Reader(Protocol):
    """Bytes to be read once, in order."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; b"" at the end."""
        ...


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file as a store lists it. `modified`: opaque, changes when the file does (epoch seconds or ETag)."""

    name: str
    size: int
    modified: str
    is_directory: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What a write put there, as counted and hashed on the way."""

    size: int
    sha256: str


class Adapter(ABC):
    """What every adapter is: made from an Endpoint, opened and closed as a context, testable."""

    name: ClassVar[str]
    label: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    holds_files: ClassVar[bool] = False

    def __init__(self, endpoint: Endpoint) -> None:
        """Nothing is connected yet; raises Misconfigured where settings cannot work."""
        self.endpoint = endpoint

    @classmethod
    def problems(cls, endpoint: Endpoint) -> list[str]:
        """What is wrong with these settings, a sentence each; [] if they can be saved."""
        return missing_fields(cls.fields, endpoint)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of sockets; harmless twice."""
        return

    @abstractmethod
    def test(self) -> list[TestStep]:
        """Try what a flow would need, step by step, changing nothing; never raises for a fault at the edge."""


class FileStore(Adapter):
    """A place of files: SFTP, FTP, object storage, memory. A directory is a path, or namespace/bucket."""

    holds_files = True
    # Whether `write` shows the file under its name only when it is whole (object storage).
    writes_whole: ClassVar[bool] = False
    # Small files under way at once where the connection sets no number.
    at_once: ClassVar[int] = 1

    @abstractmethod
    def list(self, directory: str, prefix: str = "") -> Iterator[FileInfo]:
        """Files (and matching directories, marked) whose names begin with `prefix`, in name order.

        A name that cannot be used is listed with `trouble` and stops nothing else.
        """

    @abstractmethod
    def stat(self, directory: str, name: str) -> FileInfo | None:
        """The file, or None where there is none."""

    @abstractmethod
    def open(self, directory: str, name: str) -> AbstractContextManager[Reader]:
        """The file's bytes, streamed; NotFound where it is gone."""

    @abstractmethod
    def write(
        self, directory: str, name: str, source: Reader, *, size: int | None = None, mark: str = ""
    ) -> Written:
        """Write `source` to its end, overwriting; size and SHA-256 counted on the way and compared with the
        store's own figures: Unwhole where they differ. `mark`: a transfer id kept as metadata where possible.
        """

    @abstractmethod
    def rename(self, directory: str, old: str, new: str) -> None:
        """Give a file its other name, in one step or in a crash-safe order that may be repeated.

        NotFound where `old` is gone, AlreadyExists where `new` is taken by other content.
        """

    @abstractmethod
    def delete(self, directory: str, name: str) -> None:
        """Remove a file; nothing happens where it is gone."""

    # Several small files at once, `at_once` of them under way. Results come in the order asked for, an AdapterError
    # in the place of what failed; after the first failure nothing new is started: NotStarted in its place. These
    # go one by one; a store that can do better does.

    def read_many(self, directory: str, names: Sequence[str], *, at_once: int) -> Each[Whole]:
        """Each file whole, with its size and time (or ETag) after it was read."""
        return read_each(self, directory, names)

    def write_many(self, directory: str, files: Sequence[Parcel], *, at_once: int) -> Each[Written]:
        """Each file written and compared as by `write`; where the store `writes_whole`, AlreadyExists in the place
        of a name that is taken, whatever it holds."""
        return write_each(self, directory, files)

    def taken(self, directory: str, names: Sequence[str], *, at_once: int) -> set[str]:
        """Which of these names are there."""
        return {name for name in names if self.stat(directory, name) is not None}

    def rename_many(self, directory: str, names: Sequence[tuple[str, str]], *, at_once: int) -> Each[None]:
        """Each (old, new) as by `rename`, though AlreadyExists may come also where `new` has the same content."""
        return each(names, lambda pair: self.rename(directory, *pair))

    def discard(self, directory: str, name: str) -> None:
        """Remove what interrupted writes of this name left that is no file yet: parts of an upload."""

    @abstractmethod
    def directory_for(self, place: Mapping[str, str]) -> str:
        """The directory a transfer message means: its `directory`, or its namespaceName and bucketName."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `operation`: a name of the connection's `operations` setting or of its WSDL, e.g. F1-SyncRequest."""

    operation: str
    path_values: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"
    stream: Reader | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What a target answered with success; body decompressed, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    method: str = ""
    url: str = ""


class Caller(Adapter):
    """A place of operations: REST, SOAP."""

    # Whether the catalog is at the target, behind the connection's catalog URL; else it comes with the hub.
    catalog_at_target: ClassVar[bool] = True

    @abstractmethod
    def invoke(self, request: Request) -> Response:
        """Call one operation; Refused for any status that is not 2xx, with the answer kept."""

    @abstractmethod
    def operations(self) -> dict[str, str]:
        """The operations this connection knows: name → `METHOD path`."""

    @abstractmethod
    def catalog_operations(self) -> dict[str, str]:
        """What the target's catalog (OpenAPI document) offers: `METHOD path` → operation id."""


class Mailer(Adapter):
    """A way to send one e-mail."""

    @abstractmethod
    def send(
        self, *, sender: str, recipients: list[str], subject: str, body: str, headers: Mapping[str, str]
    ) -> None:
        """Hand one message to the server; AdapterError where it does not take it."""


def missing_fields(fields: tuple[Field, ...], endpoint: Endpoint) -> list[str]:
    """Sentences for required settings that are empty, choices and numbers that are none."""
    found: list[str] = []
    for item in fields:
        value = (endpoint.secrets if item.secret else endpoint.settings).get(item.name)
        if value in (None, ""):
            if item.required:
                found.append(f"{item.label} is missing")
        elif item.choices and value not in item.choices:
            found.append(f"{item.label} is {value!r}; it can be {', '.join(item.choices)}")
        elif item.kind is int and not str(value).lstrip("-").isdigit():
            found.append(f"{item.label} is {value!r}, which is not a whole number")
    return found


def open_bytes(content: bytes) -> Reader:
    """Bytes as a Reader."""
    return io.BytesIO(content)
