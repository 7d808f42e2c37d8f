"""Sessions lent one at a time: each operation has a session to itself, and a broken one is not lent again.

So a file can be read while another is written to the same system, also from several threads.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Session = TypeVar("Session")
MOST_IDLE = 4


class Pool(Generic[Session]):
    """Idle sessions of one endpoint."""

    def __init__(
        self,
        make: Callable[[], Session],
        *,
        alive: Callable[[Session], bool],
        close: Callable[[Session], None],
    ) -> None:
        """`make` logs in; `alive` says, cheaply, whether an idle session still works; `close` never raises."""
        self._make, self._alive, self._close = make, alive, close
        self._idle: list[Session] = []
        self._lock = threading.Lock()

    @contextmanager
    def lend(self, *, keep: tuple[type[BaseException], ...] = ()) -> Iterator[Session]:
        """A session for this block; it is closed where the block ends with an error other than `keep`."""
        session = self._take()
        try:
            yield session
        except keep:
            self._give_back(session)
            raise
        except BaseException:
            self._close(session)
            raise
        self._give_back(session)

    def close(self) -> None:
        """Close what is idle; harmless twice."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            self._close(session)

    def _take(self) -> Session:
        while True:
            with self._lock:
                session = self._idle.pop() if self._idle else None
            if session is None:
                return self._make()
            if self._alive(session):
                return session
            self._close(session)

    def _give_back(self, session: Session) -> None:
        with self._lock:
            keep = len(self._idle) < MOST_IDLE
            if keep:
                self._idle.append(session)
        if not keep:
            self._close(session)
