"""CPMCS: the customer program system that the hub tells of enrolments, events and devices (seed 002)."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from demo.control import Action
from demo.cpmcs_records import Records, StageHasEventError, UnknownEventError
from demo.http import Answer, problem
from demo.journal import Journal
from demo.operations import Asked, Catalog, OperationsNeighbour
from demo.sync_requests import NotAwaitingError, SyncRequests, UnknownSyncRequestError

CATALOG = Path(__file__).parent / "data" / "cpmcs_openapi.json"
PROGRAMS = ("SMART_THERMOSTAT", "EV_CHARGING", "BATTERY")
HEALTHY = {"healthOverallResponse": 200, "healthCheckResults": []}
BO_STATUS = {"SUCCESS": "COMPLETED", "FAILURE": "FAILED"}


class Cpmcs(OperationsNeighbour):
    """The customer program system: it checks what it is sent against its own schemas and keeps it."""

    name = "cpmcs"

    def __init__(
        self,
        *,
        programs: Iterable[str] = PROGRAMS,
        first_id: int = 20_000_000_000_001,
        kept: Path | None = None,
        username: str = "",
        password: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
        slow_seconds: float = 5.0,
        most_keys: int = 50_000,
    ) -> None:
        """`programs`: the program codes it knows; `first_id`: of the first sync request; `kept`: a directory
        where sync requests last from one start to the next; `most_keys`: Idempotency-Keys it remembers.
        """
        super().__init__(
            Catalog(CATALOG),
            most_keys=most_keys,
            host=host,
            port=port,
            username=username,
            password=password,
            slow_seconds=slow_seconds,
        )
        self.programs = frozenset(programs)
        self.records = Records()
        self.sync_requests = SyncRequests(
            Journal(kept and kept / "cpmcs-sync-requests.jsonl"), first_id=first_id
        )

    def sync_request(self, kind: str) -> str:
        """The id of a new sync request of this kind (a message type, say) that awaits its acknowledgement."""
        (made,) = self.sync_requests.make(kind, [0])
        self.sync_requests.extracted([made], "")
        return made.id

    def summary(self) -> dict[str, Any]:
        """How much of everything it has, in numbers."""
        records = self.records
        return {
            "enrolments": len(records.enrolments()),
            "acknowledgements": sum(map(len, records.acknowledgements().values())),
            "statuses": sum(map(len, records.statuses().values())),
            "events": {key: one.status for key, one in records.events().items()},
            "reservations": _counted(records.reservations.events(), records.reservations.count),
            "reservationsDoubled": records.reservations.doubled(),
            "outcomes": _counted(records.outcomes.events(), records.outcomes.count),
            "outcomesDoubled": records.outcomes.doubled(),
            "syncRequests": {one.id: one.status for one in self.sync_requests.find()},
            "repeats": self.idempotent.repeats,
        }

    @property
    def actions(self) -> dict[str, Action]:
        """What its control offers beside: `sync-request {"kind"}` and `summary`."""
        return {
            "sync-request": lambda values: {"syncRequestId": self.sync_request(str(values["kind"]))},
            "summary": lambda _: self.summary(),
        }

    @property
    def does(self) -> Mapping[str, Callable[[Asked], Answer]]:
        """What each operation does."""
        return {
            "X1-ProgramEnrollment.enrollProgram": self._enrol,
            "X1-ProgramEnrollment.postAcknowledgement": self._acknowledge,
            "X1-ControllableDeviceStatus.postControllableDeviceStatus": self._set_status,
            "X1-ProgramEvent.createProgramEvent": self._create_event,
            "X1-ProgramEvent.actionProgramEvent": self._act,
            "X1-ProgramEventParticipation.reserveDevice": self._reserve,
            "X1-ProgramEventParticipation.postEventOutcome": self._set_outcomes,
            "F1-SyncRequest": self._synchronise,
            "F1-HealthCheckRest": lambda _: Answer(200, HEALTHY),
        }

    def _enrol(self, asked: Asked) -> Answer:
        code = asked.message["programInfo"]["programCode"]
        if code not in self.programs:
            there = ", ".join(sorted(self.programs))
            return Answer(
                400, problem(400, f"programInfo/programCode: there is no program {code!r}, only {there}")
            )
        made = self.records.enrol(asked.message)
        return Answer(200, {"enrollmentId": made.id, "status": "PENDING"})

    def _acknowledge(self, asked: Asked) -> Answer:
        message = asked.message
        self.records.acknowledge(message)
        exceptions = message.get("exceptionInfo", []) if message["hasError"] else None
        with suppress(UnknownSyncRequestError, NotAwaitingError):  # it may come again, or for a registration
            self.sync_requests.acknowledge(message["syncRequestId"], exceptions)
        return Answer(200, {"syncRequestId": message["syncRequestId"]})

    def _set_status(self, asked: Asked) -> Answer:
        detail = asked.message["responseDetail"]
        communication = detail.get("transactionID") or detail["transactionId"]
        status = detail["result"]["status"]
        self.records.set_status(communication, status)
        return Answer(200, {"communicationId": communication, "boStatus": BO_STATUS[status]})

    def _create_event(self, asked: Asked) -> Answer:
        try:
            self.records.create_event(asked.message)
        except StageHasEventError as error:
            return Answer(409, problem(409, str(error)))
        named = ("eventExternalIdentifier", "externalIdentifier")
        return Answer(200, {name: asked.message[name] for name in named})

    def _act(self, asked: Asked) -> Answer:
        event = asked.message["eventExternalIdentifier"]
        try:
            status = self.records.act(asked.message)
        except UnknownEventError as error:
            return Answer(404, problem(404, str(error.args[0])))
        return Answer(200, {"eventExternalIdentifier": event, "status": status})

    def _reserve(self, asked: Asked) -> Answer:
        self.records.reserve(asked.message)
        return Answer(200, {"eventExternalIdentifier": asked.message["eventExternalIdentifier"]})

    def _set_outcomes(self, asked: Asked) -> Answer:
        self.records.set_outcomes(asked.message["postOutcomeList"])
        return Answer(200, {})

    def _synchronise(self, asked: Asked) -> Answer:
        key, message = asked.values["syncRequestId"], asked.message
        if message["syncRequestId"] != key:
            said = f"syncRequestId is {message['syncRequestId']}, but the path says {key}"
            return Answer(400, problem(400, said))
        try:
            self.sync_requests.acknowledge(key, message["exceptionInfo"] if message["hasError"] else None)
        except UnknownSyncRequestError as error:
            return Answer(404, problem(404, str(error.args[0])))
        except NotAwaitingError as error:
            return Answer(400, problem(400, str(error)))
        return Answer(200, {"syncRequestId": key})


def _counted(events: list[str], count: Callable[[str], int]) -> dict[str, int]:
    return {event: count(event) for event in events}
