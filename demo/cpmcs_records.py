"""What CPMCS keeps: enrolments, acknowledgements, device statuses, program events, reservations, outcomes."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from sys import intern
from typing import Any

Message = dict[str, Any]
Window = tuple[str, str]
STATUS_OF_ACTION = {
    "X1SD": "scheduled",
    "X1IP": "in progress",
    "F1CO": "completed",
    "F1CN": "cancelled",
}


class StageHasEventError(ValueError):
    """A program event was made for this stage before."""


class UnknownEventError(KeyError):
    """There is no program event of this id."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An enrolment, pending, and the request that it came from."""

    id: str
    request: Message


@dataclass(slots=True)
class ProgramEvent:
    """An event: the message that created each of its stages, and the actions that followed, in order."""

    id: str
    stages: dict[str, Message] = field(default_factory=dict)
    actions: list[Message] = field(default_factory=list)

    @property
    def status(self) -> str:
        """What the last action made of it."""
        return STATUS_OF_ACTION[self.actions[-1]["action"]] if self.actions else "scheduled"


class Devices:
    """Devices by event and window, each with a value; one that comes twice is counted, not merged unseen."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._lock = threading.Lock()
        self._events: dict[str, dict[Window, dict[str, str]]] = {}
        self._doubled: dict[str, int] = {}

    def add(self, rows: Iterable[tuple[str, Window, str, str, str]]) -> None:
        """Rows of event, window, head-end system, NIC id and value; a later value replaces an earlier one."""
        with self._lock:
            for event, window, head_end, nic, value in rows:
                there = self._events.setdefault(event, {}).setdefault(window, {})
                device = f"{head_end}\t{nic}"
                if device in there:
                    self._doubled[event] = self._doubled.get(event, 0) + 1
                there[device] = intern(value)

    def events(self) -> list[str]:
        """The events there are, in the order they came."""
        with self._lock:
            return list(self._events)

    def count(self, event: str) -> int:
        """How many different devices and windows an event has."""
        with self._lock:
            return sum(map(len, self._events.get(event, {}).values()))

    def doubled(self, event: str | None = None) -> int:
        """How often a device came again for the same window of an event; of all events where None."""
        with self._lock:
            return sum(self._doubled.values()) if event is None else self._doubled.get(event, 0)

    def of(self, event: str) -> dict[tuple[str, str], str]:
        """Head-end system and NIC id of each device of an event, with its value."""
        with self._lock:
            windows = self._events.get(event, {}).values()
            pairs = ((*device.split("\t", 1), value) for there in windows for device, value in there.items())
            return {(head_end, nic): value for head_end, nic, value in pairs}


class Records:
    """All of it, in memory. Safe to use from several threads."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._lock = threading.Lock()
        self._enrolments: list[Enrolment] = []
        self._acknowledgements: dict[str, list[Message]] = {}
        self._statuses: dict[str, list[str]] = {}
        self._events: dict[str, ProgramEvent] = {}
        self._stages: set[str] = set()
        self.reservations = Devices()
        self.outcomes = Devices()

    def enrolments(self) -> list[Enrolment]:
        """All, oldest first."""
        with self._lock:
            return list(self._enrolments)

    def enrol(self, request: Message) -> Enrolment:
        """A pending enrolment."""
        with self._lock:
            made = Enrolment(f"{90_000_000_000_001 + len(self._enrolments)}", request)
            self._enrolments.append(made)
            return made

    def acknowledgements(self) -> dict[str, list[Message]]:
        """What has come for each sync request, in order."""
        with self._lock:
            return {key: list(found) for key, found in self._acknowledgements.items()}

    def acknowledge(self, message: Message) -> None:
        """Keep the acknowledgement of an enrolment."""
        with self._lock:
            self._acknowledgements.setdefault(message["syncRequestId"], []).append(message)

    def statuses(self) -> dict[str, list[str]]:
        """What has been answered to each device status check, in order."""
        with self._lock:
            return {key: list(found) for key, found in self._statuses.items()}

    def set_status(self, communication: str, status: str) -> None:
        """Keep the answer to a device status check."""
        with self._lock:
            self._statuses.setdefault(communication, []).append(status)

    def events(self) -> dict[str, ProgramEvent]:
        """The program events by id; stages and actions are copies."""
        with self._lock:
            return {
                one.id: ProgramEvent(one.id, dict(one.stages), list(one.actions))
                for one in self._events.values()
            }

    def create_event(self, message: Message) -> None:
        """A program event, or one more stage of it; StageHasEventError the second time for a stage."""
        event, stage = message["eventExternalIdentifier"], message["externalIdentifier"]
        with self._lock:
            if stage in self._stages:
                raise StageHasEventError(f"The stage {stage} has a program event already")
            self._stages.add(stage)
            self._events.setdefault(event, ProgramEvent(event)).stages[stage] = message

    def act(self, message: Message) -> str:
        """Move a program event on; its status. UnknownEventError where it was never created."""
        event = message["eventExternalIdentifier"]
        with self._lock:
            if event not in self._events:
                raise UnknownEventError(f"There is no program event {event}")
            self._events[event].actions.append(message)
            return self._events[event].status

    def reserve(self, message: Message) -> None:
        """Keep the devices of a reservation, each for its own window or else the event's."""
        event = message["eventExternalIdentifier"]
        start, end = message["eventStartDateTime"], message["eventEndDateTime"]
        self.reservations.add(
            (
                event,
                (one.get("reservationStartDateTime", start), one.get("reservationEndDateTime", end)),
                one["headEndSystem"],
                one["nicId"],
                "",
            )
            for one in message["deviceList"]
        )

    def set_outcomes(self, outcomes: Sequence[Mapping[str, str]]) -> None:
        """Keep how devices took part, each for the time it did, where it did."""
        self.outcomes.add(
            (
                one["eventExternalIdentifier"],
                (one.get("participationStartDateTime", ""), one.get("participationEndDateTime", "")),
                one["headEndSystem"],
                one["nicId"],
                one["outcome"],
            )
            for one in outcomes
        )
