"""WAM: the asset system, where each service point of CC&B becomes an asset location (seed 000).

It takes what its schema and code lists allow at once, and says a moment later how that came out.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.control import Action
from demo.cpmcs import HEALTHY
from demo.derms_messages import ERROR, SUCCESS, Kind
from demo.derms_outbox import Outbox, Outgoing
from demo.http import Answer, problem
from demo.hub_caller import Hub
from demo.operations import Asked, Catalog, OperationsNeighbour

CATALOG = Path(__file__).parent / "data" / "wam_openapi.json"
ACKNOWLEDGEMENT = Kind("OUTL-BA-WAM_CCB_SP_SYNC_ACK", "service-point-sync-ack")
LOCATION_TYPES = ("ELEC-RES", "ELEC-COM", "GAS-RES", "GAS-COM", "WATER-RES", "WATER-COM")
_FIRST_ID = 900_000_000_001

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AssetLocation:
    """An asset location; `message`: what it was made of last; `times`: how often one came for it."""

    id: str
    external_id: str
    message: Message
    times: int = 1


def acknowledgement(
    sync_request: str, external_id: str, *, location: str = "", errors: Iterable[str] = ()
) -> Message:
    """What WAM says of a service point: negative where there are errors, else with its asset location's id."""
    texts = [{"messageText": text} for text in errors]
    told = {"syncRequestId": sync_request, "externalId": external_id, "ackType": ERROR if texts else SUCCESS}
    return {**told, "errors": texts} if texts else {**told, "assetLocationId": location}


class Wam(OperationsNeighbour):
    """The asset system. While it runs, it acknowledges what it took and sends again what the hub did not take."""

    name = "wam"

    def __init__(
        self,
        *,
        hub: Hub | None = None,
        refuse: Mapping[str, str] | None = None,
        refuse_later: bool = False,
        location_types: Iterable[str] = LOCATION_TYPES,
        ack_seconds: float = 0.2,
        retry_seconds: float = 1.0,
        max_tries: int = 8,
        **how: Any,
    ) -> None:
        """`hub`: where it acknowledges, None to keep still; `refuse`: externalId → why it is acknowledged as an
        error; `refuse_later`: so is an unknown location type, which else is answered 400; `ack_seconds`: before
        an acknowledgement; `retry_seconds`: before it goes again to a hub that is not there, `max_tries` times at
        most; `how`: as OperationsNeighbour takes it.
        """
        super().__init__(Catalog(CATALOG), **how)
        self.refuse_later = refuse_later
        self.location_types = frozenset(location_types)
        self.outbox = Outbox(hub, retry_seconds=retry_seconds, max_tries=max_tries)
        self._ack_seconds = ack_seconds
        self._refuse = dict(refuse or {})
        self._lock = threading.Lock()
        self._ids: dict[str, str] = {}
        self._locations: dict[str, AssetLocation] = {}
        self._refused: list[Message] = []

    @property
    def hub(self) -> Hub | None:
        """Where it acknowledges; None to keep still."""
        return self.outbox.hub

    @hub.setter
    def hub(self, hub: Hub | None) -> None:
        self.outbox.hub = hub

    def start(self) -> "Wam":
        """Listen and acknowledge."""
        super().start()
        self.outbox.start()
        return self

    def stop(self) -> None:
        """End both."""
        self.outbox.stop()
        super().stop()

    def refuse(self, external_id: str, text: str) -> None:
        """Acknowledge this service point as an error from now on."""
        if not text:
            raise ValueError(f"Say why {external_id} is refused: the text is empty")
        with self._lock:
            self._refuse[external_id] = text

    def accept(self, external_id: str) -> None:
        """Refuse this service point no longer."""
        with self._lock:
            self._refuse.pop(external_id, None)

    def locations(self) -> dict[str, AssetLocation]:
        """The asset locations by externalId, in the order they were made."""
        with self._lock:
            return dict(self._locations)

    def refused(self) -> list[Message]:
        """The messages that it took and acknowledged as an error, oldest first."""
        with self._lock:
            return list(self._refused)

    def summary(self) -> dict[str, Any]:
        """Its asset locations, what it refused, and how the hub answered its acknowledgements."""
        locations = self.locations().values()
        return {
            "assetLocations": {one.external_id: one.id for one in locations},
            "comeAgain": sum(one.times - 1 for one in locations),
            "refused": [one["externalId"] for one in self.refused()],
            "acknowledged": Counter(
                one.message["ackType"]
                for one, answer in self.outbox.answers()
                if answer.status is not None and answer.status < 300
            ),
            "repeats": self.idempotent.repeats,
        }

    @property
    def actions(self) -> dict[str, Action]:
        """What its control offers beside: `summary`, `refuse {"externalId", "text"}`, `accept {"externalId"}`."""
        return {"summary": lambda _: self.summary(), "refuse": self._refuse_as_told, "accept": self._accept}

    @property
    def does(self) -> Mapping[str, Callable[[Asked], Answer]]:
        """What each operation does."""
        return {"W1-AssetLocation": self._locate, "F1-HealthCheckRest": lambda _: Answer(200, HEALTHY)}

    def _locate(self, asked: Asked) -> Answer:
        message = asked.message
        unknown = self._unknown_type(message["locationType"])
        if unknown and not self.refuse_later:
            return Answer(400, problem(400, unknown))
        status, key, text = self._keep(message, unknown)
        if self.hub is not None:
            said = acknowledgement(
                message["syncRequestId"],
                message["externalId"],
                location=key,
                errors=[text] if text else [],
            )
            self.outbox.add(Outgoing(ACKNOWLEDGEMENT, said), after=self._ack_seconds)
        return Answer(status, {"assetLocationId": key, "externalId": message["externalId"]})

    def _unknown_type(self, code: str) -> str:
        if code in self.location_types:
            return ""
        there = ", ".join(sorted(self.location_types))
        return f"locationType: there is no location type {code!r}, only {there}"

    def _keep(self, message: Message, unknown: str) -> tuple[int, str, str]:
        """The status and the id to answer with, and why it is refused later; one that is refused keeps its id."""
        name = message["externalId"]
        with self._lock:
            key = self._ids.setdefault(name, str(_FIRST_ID + len(self._ids)))
            before = self._locations.get(name)
            text = self._refuse.get(name) or unknown
            if text:
                self._refused.append(message)
            else:
                times = before.times + 1 if before else 1
                self._locations[name] = AssetLocation(key, name, message, times)
            return 200 if before else 201, key, text

    def _refuse_as_told(self, told: Mapping[str, Any]) -> Any:
        self.refuse(str(told["externalId"]), str(told["text"]))
        return {"externalId": told["externalId"], "text": told["text"]}

    def _accept(self, told: Mapping[str, Any]) -> Any:
        self.accept(str(told["externalId"]))
        return {"externalId": told["externalId"]}
