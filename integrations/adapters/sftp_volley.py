"""Several small files at once over one SFTP session: their requests go out together, answers are met as they come.

What is said with the server about one file is a talk: a generator that yields the number of a request and is sent its
answer, or has a StatusError thrown in. It asks, but does not send or wait, so that a session that breaks is met in one
place: what is under way is told so, what is not begun is not begun.
"""

from collections import deque
from collections.abc import Generator, Sequence
from typing import Generic, TypeVar

import paramiko

from integrations.adapters.errors import AdapterError, Dropped, TimedOut
from integrations.adapters.several import Each, not_started
from integrations.adapters.sftp_answers import Answer, StatusError
from integrations.adapters.sftp_wire import Wire

Result = TypeVar("Result")
Talk = Generator[int, Answer, Result]
_BREAKS = (EOFError, OSError, paramiko.SSHException)  # TimeoutError is an OSError


class Volley(Generic[Result]):
    """Talks about several files, at most `at_once` of them under way."""

    def __init__(self, wire: Wire, every: Sequence[Talk[Result]], at_once: int) -> None:
        """`every`: in the order of the results; none is begun yet."""
        self._wire = wire
        self._at_once = max(1, min(at_once, wire.most_handles or at_once))
        self._waiting = deque(enumerate(every))
        self._under_way: deque[tuple[int, Talk[Result], int]] = deque()  # index, talk, awaited
        self._found: Each[Result] = [not_started() for _ in every]
        self._failed = False

    def run(self) -> Each[Result]:
        """All results; an AdapterError in the place of what failed, NotStarted behind the first failure."""
        try:
            self._begin()
            while self._under_way:
                self._go_on()
                self._begin()
            self._wire.flush()  # handles closed without waiting
        except _BREAKS as error:
            self._break_off(error)
        return self._found

    def _begin(self) -> None:
        while self._waiting and not self._failed and len(self._under_way) < self._at_once:
            index, talk = self._waiting.popleft()
            self._step(index, talk, None)
        self._wire.push()

    def _go_on(self) -> None:
        """The file whose answer is due next: servers answer in the order they were asked."""
        index, talk, number = self._under_way[0]
        answer: Answer | StatusError
        try:
            answer = self._wire.answer(number)
        except StatusError as error:
            answer = error
        self._under_way.popleft()
        self._step(index, talk, answer)

    def _step(self, index: int, talk: Talk[Result], answer: Answer | StatusError | None) -> None:
        try:
            if isinstance(answer, StatusError):
                number = talk.throw(answer)
            else:
                number = next(talk) if answer is None else talk.send(answer)
        except StopIteration as end:
            self._found[index] = end.value
        except AdapterError as error:
            self._found[index], self._failed = error, True
            if isinstance(error, Dropped | TimedOut):
                raise (EOFError if isinstance(error, Dropped) else TimeoutError)(error.detail) from error
        else:
            self._under_way.append((index, talk, number))

    def _break_off(self, error: BaseException) -> None:
        """The session is gone, and with it every file that is under way."""
        for index, talk, _ in self._under_way:
            try:
                talk.throw(error)
            except AdapterError as told:
                self._found[index] = told
        self._under_way.clear()
