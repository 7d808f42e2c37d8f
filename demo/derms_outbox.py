"""What DERMS sends by itself: each message when it is due, again with back-off while the hub is not there."""

import heapq
import threading
import time
from dataclasses import dataclass, field

from demo.acknowledgements import SERVER_ERROR, Answered
from demo.derms_messages import Kind, Message
from demo.hub_caller import Attached, Hub

TOO_MANY = 429
_LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to the hub, with its file where it has one; sent again, it is the same."""

    kind: Kind
    message: Message
    file: Attached | None = None

    @property
    def id(self) -> str:
        """Its message id."""
        return str(self.message.get("messageId") or self.message.get("dacsMessageId") or "")

    def post(self, hub: Hub) -> Answered:
        """Send it; what the hub said."""
        where = (self.kind.identifier, self.kind.resource)
        if self.file is None:
            return hub.post(*where, self.message)
        return hub.post_file(*where, self.message, self.file)


@dataclass(order=True, slots=True)
class _Due:
    """When something is to be sent, and how often that was tried."""

    at: float
    number: int
    one: Outgoing = field(compare=False)
    tries: int = field(default=0, compare=False)


class Outbox:
    """Messages that are due now or later, sent by threads of its own."""

    def __init__(
        self, hub: Hub | None, *, retry_seconds: float = 1.0, max_tries: int = 8, senders: int = 2
    ) -> None:
        """`retry_seconds`: wait before the second try, doubled each time up to a minute; `hub` None: it is
        not there yet.
        """
        self.hub = hub
        self._retry_seconds = retry_seconds
        self._max_tries = max_tries
        self._senders = senders
        self._change = threading.Condition()
        self._ending = False
        self._due: list[_Due] = []
        self._added = 0
        self._answers: list[tuple[Outgoing, Answered]] = []
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Send from now on."""
        self._ending = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._senders)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no more; what is under way is awaited."""
        with self._change:
            self._ending = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join(timeout=10)
        self._threads = []

    def add(self, one: Outgoing, *, after: float = 0.0) -> None:
        """Send it `after` so many seconds."""
        self._put(one, after, tries=0)

    def answers(self) -> list[tuple[Outgoing, Answered]]:
        """Every try and what the hub said to it, oldest first."""
        with self._change:
            return list(self._answers)

    def _put(self, one: Outgoing, after: float, *, tries: int) -> None:
        with self._change:
            self._added += 1
            heapq.heappush(self._due, _Due(time.monotonic() + after, self._added, one, tries))
            self._change.notify()

    def _work(self) -> None:
        while (due := self._take()) is not None:
            answer = self._post(due.one)
            with self._change:
                self._answers.append((due.one, answer))
            if _is_worth_another_try(answer) and due.tries + 1 < self._max_tries:
                wait = min(self._retry_seconds * 2**due.tries, _LONGEST_WAIT)
                self._put(due.one, wait, tries=due.tries + 1)

    def _post(self, one: Outgoing) -> Answered:
        if self.hub is None:
            return Answered(None, "There is no hub to send it to")
        try:
            return one.post(self.hub)
        except OSError as error:  # its file is gone
            return Answered(None, f"{type(error).__name__}: {error}")

    def _take(self) -> _Due | None:
        """The next that is due, awaited; None at the end."""
        with self._change:
            while not self._ending:
                wait = self._due[0].at - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)
                self._change.wait(wait)
        return None


def _is_worth_another_try(answer: Answered) -> bool:
    """Whether the hub was not there or could not, so that it did not take the message."""
    return answer.status is None or answer.status >= SERVER_ERROR or answer.status == TOO_MANY
