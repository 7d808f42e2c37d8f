"""The sync requests of CCS (seed 001 chapter 2).

pending → awaiting acknowledgement → synchronised, or error.
"""

import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from demo.journal import Journal

PENDING, AWAITING, SYNCHRONISED, ERROR = "pending", "awaiting acknowledgement", "synchronised", "error"


class UnknownSyncRequestError(KeyError):
    """There is no sync request of this id."""


class NotAwaitingError(ValueError):
    """The sync request is not one that an acknowledgement can move."""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """One change to synchronise. `id` has 14 digits; `customer` is the customer's number, from 0."""

    id: str
    entity: str
    customer: int
    status: str = PENDING
    file: str = ""
    exceptions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """What the exceptions say: the values of their message parameters."""
        return [
            parameter["messageParameterValue"]
            for exception in self.exceptions
            for parameter in exception.get("messageParameters", [])
        ]


class SyncRequests:
    """All of them, kept in a journal from one start to the next. Safe to use from several threads."""

    def __init__(self, journal: Journal, *, first_id: int) -> None:
        """`first_id`: the number of the first one made, unless the journal already holds higher ones."""
        self._lock = threading.Lock()
        self._journal = journal
        self._all: dict[str, SyncRequest] = {entry["id"]: SyncRequest(**entry) for entry in journal.read()}
        self._next = max([first_id, *(int(key) + 1 for key in self._all)])

    def make(self, entity: str, customers: Iterable[int]) -> list[SyncRequest]:
        """A pending one for each customer."""
        with self._lock:
            made = [
                SyncRequest(f"{self._next + n:014}", entity, number) for n, number in enumerate(customers)
            ]
            self._next += len(made)
            self._keep(*made)
        return made

    def find(self, status: str = "", entity: str = "") -> list[SyncRequest]:
        """Those of a status and an entity, in the order they were made."""
        with self._lock:
            return [
                one
                for one in self._all.values()
                if (not status or one.status == status) and (not entity or one.entity == entity)
            ]

    def extracted(self, requests: Iterable[SyncRequest], file: str) -> None:
        """They are in this file now and wait for their acknowledgement."""
        with self._lock:
            self._keep(*(replace(one, status=AWAITING, file=file) for one in requests))

    def acknowledge(self, key: str, exceptions: list[dict[str, Any]] | None) -> SyncRequest:
        """Take an acknowledgement, positive where `exceptions` is None; once only.

        UnknownSyncRequestError for an id that is none; NotAwaitingError before the extract and the second
        time.
        """
        with self._lock:
            known = self._all.get(key)
            if known is None:
                raise UnknownSyncRequestError(f"There is no sync request {key}")
            if known.status in (SYNCHRONISED, ERROR):
                raise NotAwaitingError(
                    f"The sync request {key} has been acknowledged before: it is {known.status}"
                )
            if known.status != AWAITING:
                raise NotAwaitingError(
                    f"The sync request {key} is {known.status}; it has not been extracted yet"
                )
            status = SYNCHRONISED if exceptions is None else ERROR
            taken = replace(known, status=status, exceptions=exceptions or [])
            self._keep(taken)
            return taken

    def _keep(self, *requests: SyncRequest) -> None:
        self._journal.add(*(asdict(one) for one in requests))
        self._all.update({one.id: one for one in requests})
