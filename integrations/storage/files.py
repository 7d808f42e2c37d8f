"""Payloads in a folder: written beside, synced, then renamed; a reader sees all of an object or nothing."""

import errno
import io
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from integrations.storage.backend import Backend, Reader, Scratch, Stored
from integrations.storage.errors import PayloadMissing, StoreUnavailable

_INCOMING = "incoming"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class FileBackend(Backend):
    """A folder, sharded by the first two digits of the digest; files and folders are the hub's alone."""

    here = True

    def __init__(self, root: str) -> None:
        """`root`: made at the first write."""
        self.root = Path(root)

    @contextmanager
    def scratch(self) -> Iterator[Scratch]:
        """A temporary file in the store's own file system, so that keeping it is a rename."""
        with self._explained("written"):
            self._make_folder(self.root / _INCOMING)
            path = self.root / _INCOMING / secrets.token_hex(12)
            # `tempfile` takes a lock, a random generator and several looks at the folder: 0.2 ms where this takes 0.02.
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with io.FileIO(descriptor, "r+b") as file:
            scratch = _Scratch(file, path, self)
            try:
                yield scratch
            finally:
                if not scratch.kept:
                    path.unlink(missing_ok=True)

    def keep(self, scratch: Scratch, key: str) -> None:
        """Sync the file, rename it to its key, sync the folder."""
        target = self.root / key
        with self._explained("written"):
            self._make_folder(target.parent)
            if not (isinstance(scratch, _Scratch) and _moved(scratch, target)):
                copy = self._copied(scratch)
                _sync(copy)
                copy.replace(target)
            _sync(target.parent)

    def size(self, key: str) -> int | None:
        """The file's size."""
        with self._explained("read"):
            try:
                return (self.root / key).stat().st_size
            except FileNotFoundError:
                return None

    @contextmanager
    def open(self, key: str) -> Iterator[Reader]:
        """The file, unbuffered: callers read by the megabyte."""
        with self._explained("read"):
            try:
                file = (self.root / key).open("rb", buffering=0)
            except FileNotFoundError:
                raise PayloadMissing(f"The payload {key} is not in {self.root}") from None
        with file:
            yield file

    def delete(self, key: str) -> None:
        """Unlink it; the folder stays for the next one."""
        with self._explained("cleaned"):
            (self.root / key).unlink(missing_ok=True)

    def sweep(self, before: datetime) -> Iterator[Stored]:
        """Unlink old scratch files; list objects folder by folder."""
        with self._explained("cleaned"):
            for path in (self.root / _INCOMING).glob("*"):
                if _written_at(path) < before:
                    path.unlink(missing_ok=True)
        for path in self.root.glob("??/????*"):
            if (written := _written_at(path)) < before:
                yield Stored(path.relative_to(self.root).as_posix(), path.stat().st_size, written)

    def flatten(self) -> int:
        """Move what an earlier version kept one folder deeper (ab/cd/abcd…) to where it is looked for; how much."""
        moved = 0
        for path in self.root.glob("??/??/*"):
            path.replace(path.parent.parent / path.name)
            moved += 1
        for folder in {*self.root.glob("??/??/")} if moved else ():
            _sync(folder.parent)
            folder.rmdir()
        return moved

    def _copied(self, scratch: Scratch) -> Path:
        descriptor, name = tempfile.mkstemp(dir=self.root / _INCOMING)
        with os.fdopen(descriptor, "wb") as again:
            scratch.seek(0)
            shutil.copyfileobj(scratch, again, 1 << 20)
        return Path(name)

    def _make_folder(self, folder: Path) -> None:
        """A folder and those above it, each new name synced, or a crash could take a file with its folder."""
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync(folder.parent)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise explain(error, f"The payload store {self.root} cannot be {what}") from error


class _Scratch:
    """The scratch file as its writer sees it: a full disk is said in the store's words."""

    def __init__(self, file: io.FileIO, path: Path, backend: FileBackend) -> None:
        self._file, self.path, self._backend = file, path, backend
        self.kept = False  # its name is gone then

    def fileno(self) -> int:
        """The file's descriptor."""
        return self._file.fileno()

    def write(self, data: bytes, /) -> int:
        """All of the bytes; StoreUnavailable where the disk is full."""
        with self._backend._explained("written"):
            return _write_all(self._file, data)

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes."""
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move the position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position."""
        return self._file.tell()


def explain(error: OSError, what: str) -> StoreUnavailable:
    """An operating system's error in the store's words, with what to do about it."""
    if error.errno in _FULL:
        return StoreUnavailable(
            f"{what}: no space is left", hint="Free space there, or run the purge command."
        )
    if error.errno in _FORBIDDEN:
        return StoreUnavailable(
            f"{what}: the hub has no permission ({error.strerror})",
            hint="Give the folder to the user the hub runs as (PAYLOAD_STORE).",
        )
    return StoreUnavailable(f"{what}: {error.strerror or error}", hint="Look at PAYLOAD_STORE.")


def _write_all(file: io.FileIO, data: bytes) -> int:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
    return len(data)


def _moved(scratch: _Scratch, target: Path) -> bool:
    """Sync the scratch file and rename it; False where it was kept before and removed since: only its handle has it."""
    os.fsync(scratch.fileno())
    try:
        scratch.path.replace(target)
    except FileNotFoundError:
        return False
    scratch.kept = True
    return True


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _written_at(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:  # kept or removed since it was listed
        return datetime.now(UTC)
