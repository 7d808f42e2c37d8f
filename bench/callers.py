"""Callers of an HTTP address, in a closed loop: each sends its next request when it has the last answer."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from bench.figures import percentile

TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go, and as whom. `make`: from an id to path and message: bytes, or what becomes JSON."""

    url: str
    method: str
    user: str
    secret: str = field(repr=False)
    make: Callable[[str], tuple[str, Any]]
    content_type: str = "application/json"


@dataclass(slots=True)
class Load:
    """What a load came to: milliseconds of each call, and the seconds of all together."""

    times: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Calls a second."""
        return len(self.times) / self.seconds

    def at(self, percent: float) -> float:
        """A percentile of the milliseconds."""
        return percentile(self.times, percent)


def load(target: Target, ids: Sequence[str], callers: int) -> Load:
    """One call for each id, shared by so many callers; RuntimeError for the first answer that is not 200."""
    waiting, lock, found = iter(ids), threading.Lock(), Load()
    troubles: list[Exception] = []

    def work() -> None:
        try:
            times = list(_calls(target, waiting, lock))
        except (OSError, RuntimeError, HTTPException) as error:
            troubles.append(error)
            return
        with lock:
            found.times += times

    threads = [threading.Thread(target=work) for _ in range(callers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.seconds = time.perf_counter() - began
    if troubles:
        raise RuntimeError(f"A caller of {target.url} was not served: {troubles[0]}") from troubles[0]
    return found


def _calls(target: Target, waiting: Iterator[str], lock: threading.Lock) -> Iterator[float]:
    """One caller's connection and its calls. It opens a new connection by itself where the server closes one."""
    pair = base64.b64encode(f"{target.user}:{target.secret}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}", "Content-Type": target.content_type}
    parts = urlsplit(target.url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    while True:
        with lock:
            key = next(waiting, None)
        if key is None:
            connection.close()
            return
        path, message = target.make(key)
        content = message if isinstance(message, bytes) else json.dumps(message).encode()
        began = time.perf_counter()
        connection.request(target.method, parts.path + path, body=content, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        taken = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{target.method} {path} answered {answer.status}: {body[:300]!r}")
        yield taken
