"""The call centre: a client of the hub's call centre interface, over SOAP and REST (seed 004 chapters 5 to 8)."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import requests

from demo import soap
from demo.acknowledgements import OK, Answered
from demo.hub_caller import Hub

SOURCE = "CallCenter"
AT_ONCE = 6  # questions
REFUSED = 422  # what an answer counts as here whose Result is FAILED
_TIMEOUT = 30.0

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CallBack:
    """A callback that an agent was given: what he needs to know of it."""

    mrid: str
    incident: str
    point: str


class CallCentre:
    """Who takes calls and calls back. `hub`: as it knows the hub."""

    def __init__(self, hub: Hub, *, csr: str = "csr7") -> None:
        """`csr`: its agent."""
        self.hub = hub
        self.csr = csr
        self._of_thread = threading.local()

    def create(self, tickets: Sequence[Message], *, source: str) -> Answered:
        """Send new tickets in one message; `source`: what the header names."""
        return self._send(
            "ReceiveTroubleTickets",
            "TroubleTickets",
            "CreatedTroubleTickets",
            {"Payload": {"TroubleTickets": {"TroubleTicket": tickets}}},
            source,
        )

    def report(self, callbacks: Iterable[CallBack], result: str) -> Answered:
        """Say what came of callbacks."""
        told = [
            {"mRID": one.mrid, "comment": "Told", "csrId": self.csr, "status": {"value": result}}
            for one in callbacks
        ]
        payload = {"Payload": {"CallBacksResults": {"CallBackResult": told}}}
        return self._send("ReceiveCallBacksResults", "CallBacksResults", "CreatedCallBacksResults", payload)

    def pull(self, count: int, *, priority: int) -> tuple[list[CallBack], Answered]:
        """Callbacks of this priority for the agent, none where there are none; and what the hub said."""
        wanted = {"count": count, "csrId": self.csr, "TroubleTickets": {"priority": priority}}
        answer = self._send(
            "GetCallbacks", "GetCallbacks", "GetCallbacks", {"Request": {"GetCallbacks": wanted}}
        )
        return [_callback(one) for one in _items(answer, "CallBacks/CallBack")], answer

    def tickets(self, names: Sequence[str]) -> dict[str, Message]:
        """The active tickets of these names, asked for one by one over REST; those that there are."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = pool.map(self._ticket, names)
            return {name: one for name, one in zip(names, found, strict=True) if one}

    def _ticket(self, name: str) -> Message:
        key = str(uuid4())
        head = {**soap.header("get", "TroubleTickets", SOURCE, key), "Context": "active"}
        asked = {"Header": head, "Request": {"GetTroubleTickets": {"name": name}}}
        try:
            answer = self._session.post(
                f"{self.hub.url}/api/crm/v1/GetTroubleTickets", json=asked, timeout=_TIMEOUT
            )
            said = answer.json() if answer.ok else {}
        except (requests.RequestException, ValueError):
            return {}
        there = said.get("Payload", {}).get("TroubleTickets", {}).get("TroubleTicket", [])
        return there[0] if len(there) == 1 else {}

    @property
    def _session(self) -> requests.Session:
        """This thread's."""
        found: requests.Session | None = getattr(self._of_thread, "session", None)
        if found is None:
            found = self._of_thread.session = requests.Session()
            found.auth = (self.hub.client_id, self.hub.secret)
        return found

    def _send(
        self, service: str, noun: str, operation: str, content: Mapping[str, Any], source: str = SOURCE
    ) -> Answered:
        """Send a message; its answer counts as refused where its Result says FAILED."""
        verb = "get" if operation.startswith("Get") else "created"
        head = soap.header(verb, _NOUNS.get(noun, noun), source, str(uuid4()))
        answer = soap.post(self.hub, service, soap.element(noun, operation, {"Header": head, **content}))
        reply = soap.reply_in(answer)
        if reply is not None and soap.text_at(reply, "Reply/Result") == "FAILED":
            return Answered(REFUSED, soap.reasons_in(reply))
        return answer


_NOUNS = {"GetCallbacks": "Callbacks"}


def _callback(found: Any) -> CallBack:
    return CallBack(
        soap.text_at(found, "mRID"),
        soap.text_at(found, "IncidentRecord/mRID"),
        soap.text_at(found, "TroubleTickets/UsagePoint/mRID"),
    )


def created_in(answer: Answered) -> set[str]:
    """The mRIDs of the tickets that the hub has created."""
    return {soap.text_at(one, "mRID") for one in _items(answer, "TroubleTickets/TroubleTicket")} - {""}


def updated_in(answer: Answered) -> set[str]:
    """The callbacks of which the hub has taken a result."""
    found = _items(answer, "CallBacksResults/CallBackResult")
    return {soap.text_at(one, "mRID") for one in found if soap.text_at(one, "status/value") == "UPDATED"}


def _items(answer: Answered, path: str) -> list[Any]:
    reply = soap.reply_in(answer) if answer.status == OK else None
    return [] if reply is None else soap.all_at(reply, f"Payload/{path}")
