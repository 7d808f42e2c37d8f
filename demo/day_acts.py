"""What CPMCS and DERMS do on a day of the customer programs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from demo import cpmcs_messages, derms_files
from demo.acknowledgements import OK, Answered
from demo.cpmcs import PROGRAMS
from demo.cpmcs_messages import AGGREGATOR, DEVICE_STATUS, ENROLMENT, OPT_OUT, PROGRAM_RULES, UNAVAILABILITY
from demo.day_places import DayPlaces
from demo.day_story import put
from demo.derms_devices import device, devices
from demo.derms_messages import (
    ENROLMENT_REQUEST,
    STAGE_STATUS,
    enrolment_request,
    enrolment_requests,
    stage_status,
)
from demo.shelf import Shelf

SCORES_FROM_FTP, SCORES_FROM_BUCKET = "OUTL-BA-DRMS_DACS_SEND_DVCSCORE", "OUTL-BA-DRMS_DACS_SEND_DVCSCOREC"
SCORE_PREFIX = "SDCSE"  # as OUTL-BRT-DACS_DRMS_ConfigProps has it
CUSTOMERS = len(PROGRAMS)
LEAVES, AWAY = 7, 8  # the numbers of the devices that opt out and are unavailable


@dataclass(frozen=True)
class Plan:
    """What everything of one day is called, and how much there is. `sync_request`: makes one of CPMCS's for a
    message type; `mark`: in every id, so that no other day has the same.
    """

    mark: str
    sync_request: Callable[[str], str]
    devices: int = 5000
    points: int = 2000
    scores: int = 1000

    def id(self, of: str) -> str:
        """A message, communication or event id; CPMCS has room for 30 characters."""
        return f"D{self.mark}-{of}"

    @property
    def requests(self) -> list[str]:
        """The message ids of the enrolment requests."""
        return [self.id(f"enrol-{number}") for number in range(1, CUSTOMERS + 1)]

    @property
    def event(self) -> str:
        """The event's id."""
        return self.id("event")

    @cached_property
    def enrolment(self) -> str:
        """The sync request of the enrolment."""
        return self.sync_request(ENROLMENT)

    @cached_property
    def program(self) -> str:
        """The sync request of the program."""
        return self.sync_request(PROGRAM_RULES)

    @cached_property
    def aggregator(self) -> str:
        """The sync request of the aggregator."""
        return self.sync_request(AGGREGATOR)

    @property
    def outcome_file(self) -> str:
        """The name that DERMS gives the outcomes."""
        return f"outcome_{self.event}.csv"

    @property
    def network_file(self) -> str:
        """The name that DERMS gives the network locations."""
        return f"network_{self.id('network')}.csv"

    @property
    def network(self) -> bytes:
        """The network locations."""
        return b"".join(derms_files.network_locations(self.points))

    def score_file(self, place: str) -> str:
        """The name of CPMCS's score extract at this place, FTP or OS."""
        return f"{SCORE_PREFIX}_{self.mark}_{place}.csv"

    def score(self, place: str) -> bytes:
        """A score extract: its layout is CPMCS's own, and the hub passes it on as it is."""
        lines = (
            f"{one.nic},{one.head_end},{one.id},0.{number % 100:02},{place}"
            for number, one in enumerate(devices(self.scores))
        )
        return "".join(f"{line}\n" for line in ("nicId,headEndSystem,deviceId,score,place", *lines)).encode()


def mark_now() -> str:
    """What makes the ids of a day its own: the hub takes a message id once (contract, "Inbound")."""
    return f"{datetime.now(UTC):%Y%m%d%H%M%S}"


def new_plan(places: DayPlaces) -> Plan:
    """A plan whose ids no other day has."""
    return Plan(mark=mark_now(), sync_request=places.cpmcs.sync_request)


class Acts:
    """Each act once, and what the hub said to it."""

    def __init__(self, places: DayPlaces, plan: Plan, start: Callable[[str], str]) -> None:
        """`start`: runs the flow of this identifier by hand, and gives the instance's id."""
        self._at = places
        self._plan = plan
        self._start = start

    def _cpmcs(self, kind: str, message: cpmcs_messages.Message) -> Answered:
        return cpmcs_messages.send(self._at.hub, kind, message)

    def enrol(self) -> Answered:
        """DERMS asks for an enrolment in each program, in one message."""
        each = zip(self._plan.requests, PROGRAMS, strict=True)
        requests = (
            enrolment_request(key, devices(1, first=number), program=program, customer=number + 1)
            for number, (key, program) in enumerate(each)
        )
        return self._at.derms.send(ENROLMENT_REQUEST, enrolment_requests(*requests))

    def synchronise_enrolment(self) -> Answered:
        """CPMCS tells of an enrolment with a device of each kind."""
        return self._cpmcs(ENROLMENT, cpmcs_messages.enrolment(self._plan.enrolment, devices(CUSTOMERS)))

    def check_device(self) -> Answered:
        """CPMCS asks how a device is."""
        return self._cpmcs(DEVICE_STATUS, cpmcs_messages.device_status(self._plan.id("check"), device(0)))

    def synchronise_program(self) -> Answered:
        """CPMCS tells of a program's rules."""
        return self._cpmcs(PROGRAM_RULES, cpmcs_messages.program_rules(self._plan.program))

    def synchronise_aggregator(self) -> Answered:
        """CPMCS tells of an aggregator."""
        return self._cpmcs(AGGREGATOR, cpmcs_messages.aggregator(self._plan.aggregator))

    def schedule(self) -> Answered:
        """DERMS has planned a stage."""
        return self._stage("SCHEDULED")

    def begin(self) -> Answered:
        """The stage begins."""
        return self._stage("IN_PROGRESS")

    def complete(self) -> Answered:
        """The stage ends."""
        return self._stage("COMPLETED")

    def _stage(self, status: str) -> Answered:
        plan = self._plan
        told = stage_status(plan.id(f"stage-{status}"), plan.event, plan.id("stage"), status=status)
        return self._at.derms.send(STAGE_STATUS, told)

    def reserve(self) -> Answered:
        """DERMS reserves devices for the event."""
        plan = self._plan
        return self._at.derms.send_reservation(plan.id("reserve"), plan.event, plan.devices)

    def opt_out(self) -> Answered:
        """A customer leaves the event out."""
        plan = self._plan
        return self._cpmcs(OPT_OUT, cpmcs_messages.opt_out(plan.id("opt-out"), plan.event, device(LEAVES)))

    def be_away(self) -> Answered:
        """A customer's device is not to be had."""
        return self._away("ADD")

    def be_away_longer(self) -> Answered:
        """The time changes, which only CPMCS has to know."""
        return self._away("UPDATE")

    def _away(self, action: str) -> Answered:
        told = cpmcs_messages.unavailability(self._plan.id(f"away-{action}"), device(AWAY), action=action)
        return self._cpmcs(UNAVAILABILITY, told)

    def tell_outcomes(self) -> Answered:
        """DERMS says how the devices took part."""
        plan = self._plan
        return self._at.derms.send_outcomes(
            plan.id("outcomes"), plan.event, plan.devices, records=plan.devices
        )

    def send_network(self) -> Answered:
        """DERMS says where service points are in the network."""
        return self._at.derms.send_network(self._plan.id("network"), self._plan.points)

    def send_scores_by_ftp(self) -> Answered:
        """CPMCS puts its scores on its file server, and the flow is run."""
        return self._scores("FTP", self._at.scores, SCORES_FROM_FTP)

    def send_scores_by_bucket(self) -> Answered:
        """CPMCS puts its scores into its object storage, and the flow is run."""
        return self._scores("OS", self._at.score_bucket, SCORES_FROM_BUCKET)

    def _scores(self, place: str, shelf: Shelf, identifier: str) -> Answered:
        put(shelf, self._plan.score_file(place), self._plan.score(place))
        return Answered(OK, "", self._start(identifier))
