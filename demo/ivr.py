"""The IVR: it hosts SendCallBacks, calls customers by itself, tells the hub what came of it (seed 004 chapter 9)."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from demo import soap
from demo.acknowledgements import Answered
from demo.call_centre import updated_in
from demo.control import Action
from demo.derms_messages import Kind
from demo.derms_outbox import Outbox, Outgoing
from demo.http import Answer, Call, problem
from demo.hub_caller import Hub
from demo.neighbour import HttpNeighbour

PATH = "/SendCallBacks"
NOUN, OPERATION = "CallBacks", "CreatedCallBacks"
RESULTS = Kind("ReceiveCallBacksResults", "CreatedCallBacksResults")
RESTORED, NOT_RESTORED, NO_ANSWER = "Restored", "Not Restored", "No Answer"
OK, PARTIAL, FAILED, INVALID, FAULT = "OK", "PARTIAL", "FAILED", "invalid", "fault"
ANSWERS = (OK, PARTIAL, FAILED, INVALID, FAULT)
REFUSAL = "All lines are taken"
UNANSWERED_ONE_IN = 4  # customers who do not answer when they are called first

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A callback that came: why which customer is called, and how often it came."""

    mrid: str
    reason: str
    incident: str = ""
    point: str = ""
    times: int = 1


class Results(Outgoing):
    """A message of results, posted over SOAP."""

    def post(self, hub: Hub) -> Answered:
        """Send it; what the hub said."""
        message = soap.element("CallBacksResults", self.kind.resource, self.message)
        return soap.post(hub, self.kind.identifier, message)


@dataclass(frozen=True, slots=True)
class Xml(Answer):
    """An answer of SOAP: `body` is its bytes."""

    def content(self) -> bytes:
        """As they are."""
        return bytes(self.body)


class Ivr(HttpNeighbour):
    """The IVR. While it runs, it calls those it was told of: some do not answer at first, and are called again."""

    name = "ivr"

    def __init__(
        self,
        *,
        hub: Hub | None = None,
        call_seconds: float = 0.2,
        retry_seconds: float = 1.0,
        max_tries: int = 8,
        **how: Any,
    ) -> None:
        """`hub`: where results go, None to call nobody; `call_seconds`: how long calls take; `retry_seconds`: before
        results go again to a hub that is not there, `max_tries` times at most; `how`: as HttpNeighbour takes it.
        """
        super().__init__(**how)
        self.outbox = Outbox(hub, retry_seconds=retry_seconds, max_tries=max_tries, senders=1)
        self._call_seconds = call_seconds
        self._lock = threading.Lock()
        self._told: dict[str, Told] = {}
        self._replies: dict[str, bytes] = {}
        self._repeats = 0
        self._answer, self._times = OK, 0

    def start(self) -> "Ivr":
        """Listen and call."""
        super().start()
        self.outbox.start()
        return self

    def stop(self) -> None:
        """End both."""
        self.outbox.stop()
        super().stop()

    def reset(self) -> None:
        """Work again, answer well, forget what was received; the callbacks stay."""
        super().reset()
        self.answer_with(OK)

    def answer_with(self, answer: str, times: int | None = None) -> None:
        """Answer the next `times` messages (all, where None) so: OK, PARTIAL, FAILED, an invalid message, a fault."""
        if answer not in ANSWERS:
            raise ValueError(f"The answer {answer!r} is not one of {', '.join(ANSWERS)}")
        with self._lock:
            self._answer, self._times = answer, times or 0

    def callbacks(self) -> dict[str, Told]:
        """Those it has taken, by mRID, in the order they came."""
        with self._lock:
            return dict(self._told)

    def results(self) -> dict[str, list[str]]:
        """The results that the hub has taken, by mRID, in their order."""
        found: dict[str, list[str]] = {}
        for one, answer in self.outbox.answers():
            for mrid in updated_in(answer):
                (said,) = (given for given in _results_of(one) if given["mRID"] == mrid)
                found.setdefault(mrid, []).append(said["status"]["value"])
        return found

    def summary(self) -> Message:
        """What it was told of, and what it told."""
        return {
            "callbacks": {one.mrid: one.times for one in self.callbacks().values()},
            "results": Counter(result for told in self.results().values() for result in told),
            "repeats": self._repeats,
        }

    @property
    def actions(self) -> dict[str, Action]:
        """What its control offers beside: `summary`, `answer {"result", "times"}`."""
        return {"summary": lambda _: self.summary(), "answer": self._answer_as_told}

    def _answer_as_told(self, told: Mapping[str, Any]) -> Any:
        times = told.get("times")
        self.answer_with(str(told["result"]), None if times is None else int(times))
        return {"result": told["result"], "times": times}

    def handle(self, call: Call) -> Answer:
        """SendCallBacks; 404 and 405 for what is not there."""
        if call.path != PATH:
            return Answer(404, problem(404, f"There is nothing at {call.path}"))
        if call.method != "POST":
            return Answer(405, problem(405, f"{call.method} is not known here; use POST"), {"Allow": "POST"})
        try:
            envelope = soap.opened(call.body)
        except soap.NotSoapError as error:
            return _fault(soap.SOAP_11, "Client", str(error))
        if (said := soap.wrong(NOUN, envelope.element)) or envelope.name != OPERATION:
            return _fault(
                envelope.version, "Client", f"The message is not valid: {said or envelope.name}", said
            )
        return self._take(envelope)

    def _take(self, envelope: soap.Envelope) -> Answer:
        message, version = envelope.element, envelope.version
        key = soap.text_at(message, "Header/MessageID")
        with self._lock:
            if key in self._replies:
                self._repeats += 1
                return _xml(200, self._replies[key], version)
            answer = self._next_answer()
            if answer == FAULT:
                return _fault(version, "Server", REFUSAL, REFUSAL)
            taken = _callbacks(message) if answer in (OK, PARTIAL) else []
            taken = taken[: len(taken) // 2] if answer == PARTIAL else taken
            content = soap.sealed(_reply(answer, soap.text_at(message, "Header/CorrelationID")), version)
            if answer == OK:
                self._replies[key] = content
            for one in taken:
                known = self._told.get(one.mrid)
                self._told[one.mrid] = replace(known, times=known.times + 1) if known else one
        self._call(taken)
        return _xml(200, content, version)

    def _next_answer(self) -> str:
        answer = self._answer
        if self._times:
            self._times -= 1
            self._answer = self._answer if self._times else OK
        return answer

    def _call(self, callbacks: list[Told]) -> None:
        """Results for all after a while, and for those who did not answer a second one later."""
        if self.outbox.hub is None or not callbacks:
            return
        away = [one.mrid for one in callbacks[UNANSWERED_ONE_IN - 1 :: UNANSWERED_ONE_IN]]
        first = [(one, NO_ANSWER if one.mrid in away else _result(one)) for one in callbacks]
        again = [(one, _result(one)) for one in callbacks if one.mrid in away]
        self.outbox.add(_results(first), after=self._call_seconds)
        if again:
            self.outbox.add(_results(again), after=3 * self._call_seconds)


def _callbacks(message: Any) -> list[Told]:
    return [
        Told(
            soap.text_at(one, "mRID"),
            soap.text_at(one, "Reason"),
            soap.text_at(one, "IncidentRecord/mRID"),
            soap.text_at(one, "TroubleTickets/UsagePoint/mRID"),
        )
        for one in soap.all_at(message, "Payload/CallBacks/CallBack")
    ]


def _result(one: Told) -> str:
    """What the customer says who is told of this: only a restoration restores."""
    return RESTORED if one.reason == RESTORED else NOT_RESTORED


def _results(told: list[tuple[Told, str]]) -> Results:
    each = [
        {"mRID": one.mrid, "comment": "Called by the IVR", "csrId": "IVR", "status": {"value": result}}
        for one, result in told
    ]
    head = soap.header("created", "CallBacksResults", "IVR", str(uuid4()))
    return Results(RESULTS, {"Header": head, "Payload": {"CallBacksResults": {"CallBackResult": each}}})


def _results_of(one: Outgoing) -> list[Message]:
    found: list[Message] = one.message["Payload"]["CallBacksResults"]["CallBackResult"]
    return found


def _reply(answer: str, correlation: str) -> Any:
    """The response message; an invalid one has a Result that there is not."""
    said: Message = {"Result": "MAYBE" if answer == INVALID else answer}
    if answer in (PARTIAL, FAILED):
        said["Error"] = {"code": "5.3", "level": "FATAL", "reason": "NoLineFree", "details": REFUSAL}
    head = soap.header("reply", NOUN, "IVR", str(uuid4()), correlation)
    return soap.element(NOUN, "CallBacksResponseMessage", {"Header": head, "Reply": said})


def _fault(version: str, code: str, text: str, details: str = "") -> Answer:
    """A SOAP fault; with details, CallBacksFaultMessage says so too."""
    return _xml(500, soap.fault(version, code, text, _fault_message(details) if details else None), version)


def _fault_message(details: str) -> Any:
    error = {"code": "1.8", "level": "FATAL", "reason": "InvalidMessage", "details": details}
    return soap.element(NOUN, "CallBacksFaultMessage", {"Reply": {"Result": FAILED, "Error": error}})


def _xml(status: int, content: bytes, version: str) -> Answer:
    return Xml(status, content, {"Content-Type": soap.CONTENT_TYPES[version]})
