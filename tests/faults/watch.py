"""Looks at the target all the while: a final name must never be seen on a partial file, nor be given twice."""

import ctypes
import os
import select
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

Expected = dict[str, tuple[int, str]]  # name → size, SHA-256

MODIFY, MOVED_FROM, MOVED_TO, CREATE, DELETE, OVERFLOW = 0x02, 0x40, 0x80, 0x100, 0x200, 0x4000
_EVENTS = MODIFY | MOVED_FROM | MOVED_TO | CREATE | DELETE
_HEAD = struct.Struct("iIII")


class Watch(Protocol):
    """Watches until it is stopped."""

    @property
    def published(self) -> Counter[str]:
        """How often each name was given to a file."""
        ...

    def stop(self) -> list[str]:
        """What was wrong, a sentence each."""
        ...


class FolderWatch:
    """A folder, by the kernel's own word (inotify): every name given, every byte written under it."""

    def __init__(self, folder: Path, expected: Expected) -> None:
        """`expected` may grow while it watches."""
        self._published: Counter[str] = Counter()
        self._folder, self._expected = folder, expected
        self._seen: list[str] = []
        libc = ctypes.CDLL(None, use_errno=True)
        self._events = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._events < 0 or libc.inotify_add_watch(self._events, os.fsencode(folder), _EVENTS) < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
        self._thread.start()

    @property
    def published(self) -> Counter[str]:
        """Names moved or made there."""
        return self._published

    def stop(self) -> list[str]:
        """What was wrong, up to now; harmless twice."""
        if not self._stop.is_set():
            self._stop.set()
            self._thread.join()
            os.close(self._events)
        return list(dict.fromkeys(self._seen))

    def _look(self) -> None:
        while not self._stop.is_set():
            select.select([self._events], [], [], 0.1)
            self._read()
        self._read()

    def _read(self) -> None:
        try:
            while found := os.read(self._events, 65536):
                for mask, name in _events_in(found):
                    self._met(mask, name)
        except BlockingIOError:
            return

    def _met(self, mask: int, name: str) -> None:
        if mask & OVERFLOW:
            self._seen.append("Too much happened at the target to be watched")
        if name not in self._expected:
            return
        if mask & (MOVED_TO | CREATE):
            self._published[name] += 1
            self._measure(name)
        elif mask & MODIFY:
            self._seen.append(f"{name} was written to at the target under its final name")
        elif mask & (DELETE | MOVED_FROM):
            self._seen.append(f"{name} was taken away at the target")

    def _measure(self, name: str) -> None:
        try:
            size = (self._folder / name).stat().st_size
        except FileNotFoundError:  # what took it away has an event of its own
            return
        if size != self._expected[name][0]:
            self._seen.append(f"{name} was seen at the target with {size} bytes")


def _events_in(found: bytes) -> Iterator[tuple[int, str]]:
    place = 0
    while place < len(found):
        _, mask, _, length = _HEAD.unpack_from(found, place)
        place += _HEAD.size
        yield mask, os.fsdecode(found[place : place + length].rstrip(b"\0"))
        place += length


class BucketWatch:
    """A bucket, by listing it as a reader would; its versions tell how often each object was put."""

    def __init__(self, client: Any, bucket: str, expected: Expected) -> None:
        """`client` reaches the server without a proxy; the bucket keeps versions."""
        self._client, self._bucket, self._expected = client, bucket, expected
        self._seen: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
        self._thread.start()

    @property
    def published(self) -> Counter[str]:
        """Versions of each object: one that was put twice has two."""
        answer = self._client.list_object_versions(Bucket=self._bucket)
        return Counter(version["Key"] for version in answer.get("Versions", []))

    def stop(self) -> list[str]:
        """What was wrong, up to now; harmless twice."""
        self._stop.set()
        self._thread.join()
        return list(dict.fromkeys(self._seen))

    def _look(self) -> None:
        while not self._stop.wait(0.1):
            self._guarded(self._list)

    def _guarded(self, do: Callable[[], None]) -> None:
        try:
            do()
        except (
            BotoCoreError,
            ClientError,
        ) as error:  # a watch that saw nothing must not look like one that did
            self._seen.append(f"The bucket could not be watched: {error}")

    def _list(self) -> None:
        for item in self._client.list_objects_v2(Bucket=self._bucket).get("Contents", []):
            name, size = item["Key"], item["Size"]
            if name in self._expected and size != self._expected[name][0]:
                self._seen.append(f"{name} was seen in the bucket with {size} bytes")
