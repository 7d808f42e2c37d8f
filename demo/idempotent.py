"""Doing each keyed call once: a repeat of an Idempotency-Key gets the first answer and changes nothing."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from demo.http import Answer

HEADER = "idempotency-key"


@dataclass(slots=True)
class _Turn:
    """One key: whoever holds the lock does the work, the others wait for what it answers."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: Answer | None = None


class Idempotent:
    """The answers to the last `most` keys, in memory. Safe to use from several threads."""

    def __init__(self, *, most: int = 50_000) -> None:
        """`most`: how many keys are remembered; the one used longest ago goes first."""
        self._most = most
        self._lock = threading.Lock()
        self._turns: OrderedDict[str, _Turn] = OrderedDict()
        self._repeats = 0

    @property
    def repeats(self) -> int:
        """How many calls were answered from memory."""
        with self._lock:
            return self._repeats

    def once(self, key: str, work: Callable[[], Answer], *, settles: Callable[[Answer], bool]) -> Answer:
        """What `work` answers, or answered before under this key; always done where `key` is "".

        Only an answer that `settles` is remembered: after a refusal, which changed nothing, the same key has to
        be able to do its work when the cause is put right.
        """
        if not key:
            return work()
        turn = self._turn(key)
        with turn.lock:
            if turn.answer is not None:
                return self._repeated(turn.answer)
            answer = work()
            if settles(answer):
                turn.answer = answer
            return answer

    def _turn(self, key: str) -> _Turn:
        with self._lock:
            turn = self._turns.setdefault(key, _Turn())
            self._turns.move_to_end(key)
            if len(self._turns) > self._most:
                self._turns.popitem(last=False)
            return turn

    def _repeated(self, answer: Answer) -> Answer:
        with self._lock:
            self._repeats += 1
        return answer
