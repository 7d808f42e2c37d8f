"""A TCP proxy before one server of this machine; it breaks a connection, or has something done, after so many bytes."""

import selectors
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

TO_SERVER, FROM_SERVER = "to the server", "from the server"
PIECE = 64 * 1024
MOST_KEPT = 4 * PIECE  # bytes of one direction that wait here for a slow reader
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class _Plan:
    """What happens when `left` more bytes have passed in this direction, whatever connection; `do` None: RST."""

    direction: str
    left: int
    do: Callable[[], object] | None


class Proxy:
    """Passes connections on to `127.0.0.1:server`. `passed` counts bytes by direction, `struck` what was planned."""

    def __init__(self, server: int) -> None:
        """Listens on a free port from `start` on."""
        self.server, self.port = server, 0
        self.passed: Counter[str] = Counter()
        self.struck = 0
        self._plan: _Plan | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listening: socket.socket | None = None
        self._threads: list[threading.Thread] = []

    def start(self) -> Self:
        """Listen."""
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self._listening.settimeout(0.1)
        self.port = int(self._listening.getsockname()[1])
        self._begin(self._accept)
        return self

    def stop(self) -> None:
        """Break every connection and stop listening."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        if self._listening is not None:
            self._listening.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def cut(self, direction: str, after: int) -> None:
        """Break the connection over which the `after`-th byte from now on passes in this direction."""
        self.at(direction, after, None)

    def at(self, direction: str, after: int, do: Callable[[], object] | None) -> None:
        """Call `do` where `cut` would break the connection; its bytes wait meanwhile."""
        with self._lock:
            self._plan = _Plan(direction, after, do)

    def disarm(self) -> None:
        """Nothing is planned any more, nothing has struck."""
        with self._lock:
            self._plan, self.struck = None, 0

    def _begin(self, do: Callable[..., None], *values: object) -> None:
        thread = threading.Thread(target=do, args=values, name="proxy", daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()

    def _accept(self) -> None:
        listening = self._listening
        while listening is not None and not self._stopping.is_set():
            with suppress(TimeoutError):
                client, _ = listening.accept()
                self._begin(self._connect, client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.server), timeout=10)
        except OSError:  # it is down: so is what stands before it
            _reset(client)
            return
        _Passage(self, client, server).run()

    def allowed(self, direction: str, size: int) -> int:
        """How many of these bytes may pass before something is to happen."""
        with self._lock:
            plan = self._plan
            if plan is None or plan.direction != direction:
                return size
            return min(size, plan.left)

    def note(self, direction: str, size: int) -> _Plan | None:
        """So many bytes have passed; the plan, if it is due now."""
        with self._lock:
            self.passed[direction] += size
            plan = self._plan
            if plan is None or plan.direction != direction:
                return None
            plan.left -= size
            if plan.left > 0:
                return None
            self._plan = None
            self.struck += 1
            return plan

    @property
    def stopping(self) -> bool:
        """Whether connections should end."""
        return self._stopping.is_set()


class _Passage:
    """One connection on its way through, both directions in one thread."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._other = {client: server, server: client}
        self._direction = {client: TO_SERVER, server: FROM_SERVER}
        self._kept: dict[socket.socket, bytearray] = {
            client: bytearray(),
            server: bytearray(),
        }  # by who sent it
        self._ended: set[socket.socket] = set()
        for end in self._other:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.setblocking(False)

    def run(self) -> None:
        """Until both ends have closed, or one broke off, or the plan strikes."""
        with selectors.DefaultSelector() as selector:
            try:
                while not self._proxy.stopping and self._wanted(selector):
                    for key, events in selector.select(0.2):
                        self._serve(key.fileobj, events)  # type: ignore[arg-type]  # only sockets are registered
            except (OSError, _Cut):
                pass
        broken = len(self._ended) < len(self._other)
        for end in self._other:
            _reset(end) if broken else end.close()

    def _wanted(self, selector: selectors.BaseSelector) -> bool:
        """Ask for what can be used now; False once there is nothing more to pass."""
        for end, other in self._other.items():
            reads = end not in self._ended and len(self._kept[end]) < MOST_KEPT
            writes = bool(self._kept[other])
            events = (selectors.EVENT_READ if reads else 0) | (selectors.EVENT_WRITE if writes else 0)
            if events:
                if end in selector.get_map():
                    selector.modify(end, events)
                else:
                    selector.register(end, events)
            elif end in selector.get_map():
                selector.unregister(end)
        return len(self._ended) < len(self._other) or any(self._kept.values())

    def _serve(self, end: socket.socket, events: int) -> None:
        if events & selectors.EVENT_READ:
            chunk = end.recv(PIECE)
            self._kept[end] += chunk
            if not chunk:
                self._ended.add(end)
                self._half_close(end)
        if events & selectors.EVENT_WRITE:
            self._pass_to(end)

    def _pass_to(self, end: socket.socket) -> None:
        sender = self._other[end]
        kept, direction = self._kept[sender], self._direction[sender]
        sent = end.send(memoryview(bytes(kept[: self._proxy.allowed(direction, min(len(kept), PIECE))])))
        del kept[:sent]
        plan = self._proxy.note(direction, sent)
        if plan is not None and plan.do is None:
            raise _Cut
        if plan is not None and plan.do is not None:
            plan.do()
        self._half_close(sender)

    def _half_close(self, sender: socket.socket) -> None:
        """Who has ended, and whose bytes are all passed on, is told to the other."""
        if sender in self._ended and not self._kept[sender]:
            with suppress(OSError):  # it may have gone by itself
                self._other[sender].shutdown(socket.SHUT_WR)


class _Cut(Exception):
    """The plan says that the connection breaks now."""


def _reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    end.close()
