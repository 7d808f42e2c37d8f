"""DERMS: the grid-edge system that sends events and devices to the hub and is told of enrolments (seed 002)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from demo import derms_files, derms_messages
from demo.acknowledgements import Answered
from demo.control import Action
from demo.derms_messages import (
    ERROR,
    FAILURE,
    NETWORK_MODEL,
    OUAI_OUTCOMES,
    OUTCOMES,
    RESERVATION,
    SUCCESS,
    Kind,
    Message,
    msg_ack,
)
from demo.derms_outbox import Outbox, Outgoing
from demo.derms_records import Records
from demo.faults import Faults
from demo.http import Answer, problem
from demo.hub_caller import Attached, Hub
from demo.operations import Asked, Catalog, OperationsNeighbour

CATALOG = Path(__file__).parent / "data" / "derms_openapi.json"
BASE = "/nms-drms/rest/v1"
SCORE_STATUSES = (200, 202)
ACKNOWLEDGED = (RESERVATION, OUTCOMES, OUAI_OUTCOMES)
ACKNOWLEDGEMENTS = ("deviceReservationAck", "deviceOutcomeAck")
TAKEN = {
    "enroll": "Enrolment taken",
    "statusCheck": "The head end is asked",
    "dacsOptOut": "Opt-out taken",
    "updateProgram": "Program taken",
    "updateAggregator": "Aggregator taken",
    "deviceReservationAck": "Acknowledgement taken",
    "deviceOutcomeAck": "Acknowledgement taken",
}


class Derms(OperationsNeighbour):
    """The grid-edge system. While it runs, it answers enrolments and status checks and sends again what failed."""

    name = "derms"

    def __init__(
        self,
        *,
        hub: Hub | None = None,
        answers: bool = False,
        unreachable: Iterable[str] = (),
        score_status: int = 200,
        max_retries: int = 3,
        retry_seconds: float = 1.0,
        answer_seconds: float = 0.2,
        max_tries: int = 8,
        username: str = "",
        password: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
        slow_seconds: float = 5.0,
        most_keys: int = 50_000,
    ) -> None:
        """`answers`: it acknowledges enrolments and status checks after `answer_seconds`; `unreachable`: NIC ids
        that its head ends do not find; `max_retries`: how often a message is sent again after a FAILURE;
        `max_tries`: how often a hub that is not there is tried; `retry_seconds`: before the first of either.
        """
        super().__init__(
            Catalog(CATALOG, base=BASE),
            most_keys=most_keys,
            host=host,
            port=port,
            username=username,
            password=password,
            slow_seconds=slow_seconds,
        )
        self.answers = answers
        self.unreachable = frozenset(unreachable)
        self.score_status = score_status
        self.max_retries = max_retries
        self.records = Records()
        self.forecasts = Records()  # a shelf of files of their own, so that no forecast is taken for a score
        self.outbox = Outbox(hub, retry_seconds=retry_seconds, max_tries=max_tries)
        self._retry_seconds = retry_seconds
        self._answer_seconds = answer_seconds
        self._says = Faults((SUCCESS, ERROR, FAILURE))

    @property
    def hub(self) -> Hub | None:
        """Where it sends to; None to send nothing."""
        return self.outbox.hub

    @hub.setter
    def hub(self, hub: Hub | None) -> None:
        self.outbox.hub = hub

    @property
    def score_status(self) -> int:
        """What it answers to a score file: 200 or 202."""
        return self._score_status

    @score_status.setter
    def score_status(self, status: int) -> None:
        if status not in SCORE_STATUSES:
            raise ValueError(f"The status of a score file is {status}; it can be 200 or 202")
        self._score_status = status

    def start(self) -> "Derms":
        """Listen and send."""
        super().start()
        self.outbox.start()
        return self

    def stop(self) -> None:
        """End both."""
        self.outbox.stop()
        super().stop()

    def reset(self) -> None:
        """Work again, say SUCCESS, and forget what was received; the system's own records stay."""
        super().reset()
        self._says.clear()

    def say(self, ack_type: str, times: int | None = None) -> None:
        """Answer the next `times` calls (all, where None) with 200 and this ackType; what is not SUCCESS is not
        taken. ValueError for an ackType there is not.
        """
        self._says.set(ack_type, times)

    def send(self, kind: Kind, message: Message, file: Attached | None = None) -> Answered:
        """Send a message to the hub once; what it said. Reservations and outcomes go again after a FAILURE."""
        if self.hub is None:
            raise ValueError("DERMS has no hub to send to; set `hub`")
        one = Outgoing(kind, message, file)
        if kind in ACKNOWLEDGED:
            self.records.sent(one)  # before it goes: its acknowledgement may come before the answer
        return one.post(self.hub)

    def send_reservation(self, message_id: str, event: str, devices: int | Path, **how: Any) -> Answered:
        """Reserve devices for an event: so many of them, or those of a CSV file; `how`: see `reservation`."""
        file = _csv(f"reservation_{event}.csv", devices, derms_files.reservation)
        return self.send(RESERVATION, derms_messages.reservation(message_id, event, **how), file)

    def send_outcomes(self, message_id: str, event: str, devices: int | Path, **how: Any) -> Answered:
        """Say how devices took part in an event: so many of them, or those of a CSV file; `how`: see `outcomes`."""
        file = _csv(f"outcome_{event}.csv", devices, partial(derms_files.outcomes, event))
        return self.send(OUTCOMES, derms_messages.outcomes(message_id, file.name, **how), file)

    def send_network(self, message_id: str, points: int | Path, **how: Any) -> Answered:
        """Say where service points are: so many of them, or those of a CSV file; `how`: see `network_model`."""
        file = _csv(f"network_{message_id}.csv", points, derms_files.network_locations)
        return self.send(NETWORK_MODEL, derms_messages.network_model(message_id, file.name, **how), file)

    def summary(self) -> dict[str, Any]:
        """How much of everything it has, in numbers."""
        forecasts = self.forecasts.counts()["scores"]
        return {**self.records.counts(), "forecasts": forecasts, "repeats": self.idempotent.repeats}

    @property
    def actions(self) -> dict[str, Action]:
        """What its control offers beside: `say {"ackType", "times"}`, `summary`, and sending: `reserve` and
        `outcomes` {"messageId", "eventId", "devices"}.
        """
        return {
            "say": self._say_as_told,
            "summary": lambda _: self.summary(),
            "reserve": lambda values: self._send_as_told(self.send_reservation, values),
            "outcomes": lambda values: self._send_as_told(self.send_outcomes, values),
        }

    def settles(self, answer: Answer) -> bool:
        """Whether the call was taken: what is not SUCCESS has to be possible again under the same key."""
        return super().settles(answer) and answer.body["ackType"] == SUCCESS

    @property
    def does(self) -> Mapping[str, Callable[[Asked], Answer]]:
        """What each operation does."""
        return {
            **{operation: partial(self._take, operation) for operation in TAKEN},
            "deviceScore": self._score,
            "loadReductionForecast": self._forecast,
        }

    def _take(self, operation: str, asked: Asked) -> Answer:
        message = asked.message
        key = message.get("dacsMessageId") or message["messageId"]
        said = self._says.take() or SUCCESS
        if said != SUCCESS:
            return Answer(
                200, msg_ack(key, ack_type=said, value=f"{operation} said {said}, as it was told to")
            )
        self.records.add(operation, message)
        if operation in ACKNOWLEDGEMENTS:
            self._acknowledged(message)
        else:
            self._answer_later(operation, message)
        return Answer(200, msg_ack(key, value=TAKEN[operation], at_dacs=message.get("dacsMessageId", "")))

    def _score(self, asked: Asked) -> Answer:
        return self._take_file("deviceScore", self.records, self.score_status, asked)

    def _forecast(self, asked: Asked) -> Answer:
        return self._take_file("loadReductionForecast", self.forecasts, 200, asked)

    def _take_file(self, operation: str, files: Records, status: int, asked: Asked) -> Answer:
        name = asked.values["file_name"]
        if not asked.body:
            return Answer(400, problem(400, f"The file {name} is empty"))
        said = self._says.take() or SUCCESS
        if said != SUCCESS:
            return Answer(
                200, msg_ack(name, ack_type=said, value=f"{operation} said {said}, as it was told to")
            )
        files.add_score(name, asked.body)
        return Answer(status, msg_ack(name, value=f"{len(asked.body)} bytes taken"))

    def _acknowledged(self, message: Message) -> None:
        again = self.records.take_again(message, self.max_retries) if self.hub else None
        if again is not None:
            self.outbox.add(again, after=self._retry_seconds)

    def _answer_later(self, operation: str, message: Message) -> None:
        make = {"enroll": self._enrolment_ack, "statusCheck": self._status_ack}.get(operation)
        if make is None or not self.answers or self.hub is None:
            return
        if self.records.is_first_answer(operation, message["dacsMessageId"]):
            self.outbox.add(make(message), after=self._answer_seconds)

    def _enrolment_ack(self, message: Message) -> Outgoing:
        listed = message["locationInfo"]["controllableDevices"]
        statuses = derms_messages.head_end_statuses(listed, self.unreachable)
        missing = "NOT_REGISTERED" in statuses.values()
        told = derms_messages.enrolment_ack(
            message["dacsMessageId"],
            statuses,
            ack_type=ERROR if missing else SUCCESS,
            text="The head end does not find every device" if missing else "",
        )
        return Outgoing(derms_messages.ENROLMENT_ACK, told)

    def _status_ack(self, message: Message) -> Outgoing:
        code = FAILURE if message["deviceInfo"]["nicid"] in self.unreachable else SUCCESS
        return Outgoing(derms_messages.STATUS_ACK, derms_messages.status_ack(message["dacsMessageId"], code))

    def _say_as_told(self, values: Mapping[str, Any]) -> Any:
        self.say(str(values.get("ackType", "")), values.get("times"))
        return {"ackType": values["ackType"], "times": values.get("times")}

    def _send_as_told(self, send: Callable[[str, str, int], Answered], values: Mapping[str, Any]) -> Any:
        answer = send(str(values["messageId"]), str(values["eventId"]), int(values.get("devices", 10)))
        return {"status": answer.status, "body": answer.body, "instance": answer.instance}


def _csv(name: str, given: int | Path, make: Callable[[int], Iterator[bytes]]) -> Attached:
    """The file that is there, or one that is made of so many rows."""
    if isinstance(given, Path):
        return Attached(given.name, given)
    return Attached(name, b"".join(make(given)))
