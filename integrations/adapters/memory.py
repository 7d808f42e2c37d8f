"""Files in this process's memory, shared by name: for tests and previews, with the semantics of the real stores."""

import hashlib
import io
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from integrations.adapters.contract import (
    CHUNK,
    Endpoint,
    Field,
    FileInfo,
    FileStore,
    Reader,
    TestStep,
    Written,
)
from integrations.adapters.errors import (
    AdapterError,
    AlreadyExists,
    Dropped,
    LoginRefused,
    NotFound,
    NotPermitted,
    TimedOut,
    Unreachable,
)
from integrations.adapters.names import decode_name, path_of, usable_directory
from integrations.adapters.places import place_directory
from integrations.adapters.steps import Steps

_FAULTS: dict[str, Callable[[str], AdapterError]] = {
    "down": lambda where: Unreachable(f"{where} refuses connections"),
    "slow": lambda where: TimedOut(f"{where} said nothing for too long"),
    "401": lambda where: LoginRefused(f"{where} refuses the log-in"),
    "500": lambda where: AdapterError(f"{where} could not do it"),
}


@dataclass
class Place:
    """One store's directories and the faults it was told to show."""

    directories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    read_only: set[str] = field(default_factory=set)
    mode: str = ""
    times: int | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def make(self, directory: str, *, read_only: bool = False) -> dict[str, bytes]:
        """A directory, name → content; the one that is there, or a new one."""
        if read_only:
            self.read_only.add(directory)
        return self.directories.setdefault(directory, {})

    def fail(self, mode: str, times: int | None = None) -> None:
        """Fail the next `times` operations (all, where None): down, slow, 401, 500, or cut (midway)."""
        if mode not in (*_FAULTS, "cut"):
            raise ValueError(f"The mode {mode!r} is not one of {', '.join((*_FAULTS, 'cut'))}")
        self.mode, self.times = mode, times

    def take(self, *modes: str) -> str:
        """The fault that strikes now, counted down; "" for none of these modes."""
        with self.lock:
            if self.mode not in modes or self.times == 0:
                return ""
            if self.times is not None:
                self.times -= 1
            return self.mode


_places: dict[str, Place] = {}


def memory_place(name: str) -> Place:
    """The store of this name, new where there was none; it lives until `memory_forget` or the process ends."""
    return _places.setdefault(name, Place())


def memory_forget() -> None:
    """Drop all stores."""
    _places.clear()


class Memory(FileStore):
    """A store in memory; its name is the setting `store`, or the connection's name."""

    name = "memory"
    label = "Memory (tests)"
    fields = (Field("store", "Name of the store", help="Connections with the same name share their files."),)

    def __init__(self, endpoint: Endpoint) -> None:
        """Nothing can be wrong with the settings."""
        super().__init__(endpoint)
        self.where = str(endpoint.settings.get("store") or endpoint.name)
        self.place = memory_place(self.where)

    def test(self) -> list[TestStep]:
        """Count the directories."""
        steps = Steps()
        with steps.until_failure(), steps.step("List directories") as said:
            self._strike()
            said.append(f"{len(self.place.directories)} directories")
        return steps.done

    def directory_for(self, place: Mapping[str, str]) -> str:
        """The message's directory, or its namespace and bucket."""
        if bucket := place.get("bucketName"):
            return "/".join(filter(None, (place.get("namespaceName", ""), bucket)))
        return place_directory(place)

    # -- the contract ------------------------------------------------------------------------------------

    def list(self, directory: str, prefix: str = "") -> Iterator[FileInfo]:
        """Files and directories whose names begin with `prefix`, in name order."""
        base = usable_directory(directory)
        with self.place.lock:
            found = [_info(name, content) for name, content in self._files(base).items()]
            depth = f"{base}/" if base else ""
            below = {path[len(depth) :] for path in self.place.directories if path.startswith(depth)}
        found += [FileInfo(name, 0, "", is_directory=True) for name in below if name and "/" not in name]
        yield from sorted(
            (info for info in found if info.name.startswith(prefix)), key=lambda info: info.name
        )

    def stat(self, directory: str, name: str) -> FileInfo | None:
        """The file, or None."""
        path_of(directory, name)
        self._strike()
        content = self.place.directories.get(usable_directory(directory), {}).get(name)
        return None if content is None else _info(name, content)

    @contextmanager
    def open(self, directory: str, name: str) -> Iterator[Reader]:
        """The file's bytes."""
        path = path_of(directory, name)
        content = self._files(usable_directory(directory)).get(name)
        if content is None:
            raise NotFound(f"{path} is not at {self.where}")
        yield _Cut(content, self.where) if self.place.take("cut") else io.BytesIO(content)

    def write(
        self, directory: str, name: str, source: Reader, *, size: int | None = None, mark: str = ""
    ) -> Written:
        """Keep the bytes; what was read before a fault stays, as on a server."""
        path_of(directory, name)
        files = self._writable(directory)
        cut = self.place.take("cut")
        digest, kept = hashlib.sha256(), bytearray()
        files[name] = b""
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            kept += chunk
            if cut:
                files[name] = bytes(kept[: len(kept) // 2])
                raise Dropped(f"{self.where} dropped the session at {name}")
        files[name] = bytes(kept)
        return Written(len(kept), digest.hexdigest())

    def rename(self, directory: str, old: str, new: str) -> None:
        """In one step; a leftover with the same content counts as done."""
        source, target = path_of(directory, old), path_of(directory, new)
        with self.place.lock:
            files = self._writable(directory)
            if old not in files:
                raise NotFound(f"{source} is not at {self.where}")
            if files.get(new, files[old]) != files[old]:
                raise AlreadyExists(f"{target} exists at {self.where} already, with other content")
            files[new] = files.pop(old)

    def delete(self, directory: str, name: str) -> None:
        """Remove a file; nothing happens where it is gone."""
        path_of(directory, name)
        self._writable(directory).pop(name, None)

    def _files(self, directory: str) -> dict[str, bytes]:
        self._strike()
        files = self.place.directories.get(directory)
        if files is None:
            raise NotFound(f"There is no directory {directory!r} at {self.where}")
        return files

    def _writable(self, directory: str) -> dict[str, bytes]:
        base = usable_directory(directory)
        files = self._files(base)
        if base in self.place.read_only:
            raise NotPermitted(f"{self.where} does not permit writing to {base}")
        return files

    def _strike(self) -> None:
        if mode := self.place.take(*_FAULTS):
            raise _FAULTS[mode](self.where)


class _Cut:
    """Half of the content, then the connection breaks."""

    def __init__(self, content: bytes, where: str) -> None:
        self._rest, self._where = io.BytesIO(content[: len(content) // 2]), where

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; Dropped where the end should be."""
        if found := self._rest.read(size):
            return found
        raise Dropped(f"{self._where} dropped the session")


def _info(name: str, content: bytes) -> FileInfo:
    shown, trouble = decode_name(name.encode("utf-8", "surrogateescape"))
    # The content's own hash changes when the file does, as an ETag would.
    return FileInfo(shown, len(content), hashlib.sha256(content).hexdigest()[:16], trouble=trouble)
