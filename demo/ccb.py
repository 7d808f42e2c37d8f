"""CC&B: the customer system whose service points become asset locations at WAM (seed 000).

A sync request awaits its acknowledgement, which makes it synchronised or puts it into error; when a person has
put right what was wrong, it is sent again under the same id.
"""

import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from demo.acknowledgements import Answered
from demo.control import Action
from demo.dacs_sync import SyncRequestNeighbour
from demo.derms_messages import Kind
from demo.hub_caller import Hub
from demo.journal import Journal
from demo.operations import Catalog
from demo.people import Customer, customers
from demo.sync_requests import ERROR, SyncRequest, UnknownSyncRequestError

CATALOG = Path(__file__).parent / "data" / "ccb_openapi.json"
SERVICE_POINT_SYNC = Kind("OUTL-BA-CCB_WAM_SP_SYNC", "service-point-sync")
SERVICE_POINT = "service point"
SERVICE_POINT_TYPES = ("E-RES", "G-RES", "W-RES")
INSTALLED = "2026-07-01"
_MOST_POINTS = 1000  # of a premise: the ids of the next premise begin there

Message = dict[str, Any]


class NotInErrorError(ValueError):
    """The sync request is not one that can be tried again."""


class Ccb(SyncRequestNeighbour):
    """The customer system: it makes sync requests of service points, sends them, and is told how they came out."""

    name = "ccb"

    def __init__(
        self,
        *,
        hub: Hub | None = None,
        population: int = 240,
        first_id: int = 40_000_000_000_001,
        kept: Path | None = None,
        **how: Any,
    ) -> None:
        """`hub`: where it sends to; `population`: how many premises it has; `first_id`: of the first sync request;
        `kept`: a directory where sync requests last from one start to the next; `how`: as OperationsNeighbour
        takes it.
        """
        journal = Journal(kept and kept / "ccb-sync-requests.jsonl")
        super().__init__(Catalog(CATALOG), journal=journal, first_id=first_id, **how)
        self.hub = hub
        self.population = population
        self._retrying = threading.Lock()

    @cached_property
    def customers(self) -> list[Customer]:
        """Who lives at each premise."""
        return list(customers(self.population))

    def service_point_message(
        self,
        premise: int,
        points: int = 1,
        *,
        types: tuple[str, ...] = SERVICE_POINT_TYPES,
        status: str = "ACTIVE",
        sync_request: str = "",
    ) -> Message:
        """A premise (its number, from 0) with so many service points of these types in turn, under a new sync
        request; `sync_request`: under that one instead, as a message put right is.
        """
        one = self._customer(premise)
        if not 1 <= points <= _MOST_POINTS:
            raise ValueError(f"points is {points}; a premise has from 1 to {_MOST_POINTS} service points")
        return {
            "syncRequestId": sync_request or self._sync_request(premise),
            "premiseId": one.premise_id,
            "division": one.division,
            "address": _address(one),
            "servicePoints": [
                {
                    "spId": service_point_id(premise, n),
                    "spType": types[n % len(types)],
                    "status": status,
                    "installDate": INSTALLED,
                }
                for n in range(points)
            ],
        }

    def single_point_message(self, premise: int, **how: Any) -> Message:
        """The same with one service point, in the object itself; `how`: as `service_point_message` takes it."""
        whole = self.service_point_message(premise, **how)
        (point,) = whole["servicePoints"]
        return {
            "spId": point["spId"],
            "premiseId": whole["premiseId"],
            "spType": point["spType"],
            "address": whole["address"],
            "status": point["status"],
            "syncRequestId": whole["syncRequestId"],
        }

    def send(self, message: Message, *, key: str = "") -> Answered:
        """Send a message to the hub once; what it said. `key`: an Idempotency-Key, none where it is ""."""
        if self.hub is None:
            raise ValueError("CC&B has no hub to send to; set `hub`")
        where = (SERVICE_POINT_SYNC.identifier, SERVICE_POINT_SYNC.resource)
        return self.hub.post(*where, message, key=key)

    def retry(self, key: str) -> SyncRequest:
        """The sync request awaits its acknowledgement again, as a person has put right what was wrong.

        UnknownSyncRequestError for an id that is none; NotInErrorError for one that is not in error.
        """
        with self._retrying:
            known = self._found(key)
            if known.status != ERROR:
                raise NotInErrorError(
                    f"The sync request {key} is {known.status}; only one in error can be tried again"
                )
            self.sync_requests.extracted([known], known.file)
            return self._found(key)

    def status(self, key: str) -> str:
        """How a sync request stands: awaiting acknowledgement, synchronised or error."""
        return self._found(key).status

    def asset_locations(self, key: str) -> list[str]:
        """The ids of the asset locations that the last acknowledgement of a sync request named."""
        taken = self.taken().get(key)
        told = taken.messages[-1].get("externalIds", []) if taken and taken.messages else []
        return [one["externalPk1"] for one in told if one["entity"] == "ASSETLOCATION"]

    @property
    def actions(self) -> dict[str, Action]:
        """What its control offers beside what a SyncRequestNeighbour does: `send {"premise", "points", "type"}`
        and `retry {"syncRequestId", "premise", "points", "type"}`, which puts right and sends again.
        """
        return {**super().actions, "send": self._send_as_told, "retry": self._retry_as_told}

    def _sync_request(self, premise: int) -> str:
        (made,) = self.sync_requests.make(SERVICE_POINT, [premise])
        self.sync_requests.extracted([made], "")
        return made.id

    def _customer(self, premise: int) -> Customer:
        if not 0 <= premise < self.population:
            raise ValueError(f"There is no premise {premise}; CC&B has those from 0 to {self.population - 1}")
        return self.customers[premise]

    def _found(self, key: str) -> SyncRequest:
        for one in self.sync_requests.find():
            if one.id == key:
                return one
        raise UnknownSyncRequestError(f"There is no sync request {key}")

    def _send_as_told(self, told: Mapping[str, Any], sync_request: str = "") -> Any:
        types = (str(told["type"]),) if "type" in told else SERVICE_POINT_TYPES
        premise, points = int(told.get("premise", 0)), int(told.get("points", 1))
        message = self.service_point_message(premise, points, types=types, sync_request=sync_request)
        answer = self.send(message)
        said = {"status": answer.status, "body": answer.body, "instance": answer.instance}
        return {"syncRequestId": message["syncRequestId"], **said}

    def _retry_as_told(self, told: Mapping[str, Any]) -> Any:
        again = self.retry(str(told["syncRequestId"]))
        return self._send_as_told({"premise": again.customer, **told}, again.id)


def service_point_id(premise: int, number: int = 0) -> str:
    """The id of a premise's service point of this number, from 0."""
    return f"{7_000_000_000 + premise * _MOST_POINTS + number}"


def _address(one: Customer) -> Message:
    return {
        "address1": one.address,
        "city": one.city,
        "state": "OR",
        "postal": one.postal,
        "country": "USA",
        "latitude": float(one.latitude),
        "longitude": float(one.longitude),
    }
