"""A REST neighbour: HTTP Basic, a log of what it received, faults on demand (contract: neighbour control)."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from demo.faults import Faults
from demo.http import Answer, Call, HttpServer, problem

_SHOWN_WHOLE = 64 * 1024  # bytes of JSON; a log of thousands of segments would not fit into memory
_BEGINNING = 2000  # characters


class HttpNeighbour(HttpServer):
    """An edge system over HTTP Basic that keeps what it received and can be told to fail (contract)."""

    name = "neighbour"

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        username: str = "",
        password: str = "",
        slow_seconds: float = 5.0,
    ) -> None:
        """`username`, `password`: what callers must show; `slow_seconds`: how long the mode `slow` waits."""
        super().__init__(host=host, port=port)
        self.username = username
        self.password = password
        self.slow_seconds = slow_seconds
        self._faults = Faults()
        self._log: list[dict[str, Any]] = []
        self._log_lock = threading.Lock()
        self._stopping = threading.Event()

    def fail(self, mode: str, times: int | None = None) -> None:
        """Fail the next `times` calls (all, where None); ValueError for an unknown mode."""
        self._faults.set(mode, times)

    def received(self) -> list[dict[str, Any]]:
        """Every call, oldest first: at, method, path, query, body, status (None: no answer), fault."""
        with self._log_lock:
            return list(self._log)

    def reset(self) -> None:
        """Work again and forget what was received; the system's own records stay."""
        self._faults.clear()
        with self._log_lock:
            self._log.clear()

    def stop(self) -> None:
        """Stop listening and waiting."""
        self._stopping.set()
        super().stop()
        self._stopping.clear()

    def refuses_connection(self) -> bool:
        """In the mode `down`, each connection."""
        if not self._faults.take("down"):
            return False
        self._note(Call("", ""), None, "down")
        return True

    def answer(self, call: Call) -> tuple[Answer, bool]:
        """What the fault says, else what the application says; both are kept for `received`."""
        fault = self._faults.take("slow", "401", "500", "400", "cut")
        if fault == "slow":
            self._stopping.wait(self.slow_seconds)
        answer = _FAULT_ANSWERS.get(fault) or self._allowed(call)
        self._note(call, answer.status, fault)
        return answer, fault == "cut"

    def _allowed(self, call: Call) -> Answer:
        if self.username and not _shows(call, self.username, self.password):
            return Answer(
                401, problem(401, "The user or the password is wrong"), {"WWW-Authenticate": "Basic"}
            )
        return self.handle(call)

    def _note(self, call: Call, status: int | None, fault: str) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = {"at": at, "method": call.method, "path": call.path, "query": dict(call.query)}
        with self._log_lock:
            self._log.append({**entry, "body": _shown(call.body), "status": status, "fault": fault})


_FAULT_ANSWERS = {
    "401": Answer(401, problem(401, "The user or the password is wrong"), {"WWW-Authenticate": "Basic"}),
    "500": Answer(500, problem(500, "The application failed, as it was told to")),
    "400": Answer(400, problem(400, "The request is refused as a duplicate, as it was told to")),
}


def wait_for(condition: Callable[[], Any], *, seconds: float, every: float = 0.05) -> bool:
    """Whether `condition()` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def _shows(call: Call, username: str, password: str) -> bool:
    expected = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
    return hmac.compare_digest(call.headers.get("authorization", "").encode(), expected.encode())


def _shown(body: bytes) -> Any:
    """JSON as it means, text as it is; of what is large or binary its size, its SHA-256 and how it begins."""
    if not body:
        return None
    if len(body) <= _SHOWN_WHOLE:
        try:
            return json.loads(body)
        except ValueError:
            pass
    begins = body[: 4 * _BEGINNING].decode("utf-8", "replace")[:_BEGINNING]
    if len(body) <= _BEGINNING and "\ufffd" not in begins:
        return begins
    return {"size": len(body), "sha256": hashlib.sha256(body).hexdigest(), "begins": begins}
