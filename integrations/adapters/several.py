"""Several small files, one by one: what a store does that knows no better way.

Results come in the order asked for, an AdapterError in the place of what failed; after the first failure nothing
new is started: NotStarted in its place.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from integrations.adapters.errors import AdapterError, AlreadyExists, NotFound, NotStarted

if TYPE_CHECKING:
    from integrations.adapters.contract import FileInfo, FileStore, Written

Item = TypeVar("Item")
Result = TypeVar("Result")
Each = list[Result | AdapterError]
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Whole:
    """A small file read in one go: its bytes, and how the store showed it after they were read."""

    info: "FileInfo"
    content: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """A small file to be written in one go. `mark`: as in `FileStore.write`."""

    name: str
    content: bytes
    mark: str = ""


def each(items: Sequence[Item], do: Callable[[Item], Result]) -> Each[Result]:
    """`do` with each item until one fails; the failure in its place, NotStarted in those behind it."""
    found: Each[Result] = []
    failed = False
    for item in items:
        try:
            found.append(not_started() if failed else do(item))
        except AdapterError as error:
            found.append(error)
            failed = True
    return found


def not_started() -> NotStarted:
    """What stands in the place of a file that an error before it kept from being begun."""
    return NotStarted("not started, because of the error before it")


def read_each(store: "FileStore", directory: str, names: Sequence[str]) -> Each[Whole]:
    """Each file whole."""
    return each(names, lambda name: _read(store, directory, name))


def _read(store: "FileStore", directory: str, name: str) -> Whole:
    with store.open(directory, name) as reader:
        content = b"".join(iter(lambda: reader.read(_PIECE), b""))
    info = store.stat(directory, name)
    if info is None:
        raise NotFound(f"{name} went away while it was read")
    return Whole(info, content)


def write_each(store: "FileStore", directory: str, files: Sequence[Parcel]) -> "Each[Written]":
    """Each file written; AlreadyExists where the store shows files under their name at once and it is taken."""
    return each(files, lambda file: _write(store, directory, file))


def _write(store: "FileStore", directory: str, file: Parcel) -> "Written":
    if store.writes_whole and store.stat(directory, file.name) is not None:
        raise AlreadyExists(f"{file.name} is there already")
    source = io.BytesIO(file.content)
    return store.write(directory, file.name, source, size=len(file.content), mark=file.mark)
