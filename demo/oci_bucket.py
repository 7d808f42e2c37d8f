"""A bucket on disk, as OCI's native API sees it: objects that appear whole, conditions, multipart uploads, renames."""

import base64
import hashlib
import secrets
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from demo.oci_signature import Refusal

_CHUNK = 1024 * 1024
_AFTER_ALL = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that are on disk."""

    path: Path
    size: int
    md5: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """An object: what it consists of, and what is said of it. `parts`: of how many, 0 for one put in one go."""

    contents: tuple[Content, ...]
    metadata: Mapping[str, str]
    parts: int = 0
    content_type: str = "application/octet-stream"
    etag: str = field(default_factory=lambda: secrets.token_hex(16))
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(content.size for content in self.contents)

    @property
    def md5(self) -> str:
        """In base64: of the content, or of the parts' sums with their number behind."""
        if not self.parts:
            return base64.b64encode(self.contents[0].md5).decode()
        sums = hashlib.md5(b"".join(content.md5 for content in self.contents), usedforsecurity=False)
        return f"{base64.b64encode(sums.digest()).decode()}-{self.parts}"


@dataclass(slots=True)
class Upload:
    """A multipart upload under way."""

    name: str
    metadata: Mapping[str, str]
    parts: dict[int, tuple[str, Content]] = field(default_factory=dict)
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a listing."""

    objects: list[tuple[str, Stored]]
    prefixes: list[str]
    next_start: str | None


class Bucket:
    """Objects by name. Safe to use from several threads."""

    def __init__(self, name: str, folder: Path) -> None:
        """`folder` holds the bytes, under names of their own; it is made where it is missing."""
        self.name, self._folder = name, folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._objects: dict[str, Stored] = {}
        self._names: list[str] = []
        self.uploads: dict[str, Upload] = {}

    def receive(self, source: BinaryIO, size: int) -> Content:
        """`size` bytes onto the disk; ConnectionError where they end early."""
        path, digest, left = self._folder / secrets.token_hex(16), hashlib.md5(usedforsecurity=False), size
        with path.open("wb") as file:
            while left and (chunk := source.read(min(_CHUNK, left))):
                digest.update(chunk)
                file.write(chunk)
                left -= len(chunk)
        if left:
            path.unlink()
            raise ConnectionError(f"{left} of {size} bytes did not come")
        return Content(path, size, digest.digest())

    def get(self, name: str) -> Stored:
        """The object; Refusal where it is not there."""
        with self._lock:
            if name not in self._objects:
                raise Refusal(
                    404, "ObjectNotFound", f"The object '{name}' was not found in the bucket '{self.name}'"
                )
            return self._objects[name]

    def keep(self, name: str, made: Stored, *, if_match: str = "", if_none_match: str = "") -> Stored:
        """Show an object under its name; Refusal where a condition does not hold."""
        try:
            with self._lock:
                self.check(name, if_match=if_match, if_none_match=if_none_match)
                self._drop(name)
                self._objects[name] = made
                self._names.insert(bisect_left(self._names, name), name)
        except Refusal:
            forget(made.contents)
            raise
        return made

    def check(self, name: str, *, if_match: str = "", if_none_match: str = "") -> None:
        """Refusal where a condition does not hold."""
        with self._lock:
            there = self._objects.get(name)
            if if_none_match == "*" and there is not None:
                raise Refusal(412, "IfNoneMatchFailed", f"The object '{name}' already exists")
            if if_match and (there is None or there.etag != if_match):
                raise Refusal(412, "IfMatchFailed", f"The entity tag of '{name}' does not match")

    def delete(self, name: str, *, if_match: str = "") -> None:
        """Remove the object; Refusal where it is not there, or another version."""
        with self._lock:
            self.get(name)
            self.check(name, if_match=if_match)
            self._drop(name)

    def rename(
        self, old: str, new: str, *, if_match: str, new_if_match: str, new_if_none_match: str
    ) -> Stored:
        """One step, in which both names change."""
        with self._lock:
            found = self.get(old)
            self.check(old, if_match=if_match)
            self.check(new, if_match=new_if_match, if_none_match=new_if_none_match)
            if old != new:
                self._objects.pop(old)
                self._names.remove(old)
                self.keep(new, replace(found, etag=secrets.token_hex(16)))
            return self._objects[new]

    def page(self, *, prefix: str, delimiter: str, start: str, after: str, end: str, limit: int) -> Page:
        """Names from `start` (or behind `after`), before `end`; what `delimiter` has in common only once."""
        objects: list[tuple[str, Stored]] = []
        prefixes: list[str] = []
        with self._lock:
            names = self._names
            at = bisect_right(names, after) if after else bisect_left(names, start)
            at = max(at, bisect_left(names, prefix))
            while at < len(names) and names[at].startswith(prefix) and (not end or names[at] < end):
                name = names[at]
                if len(objects) + len(prefixes) == limit:
                    return Page(objects, prefixes, name)
                head, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
                if found:
                    prefixes.append(prefix + head + found)
                    at = bisect_left(names, prefixes[-1] + _AFTER_ALL)
                else:
                    objects.append((name, self._objects[name]))
                    at += 1
        return Page(objects, prefixes, None)

    def upload(self, upload_id: str, name: str) -> Upload:
        """A multipart upload under way; Refusal where there is none."""
        with self._lock:
            found = self.uploads.get(upload_id)
            if found is None or found.name != name:
                raise Refusal(404, "NoSuchUpload", f"There is no upload '{upload_id}' of '{name}'")
            return found

    def begin(self, upload: Upload) -> str:
        """Its id."""
        with self._lock:
            self.uploads[made := secrets.token_hex(16)] = upload
            return made

    def part(self, upload_id: str, name: str, number: int, content: Content) -> str:
        """Keep one part; its ETag."""
        etag = secrets.token_hex(16)
        try:
            with self._lock:
                parts = self.upload(upload_id, name).parts
                _, old = parts.get(number, ("", None))
                parts[number] = (etag, content)
                forget([old] if old else [])
        except Refusal:
            forget([content])
            raise
        return etag

    def commit(
        self, upload_id: str, name: str, chosen: list[tuple[int, str]], *, if_match: str, if_none_match: str
    ) -> Stored:
        """Make the object of the parts chosen, in the order of their numbers; the others go."""
        with self._lock:
            upload = self.upload(upload_id, name)
            numbers = [number for number, _ in chosen]
            good = all(upload.parts.get(number, ("",))[0] == etag for number, etag in chosen)
            if not chosen or not good or numbers != sorted(set(numbers)):
                raise Refusal(400, "InvalidUploadPart", "The parts are not those that were uploaded")
            self.check(name, if_match=if_match, if_none_match=if_none_match)
            contents = tuple(upload.parts.pop(number)[1] for number in numbers)
            self.abort(upload_id, name)
            return self.keep(name, Stored(contents, upload.metadata, len(contents)))

    def abort(self, upload_id: str, name: str) -> None:
        """Forget an upload and its parts."""
        with self._lock:
            upload = self.upload(upload_id, name)
            del self.uploads[upload_id]
            forget(content for _, content in upload.parts.values())

    def clear(self) -> None:
        """Neither objects nor uploads."""
        with self._lock:
            for name in list(self._objects):
                self._drop(name)
            for key, upload in list(self.uploads.items()):
                self.abort(key, upload.name)

    def _drop(self, name: str) -> None:
        if name in self._objects:
            self._names.remove(name)
            forget(self._objects.pop(name).contents)


def forget(contents: Iterable[Content]) -> None:
    """Remove bytes from the disk; who reads them reads on."""
    for content in contents:
        content.path.unlink(missing_ok=True)
