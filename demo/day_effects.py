"""What a day of the customer programs has to bring about, looked for at CPMCS, DERMS and the mail server."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256

from demo.cpmcs_records import Devices, ProgramEvent
from demo.day_acts import AWAY, CUSTOMERS, LEAVES, Plan
from demo.day_places import DayPlaces
from demo.day_story import Message, Story, arrived, renamed, responses
from demo.derms_devices import HEAD_ENDS, device, nic_of
from demo.derms_files import ODD_OUTCOMES
from demo.derms_messages import END, START, SUCCESS
from demo.effects import Effect, count_of
from demo.shelf import Shelf
from demo.sync_requests import SYNCHRONISED

REGISTERED = "D1RE"
RULE_DAYS = ["MONDAY", "TUESDAY", "FRIDAY"]
# Rows of the lookup OUTL-BRT-DACS_DRMS_EventOutcome.
OUTCOME_CODES: Mapping[str, str] = {
    "SUCCESS": "D1SP",
    "OVERRIDE": "D1IO",
    "NON_RESPONSIVE": "D1ND",
    "ERROR": "D1ER",
}


class Seen(Story):
    """The effects of each step as they stand now."""

    def __init__(self, places: DayPlaces, plan: Plan) -> None:
        """Nothing is seen yet."""
        super().__init__((places.cpmcs, places.derms), places.mail)
        self.plan = plan
        self._cpmcs, self._derms = places.cpmcs.records, places.derms.records
        self._at = places

    def enrolled(self) -> list[Effect]:
        """Each request is an enrolment at CPMCS, and DERMS was told its id."""
        wanted = set(self.plan.requests)
        pending = {one.id for one in self._cpmcs.enrolments() if one.request["transactionId"] in wanted}
        told = {
            one.get("dacsMessageId")
            for one in responses(self.answers.get("enrol"))
            if one["responseCode"] == SUCCESS
        }
        return [
            count_of("Enrolments pending at CPMCS, their ids told to DERMS", CUSTOMERS, len(pending & told))
        ]

    def registered(self) -> list[Effect]:
        """DERMS has the enrolment, and CPMCS what the head ends say of its devices."""
        taken = self._at_derms("enroll", self.plan.enrolment)
        told = [
            status
            for ack in self._cpmcs.acknowledgements().get(self.plan.enrolment, [])
            for status in ack.get("deviceHeadendStatus", [])
            if status["headEndRegistration"] == REGISTERED and not ack["hasError"]
        ]
        return [
            count_of("Enrolments at DERMS", 1, len(taken)),
            count_of("Devices registered at their head ends, told to CPMCS", CUSTOMERS, len(told)),
        ]

    def checked(self) -> list[Effect]:
        """CPMCS has the answer."""
        told = self._cpmcs.statuses().get(self.plan.id("check"), [])
        return [count_of("Device status SUCCESS at CPMCS", 1, told.count(SUCCESS))]

    def program(self) -> list[Effect]:
        """DERMS has the rules in its own words, and CPMCS's sync request is acknowledged."""
        taken = [
            one
            for one in self._at_derms("updateProgram", self.plan.program)
            if one["rules"][0]["weekDays"] == RULE_DAYS
        ]
        return [self._synchronised("Programs with rules", taken, self.plan.program)]

    def aggregator(self) -> list[Effect]:
        """DERMS has it, and CPMCS's sync request is acknowledged."""
        taken = self._at_derms("updateAggregator", self.plan.aggregator)
        return [self._synchronised("Aggregators", taken, self.plan.aggregator)]

    def _synchronised(self, what: str, taken: Sequence[Message], key: str) -> Effect:
        status = next((one.status for one in self._at.cpmcs.sync_requests.find() if one.id == key), "")
        done = len(taken) if status == SYNCHRONISED else 0
        detail = f"the sync request {key} is {status}" if taken else ""
        return count_of(f"{what} at DERMS, acknowledged to CPMCS", 1, done, detail)

    def scheduled(self) -> list[Effect]:
        """CPMCS has one program event for the stage."""
        return [count_of("Program events at CPMCS", 1, len(self._event.stages))]

    def in_progress(self) -> list[Effect]:
        """CPMCS was told once."""
        return [self._acted("in progress", "X1IP")]

    def completed(self) -> list[Effect]:
        """CPMCS was told once."""
        return [self._acted("completed", "F1CO")]

    def _acted(self, status: str, action: str) -> Effect:
        found = [one for one in self._event.actions if one["action"] == action]
        return count_of(f"Stages {status} at CPMCS", 1, len(found))

    @property
    def _event(self) -> ProgramEvent:
        return self._cpmcs.events().get(self.plan.event, ProgramEvent(self.plan.event))

    def reserved(self) -> list[Effect]:
        """Every device once, and one acknowledgement."""
        wanted = dict.fromkeys(self._devices, "")
        return [
            self._each("Devices reserved at CPMCS", self._cpmcs.reservations, wanted),
            self._acknowledged("Reservations", "deviceReservationAck", self.plan.id("reserve")),
        ]

    def outcomes(self) -> list[Effect]:
        """Every device's outcome once, in CPMCS's code, and one acknowledgement."""
        return [
            self._each("Outcomes at CPMCS, device by device", self._cpmcs.outcomes, self._devices),
            self._acknowledged("Outcome files", "deviceOutcomeAck", self.plan.id("outcomes")),
        ]

    @cached_property
    def _devices(self) -> dict[tuple[str, str], str]:
        """The event's devices and their outcomes at CPMCS, as DERMS's file has them."""
        said = (ODD_OUTCOMES.get(number % 10, (SUCCESS, ""))[0] for number in range(self.plan.devices))
        return {
            (HEAD_ENDS[number % len(HEAD_ENDS)], nic_of(number)): OUTCOME_CODES[outcome]
            for number, outcome in enumerate(said)
        }

    def _each(self, what: str, there: Devices, wanted: Mapping[tuple[str, str], str]) -> Effect:
        """What is there twice counts twice, so that it is seen."""
        event = self.plan.event
        right = len(wanted.items() & there.of(event).items())
        return count_of(what, len(wanted), right + there.doubled(event))

    def _acknowledged(self, what: str, operation: str, key: str) -> Effect:
        told = [one for one in self._derms.messages(operation) if one["messageId"] == key]
        right = [one for one in told if one["ackType"] == SUCCESS]
        wrong = next((str(one.get("responses", "")) for one in told if one not in right), "")
        return count_of(f"{what} acknowledged to DERMS", 1, len(right), wrong)

    def opted_out(self) -> list[Effect]:
        """DERMS knows which device leaves which event out."""
        leaves = {"optOutType": "EVENT", "eventId": self.plan.event, "optOut": True}
        return [self._told("Opt-outs of the event at DERMS", self.plan.id("opt-out"), LEAVES, leaves)]

    def unavailable(self) -> list[Effect]:
        """DERMS knows which device is not to be had from when to when, in its own time."""
        away = {"optOutType": "UNAVAILABLE", "startDateTimeISO": START, "endDateTimeISO": END}
        return [self._told("Unavailable devices at DERMS", self.plan.id("away-ADD"), AWAY, away)]

    def skipped(self) -> list[Effect]:
        """DERMS was not told."""
        told = self._at_derms("dacsOptOut", self.plan.id("away-UPDATE"))
        sent = "away-longer" in self.answers
        return [Effect("Changed unavailabilities at DERMS", 0, len(told) if sent else "unsent")]

    def _told(self, what: str, key: str, number: int, about: Message) -> Effect:
        one = device(number)
        wanted = {**about, "device": {"nicId": one.nic, "headEndSystem": one.head_end}}
        right = [said for said in self._at_derms("dacsOptOut", key) if wanted.items() <= said.items()]
        return count_of(what, 1, len(right))

    def _at_derms(self, operation: str, key: str) -> list[Message]:
        return [one for one in self._derms.messages(operation) if one["dacsMessageId"] == key]

    def network(self) -> list[Effect]:
        """CPMCS has the file."""
        plan = self.plan
        return [
            arrived("Network location files at CPMCS", self._at.networks, plan.network_file, plan.network)
        ]

    def scores_by_ftp(self) -> list[Effect]:
        """DERMS has the file of CPMCS's file server, where it is renamed."""
        return self._scores("FTP", self._at.scores)

    def scores_by_bucket(self) -> list[Effect]:
        """DERMS has the file of CPMCS's object storage, where it is renamed."""
        return self._scores("OS", self._at.score_bucket)

    def _scores(self, place: str, shelf: Shelf) -> list[Effect]:
        name = self.plan.score_file(place)
        there = self._derms.scores().get(name)
        whole = there is not None and there.sha256 == sha256(self.plan.score(place)).hexdigest()
        found = there.times if there and whole else 0
        return [
            count_of(f"Device scores at DERMS, byte for byte ({place})", 1, found),
            renamed(f"Device scores at CPMCS ({place})", shelf, name),
        ]

    def instances(self) -> set[str]:
        """Those of the messages that both sent, and of what DERMS sent by itself because of them."""
        by_itself = self._at.derms.outbox.answers()
        return super().instances() | {answer.instance for one, answer in by_itself if self._is_own(one.id)}

    def _is_own(self, key: str) -> bool:
        plan = self.plan
        return key in (plan.enrolment, plan.program, plan.aggregator) or key.startswith(plan.id(""))
