"""What path-like stores share: where a transfer message points, and whether two files are the same."""

import hashlib
from collections.abc import Mapping

from integrations.adapters.contract import CHUNK, Field, FileStore
from integrations.adapters.errors import Misconfigured


def directory_setting() -> Field:
    """The directory that Test lists."""
    return Field("directory", "Directory that Test lists", help="Empty: where the log-in starts.")


def place_directory(place: Mapping[str, str]) -> str:
    """`directory` of a transfer message (seed 001 chapter 2, "To FTP Server"); Misconfigured where it has none."""
    directory = place.get("directory", "")
    if not directory:
        raise Misconfigured(
            "The transfer names no directory", hint="Files for an SFTP or FTP server need a `directory`."
        )
    return directory


def same_content(store: FileStore, directory: str, one: str, other: str) -> bool:
    """Whether two files have the same bytes: sizes first, then SHA-256 of both."""
    first, second = store.stat(directory, one), store.stat(directory, other)
    if first is None or second is None or first.size != second.size or second.is_directory:
        return False
    return _digest(store, directory, one) == _digest(store, directory, other)


def _digest(store: FileStore, directory: str, name: str) -> bytes:
    found = hashlib.sha256()
    with store.open(directory, name) as reader:
        while chunk := reader.read(CHUNK):
            found.update(chunk)
    return found.digest()
