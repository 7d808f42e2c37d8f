"""What DERMS keeps: messages by operation, score files, and what it sent and how that was acknowledged."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from demo.derms_messages import FAILURE, Message
from demo.derms_outbox import Outgoing


@dataclass(frozen=True, slots=True)
class Score:
    """A file of device scores; `times`: how often one of this name came."""

    name: str
    size: int
    sha256: str
    times: int = 1


@dataclass(slots=True)
class _Sent:
    outgoing: Outgoing
    resent: int = 0


class Records:
    """All of it, in memory. Safe to use from several threads."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._lock = threading.Lock()
        self._messages: dict[str, list[Message]] = {}
        self._scores: dict[str, Score] = {}
        self._sent: dict[str, _Sent] = {}
        self._answered: set[tuple[str, str]] = set()

    def messages(self, operation: str) -> list[Message]:
        """What came for one operation, by its id in the catalog, oldest first."""
        with self._lock:
            return list(self._messages.get(operation, []))

    def add(self, operation: str, message: Message) -> None:
        """Keep a message."""
        with self._lock:
            self._messages.setdefault(operation, []).append(message)

    def scores(self) -> dict[str, Score]:
        """The score files by name; of two of one name the later."""
        with self._lock:
            return dict(self._scores)

    def add_score(self, name: str, content: bytes) -> None:
        """Keep what a score file is."""
        digest = sha256(content).hexdigest()
        with self._lock:
            times = self._scores[name].times + 1 if name in self._scores else 1
            self._scores[name] = Score(name, len(content), digest, times)

    def is_first_answer(self, operation: str, message: str) -> bool:
        """Whether this message has no answer yet; from now on it has."""
        with self._lock:
            first = (operation, message) not in self._answered
            self._answered.add((operation, message))
            return first

    def sent(self, one: Outgoing) -> None:
        """It may be acknowledged from now on; how often it was sent again is kept."""
        with self._lock:
            self._sent.setdefault(one.id, _Sent(one)).outgoing = one

    def resent(self) -> dict[str, int]:
        """How often each message was sent again by itself."""
        with self._lock:
            return {key: one.resent for key, one in self._sent.items()}

    def take_again(self, acknowledgement: Mapping[str, Any], most: int) -> Outgoing | None:
        """What has to be sent again after this acknowledgement, counted: at most `most` times a message."""
        if acknowledgement["ackType"] != FAILURE:
            return None
        with self._lock:
            one = self._sent.get(acknowledgement["messageId"])
            if one is None or one.resent >= most:
                return None
            one.resent += 1
            return one.outgoing

    def counts(self) -> dict[str, Any]:
        """How many messages of each operation, how many different ones, and the score files."""
        with self._lock:
            return {
                "messages": {name: len(found) for name, found in self._messages.items()},
                "acknowledgements": dict(
                    Counter(
                        one["ackType"]
                        for name in ("deviceReservationAck", "deviceOutcomeAck")
                        for one in self._messages.get(name, [])
                    )
                ),
                "scores": {one.name: one.sha256 for one in self._scores.values()},
                "resent": {key: one.resent for key, one in self._sent.items() if one.resent},
            }
