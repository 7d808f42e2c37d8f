"""How a neighbour is told to fail (contract: neighbour control)."""

import threading

MODES = ("down", "slow", "401", "500", "400", "cut")


class Faults:
    """The fault that is set, and how often it still strikes. Safe to use from several threads."""

    def __init__(self, modes: tuple[str, ...] = MODES) -> None:
        """`modes`: what this neighbour can do."""
        self.modes = modes
        self._lock = threading.Lock()
        self._mode = ""
        self._left: int | None = 0

    def set(self, mode: str, times: int | None = None) -> None:
        """Fail the next `times` calls this way, all where it is None; ValueError for other modes."""
        if mode not in self.modes:
            raise ValueError(f"The mode {mode!r} is not one of {', '.join(self.modes)}")
        if times is not None and times < 1:
            raise ValueError(f"times is {times}; it counts the calls to fail, from 1, or is left out for all")
        with self._lock:
            self._mode, self._left = mode, times

    def clear(self) -> None:
        """Work again."""
        with self._lock:
            self._mode = ""

    def take(self, *modes: str) -> str:
        """The fault that strikes now, counted down; "" for none, or none of `modes` where they are given."""
        with self._lock:
            mode = self._mode
            if not mode or (modes and mode not in modes):
                return ""
            if self._left is not None:
                self._left -= 1
                self._mode = "" if self._left == 0 else mode
            return mode
