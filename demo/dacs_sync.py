"""Neighbours whose sync requests are acknowledged by F1-SyncRequest, and DACS as such a one (seed 003)."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from demo.control import Action
from demo.cpmcs import HEALTHY
from demo.faults import Faults
from demo.http import Answer, problem
from demo.journal import Journal
from demo.operations import Asked, Catalog, OperationsNeighbour
from demo.sync_requests import NotAwaitingError, SyncRequests, UnknownSyncRequestError

CATALOG = Path(__file__).parent / "data" / "dacs_sync_openapi.json"
SUBSCRIPTION = "program subscription"

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """One sync request at the service: the messages it took, oldest first, and how often one came at all."""

    id: str
    messages: tuple[Message, ...] = ()
    times: int = 0


class SyncRequestNeighbour(OperationsNeighbour):
    """A neighbour with sync requests that await their acknowledgement. Safe to use from several threads."""

    def __init__(self, catalog: Catalog, *, journal: Journal, first_id: int, **how: Any) -> None:
        """`journal`: where sync requests last from one start to the next; `first_id`: of the first of them;
        `how`: as OperationsNeighbour takes it.
        """
        super().__init__(catalog, **how)
        self.sync_requests = SyncRequests(journal, first_id=first_id)
        self._taken: dict[str, Taken] = {}
        self._told: dict[str, Faults] = {}
        self._lock = threading.Lock()

    def awaiting(self, kind: str, count: int = 1) -> list[str]:
        """The ids of so many new sync requests of this kind that await their acknowledgement."""
        made = self.sync_requests.make(kind, range(count))
        self.sync_requests.extracted(made, "")
        return [one.id for one in made]

    def taken(self) -> dict[str, Taken]:
        """What came for each sync request that there is, in the order they first came."""
        with self._lock:
            return dict(self._taken)

    def answer_with(self, key: str, status: int, times: int | None = None) -> None:
        """Refuse the next `times` acknowledgements (all, where None) of one sync request with this status, so
        that a file of many fails in the middle; `reset` ends it. ValueError for a status that is no refusal.
        """
        if status not in map(int, HTTPStatus) or status < 400:
            raise ValueError(f"The status is {status}; a refusal has one from 400 to 599")
        told = Faults((str(status),))
        told.set(str(status), times)
        with self._lock:
            self._told[key] = told

    def reset(self) -> None:
        """Work again, forget what was received; sync requests and what was taken stay."""
        super().reset()
        with self._lock:
            self._told.clear()

    def summary(self) -> dict[str, Any]:
        """How many sync requests there are of each state, and how often one came again."""
        taken = self.taken().values()
        return {
            "syncRequests": dict(Counter(one.status for one in self.sync_requests.find())),
            "acknowledgements": sum(len(one.messages) for one in taken),
            "refusedAgain": sum(one.times - len(one.messages) for one in taken),
            "repeats": self.idempotent.repeats,
        }

    @property
    def actions(self) -> dict[str, Action]:
        """What its control offers beside: `sync-requests {"kind", "count"}`, `summary` and
        `answer-with {"syncRequestId", "status", "times"}`.
        """
        return {
            "summary": lambda _: self.summary(),
            "sync-requests": lambda told: {
                "syncRequestIds": self.awaiting(str(told["kind"]), int(told.get("count", 1)))
            },
            "answer-with": self._answer_as_told,
        }

    @property
    def does(self) -> Mapping[str, Callable[[Asked], Answer]]:
        """What each operation does."""
        return {"F1-SyncRequest": self._synchronise, "F1-HealthCheckRest": lambda _: Answer(200, HEALTHY)}

    def _synchronise(self, asked: Asked) -> Answer:
        key = asked.values["syncRequestId"]
        told = self._told.get(key)
        if told is not None and (status := told.take()):
            return Answer(int(status), problem(int(status), f"{key} is refused, as it was told to"))
        answer = acknowledged(self.sync_requests, asked)
        if answer.status in (200, 400):
            self._count(key, asked.message, accepted=answer.status == 200)
        return answer

    def _count(self, key: str, message: Message, *, accepted: bool) -> None:
        if not accepted and message["syncRequestId"] != key:
            return
        with self._lock:
            one = self._taken.get(key, Taken(key))
            messages = (*one.messages, message) if accepted else one.messages
            self._taken[key] = replace(one, messages=messages, times=one.times + 1)

    def _answer_as_told(self, told: Mapping[str, Any]) -> Any:
        key, status, times = str(told["syncRequestId"]), int(told["status"]), told.get("times")
        self.answer_with(key, status, times)
        return {"syncRequestId": key, "status": status, "times": times}


def acknowledged(sync_requests: SyncRequests, asked: Asked) -> Answer:
    """F1-SyncRequest: 404 for a sync request there is not, 400 for one that was acknowledged before."""
    key, message = asked.values["syncRequestId"], asked.message
    if message["syncRequestId"] != key:
        said = f"syncRequestId is {message['syncRequestId']}, but the path says {key}"
        return Answer(400, problem(400, said))
    try:
        sync_requests.acknowledge(key, message["exceptionInfo"] if message["hasError"] else None)
    except UnknownSyncRequestError as error:
        return Answer(404, problem(404, str(error.args[0])))
    except NotAwaitingError as error:
        return Answer(400, problem(400, str(error)))
    return Answer(200, {"syncRequestId": key})


class DacsSync(SyncRequestNeighbour):
    """DACS, as the feedback of analytics meets it: an acknowledgement for each enrolment."""

    name = "dacs-sync"

    def __init__(self, *, first_id: int = 30_000_000_000_001, kept: Path | None = None, **how: Any) -> None:
        """`first_id`: of the first sync request; `kept`: a directory where sync requests last from one start
        to the next; `how`: as OperationsNeighbour takes it.
        """
        journal = Journal(kept and kept / "dacs-sync-requests.jsonl")
        super().__init__(Catalog(CATALOG), journal=journal, first_id=first_id, **how)

    def enrol(self, count: int = 1) -> list[str]:
        """The ids of the sync requests of so many new enrolments."""
        return self.awaiting(SUBSCRIPTION, count)
