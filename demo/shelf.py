"""Where CCS puts files and DACS finds them: a folder behind an SFTP server, or a bucket."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Item:
    """A file on a shelf; `version` changes when its content does."""

    name: str
    version: str


class Shelf(Protocol):
    """A place of whole files."""

    def items(self) -> Iterator[Item]:
        """Files in name order."""
        ...

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A file's bytes."""
        ...

    def put(self, name: str, content: Path) -> None:
        """Make `name` appear with this content, whole from the start; the file at `content` is used up."""


class Folder:
    """A directory on this machine."""

    def __init__(self, path: Path) -> None:
        """`path` is made where it is missing."""
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def items(self) -> Iterator[Item]:
        """Files, hidden ones left out; version is size and time of change."""
        for path in sorted(self.path.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                stat = path.stat()
                yield Item(path.name, f"{stat.st_size}-{stat.st_mtime_ns}")

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """The file, for reading."""
        return (self.path / name).open("rb")

    def put(self, name: str, content: Path) -> None:
        """By a hidden name beside, then one rename."""
        hidden = self.path / f".{name}.writing"
        shutil.copyfile(content, hidden)
        hidden.rename(self.path / name)
        content.unlink()
