"""What DACS sends back: one acknowledgement a record, kept until the hub has taken it.

"Resend message from DACS" (seed 001 chapter 6): what failed with a remote fault is sent again, unchanged.
"""

import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import requests

from demo.journal import Journal

ACCEPTED, REJECTED = "ACCEPTED", "REJECTED"
OK, SERVER_ERROR = 200, 500


@dataclass(frozen=True, slots=True)
class HubAddress:
    """Where acknowledgements go: the URL of sendCustomerSyncAck, and DACS's log-in at the hub."""

    url: str
    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """What the hub said: status None where no answer came, and then why; `instance` as X-Busbar-Instance says."""

    status: int | None = None
    body: str = ""
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One acknowledgement and what the hub said to it last."""

    reference: str
    errors: tuple[str, ...] = ()
    tries: int = 0
    answer: Answered = Answered()
    due: float = 0.0

    @property
    def settled(self) -> bool:
        """Whether the hub has taken it."""
        return self.answer.status == OK

    def refused(self, max_tries: int) -> bool:
        """Whether sending it again by itself is of no use."""
        status = self.answer.status
        return not self.settled and (
            self.tries >= max_tries or (status is not None and OK < status < SERVER_ERROR)
        )

    def message(self) -> dict[str, Any]:
        """The body of X1-SYNREQACK."""
        return {
            "sendDetails": {
                "syncRequestId": self.reference,
                "externalReferenceId": self.reference,
                "ackStatus": REJECTED if self.errors else ACCEPTED,
                "errors": [{"messageText": text} for text in self.errors],
            }
        }


class Outbox:
    """The acknowledgements of DACS. Safe to use from several threads."""

    def __init__(self, journal: Journal, *, retry_seconds: float = 2.0, max_tries: int = 8) -> None:
        """`retry_seconds`: wait before the first resend, doubled each time up to a minute."""
        self._journal = journal
        self._lock = threading.Lock()
        self._retry_seconds = retry_seconds
        self._max_tries = max_tries
        self._all: dict[str, Acknowledgement] = {}
        self._sending: set[str] = set()
        for entry in journal.read():
            kept = {**entry, "errors": tuple(entry["errors"]), "answer": Answered(**entry["answer"])}
            self._all[entry["reference"]] = Acknowledgement(**kept)

    def all(self) -> list[Acknowledgement]:
        """Every acknowledgement, oldest first."""
        with self._lock:
            return list(self._all.values())

    def add(self, acknowledgements: Iterable[Acknowledgement]) -> None:
        """To be sent; a record uploaded again is acknowledged again."""
        with self._lock:
            self._keep(*acknowledgements)

    def resend(self) -> int:
        """Send all again that are not settled, now, also those given up; how many."""
        with self._lock:
            again = [
                replace(one, tries=0, due=0.0, answer=Answered())
                for one in self._all.values()
                if not one.settled
            ]
            self._keep(*again)
            return len(again)

    def take(self) -> Acknowledgement | None:
        """One that is due, for this caller alone until it is `sent`; None where nothing is."""
        now = time.time()
        with self._lock:
            for one in self._all.values():
                free = (
                    one.reference not in self._sending
                    and not one.settled
                    and not one.refused(self._max_tries)
                )
                if free and one.due <= now:
                    self._sending.add(one.reference)
                    return one
        return None

    def sent(self, one: Acknowledgement, answer: Answered) -> None:
        """What became of it."""
        wait = min(self._retry_seconds * 2**one.tries, 60)
        with self._lock:
            self._sending.discard(one.reference)
            self._keep(replace(one, tries=one.tries + 1, answer=answer, due=time.time() + wait))

    def _keep(self, *acknowledgements: Acknowledgement) -> None:
        self._journal.add(*(asdict(one) for one in acknowledgements))
        self._all.update({one.reference: one for one in acknowledgements})


def send(hub: HubAddress, one: Acknowledgement, *, timeout: float = 60.0) -> Answered:
    """Send one to the hub."""
    try:
        answer = requests.post(hub.url, json=one.message(), auth=(hub.client_id, hub.secret), timeout=timeout)
    except requests.RequestException as error:
        return Answered(None, f"{type(error).__name__}: {error}")
    return Answered(answer.status_code, answer.text[:4000], answer.headers.get("X-Busbar-Instance", ""))
