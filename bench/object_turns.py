"""One turn of `bench.object_wire` through the adapter, in a process of its own.

`python -m bench.object_turns` reads what to do as JSON from its input and prints what it took as JSON.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.processes import forget_peak, peak_mib
from bench.rclone import Spent
from integrations.adapters import open_adapter
from integrations.adapters.contract import Endpoint, FileStore
from integrations.adapters.several import Each, Parcel

PIECE = 2**20


@dataclass(frozen=True, slots=True)
class Order:
    """What to do with which files. `folder`: where files come from or go to on this machine."""

    act: str
    settings: dict[str, str]
    secret_key: str
    bucket: str
    folder: str
    at_once: int
    volley: int


def act(order: Order) -> Spent:
    """Do it; what it took, without what it takes to load the libraries and to connect."""
    endpoint = Endpoint("Bench", "object_storage", order.settings, {"secret_key": order.secret_key})
    with open_adapter(endpoint) as store:
        if not isinstance(store, FileStore):
            raise TypeError("Object storage holds no files")
        store.stat(order.bucket, "nothing")
        before = time.process_time()
        forget_peak(os.getpid())
        began = time.perf_counter()
        ACTS[order.act](store, order)
        seconds, cpu = time.perf_counter() - began, time.process_time() - before
    return Spent(seconds, cpu, peak_mib(os.getpid()))


def _upload_large(store: FileStore, order: Order) -> None:
    for path in Path(order.folder).iterdir():
        with path.open("rb") as source:
            store.write(order.bucket, path.name, source, size=path.stat().st_size)


def _download_large(store: FileStore, order: Order) -> None:
    for info in store.list(order.bucket):
        target = Path(order.folder) / info.name
        with store.open(order.bucket, info.name) as reader, target.open("wb") as file:
            while piece := reader.read(PIECE):
                file.write(piece)


def _upload_small(store: FileStore, order: Order) -> None:
    for paths in _volleys(sorted(Path(order.folder).iterdir()), order.volley):
        files = [Parcel(path.name, path.read_bytes()) for path in paths]
        _good(store.write_many(order.bucket, files, at_once=order.at_once))


def _download_small(store: FileStore, order: Order) -> None:
    for infos in _volleys(list(store.list(order.bucket)), order.volley):
        names = [info.name for info in infos]
        for whole in _good(store.read_many(order.bucket, names, at_once=order.at_once)):
            (Path(order.folder) / whole.info.name).write_bytes(whole.content)


def _rename_small(store: FileStore, order: Order) -> None:
    for infos in _volleys(list(store.list(order.bucket)), order.volley):
        names = [(info.name, f"SENT-{info.name}") for info in infos]
        _good(store.rename_many(order.bucket, names, at_once=order.at_once))


def _volleys(items: Sequence[Any], count: int) -> Iterator[Sequence[Any]]:
    """As the engine takes them: so many together, then the next."""
    for start in range(0, len(items), count):
        yield items[start : start + count]


def _good(results: Each[Any]) -> list[Any]:
    for result in results:
        if isinstance(result, Exception):
            raise result
    return list(results)


ACTS: dict[str, Callable[[FileStore, Order], None]] = {
    "upload large": _upload_large,
    "download large": _download_large,
    "upload small": _upload_small,
    "download small": _download_small,
    "rename small": _rename_small,
}


def main() -> None:
    """Do what the input says."""
    sys.stdout.write(json.dumps(asdict(act(Order(**json.load(sys.stdin))))))


if __name__ == "__main__":
    main()
