"""What DACS, DERMS and OUAI do on a day of the analytics (seed 003)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from demo import derms_files, ouai_files
from demo.acknowledgements import OK, Answered
from demo.dacs_sync import DacsSync
from demo.day_acts import mark_now
from demo.day_story import put
from demo.derms import Derms
from demo.derms_messages import OUAI_OUTCOMES, outcomes
from demo.hub_caller import Attached, Hub
from demo.mail import MailServer
from demo.ouai import FORECASTS, KWH, Ouai
from demo.ouai_files import FORECAST_PREFIX, KWH_PREFIX
from demo.shelf import Folder, Shelf

EXTRACTS_FROM_FTP, EXTRACTS_FROM_BUCKET = "OUTL-BA-DACS_OUAI_FTP_ENROLL", "OUTL-BA-DACS_OUAI_OS_ENROLL"
KWH_FLOW, FORECAST_FLOW = "OUTL-BA-OUAI_DACS_KWHAVD_OS_TRF", "OUTL-BA-OUAI_OS_LR_FORECAST"
FEEDBACK_FLOW = "OUTL-BA-OUAI_DACS_OS_ENROLL_ACK"
FTP_TRANSFER, TRANSFER = "OUTL-BA-OUAI_DACS_FTP_TRANSFER", "transfer"
# As OUTL-BRT-OUAI_DACS_DRMS_ConfigProps has them (seed 003 chapter 7).
EXTRACT_PREFIX, FEEDBACK_PREFIX = "ENROLL_SYNC", "feedback.dacs.program_subscription"
KWH_DIRECTORY = "/sploutput/DACSEnv/KWHAvoid"
STOPS_AT = 7  # the record that DACS cannot take at first
REFUSED = {3: "The service point has no intervals", 10: "The program is full, and closed"}


@dataclass(frozen=True, slots=True)
class AnalyticsPlaces:
    """`hub`: as who may call the child flows knows it; `extracts`, `extract_bucket`: where DACS puts enrolments;
    `kwh_bucket`, `kwh`: where it gets kWh avoided, by itself and by the child flow for file servers.
    """

    ouai: Ouai
    dacs: DacsSync
    derms: Derms
    hub: Hub
    extracts: Folder
    extract_bucket: Shelf
    kwh_bucket: Shelf
    kwh: Folder
    mail: MailServer


@dataclass(frozen=True)
class AnalyticsPlan:
    """What everything of one day is called, and how much there is. `enrol`: makes so many sync requests at DACS;
    `mark`: in every name, so that no other day has the same.
    """

    mark: str
    enrol: Callable[[int], list[str]]
    devices: int = 5000
    enrolments: int = 12
    points: int = 200

    @property
    def outcome_message(self) -> str:
        """The id of the message with the outcomes."""
        return f"A{self.mark}-outcomes"

    @property
    def outcome_file(self) -> str:
        """The name that DERMS gives the outcomes."""
        return f"outcome_A{self.mark}.csv"

    @cached_property
    def outcome(self) -> bytes:
        """The outcomes."""
        return b"".join(derms_files.outcomes(f"A{self.mark}-event", self.devices))

    def extract_file(self, place: str) -> str:
        """The name of DACS's enrolment extract at this place, FTP or OS."""
        return f"{EXTRACT_PREFIX}_{self.mark}_{place}.csv"

    def extract(self, place: str) -> bytes:
        """An enrolment extract: its layout is DACS's own, and the hub passes it on as it is."""
        lines = (f"{4_000_000_000 + n},1234512345,ENROLLED,{place}" for n in range(self.points))
        return "".join(f"{line}\n" for line in ("SPId,ProgramId,Status,Place", *lines)).encode()

    @property
    def kwh_file(self) -> str:
        """The name of OUAI's kWh avoided."""
        return f"{KWH_PREFIX}.{self.mark}.csv"

    @property
    def url_file(self) -> str:
        """The same file's name where it is handed in by URL."""
        return f"{KWH_PREFIX}.{self.mark}_by_url.csv"

    @cached_property
    def kwh(self) -> bytes:
        """What two events have avoided."""
        return b"".join(ouai_files.kwh_avoided([f"A{self.mark}-1", f"A{self.mark}-2"], self.points))

    @property
    def forecast_file(self) -> str:
        """The name of OUAI's load reduction forecast."""
        return f"{FORECAST_PREFIX}.{self.mark}.csv"

    @cached_property
    def forecast(self) -> bytes:
        """A day's load reduction."""
        return b"".join(ouai_files.load_forecast(self.points))

    @property
    def feedback_file(self) -> str:
        """The name of OUAI's feedback; with more than a day in it, as a day may be played twice."""
        return f"{FEEDBACK_PREFIX}.{self.mark}.csv"

    @cached_property
    def sync_requests(self) -> list[str]:
        """DACS's sync requests of the enrolments that the feedback is about."""
        return self.enrol(self.enrolments)

    @property
    def refusals(self) -> Mapping[str, str]:
        """Those that OUAI has refused, and why."""
        return {self.sync_requests[number - 1]: text for number, text in REFUSED.items()}


def new_analytics_plan(places: AnalyticsPlaces) -> AnalyticsPlan:
    """A plan whose names no other day has."""
    return AnalyticsPlan(mark=mark_now(), enrol=places.dacs.enrol)


class AnalyticsActs:
    """Each act once, and what the hub said to it."""

    def __init__(self, places: AnalyticsPlaces, plan: AnalyticsPlan, start: Callable[[str], str]) -> None:
        """`start`: runs the flow of this identifier by hand, and gives the instance's id."""
        self._at = places
        self._plan = plan
        self._start = start

    def _run(self, identifier: str) -> Answered:
        return Answered(OK, "", self._start(identifier))

    def extract_by_ftp(self) -> Answered:
        """DACS puts an enrolment extract on its file server, and the flow is run."""
        put(self._at.extracts, self._plan.extract_file("FTP"), self._plan.extract("FTP"))
        return self._run(EXTRACTS_FROM_FTP)

    def extract_by_bucket(self) -> Answered:
        """DACS puts an enrolment extract into its object storage, and the flow is run."""
        put(self._at.extract_bucket, self._plan.extract_file("OS"), self._plan.extract("OS"))
        return self._run(EXTRACTS_FROM_BUCKET)

    def tell_outcomes(self) -> Answered:
        """DERMS says how the devices took part in an event."""
        plan = self._plan
        told = outcomes(plan.outcome_message, plan.outcome_file, records=plan.devices)
        return self._at.derms.send(OUAI_OUTCOMES, told, Attached(plan.outcome_file, plan.outcome))

    def put_kwh(self) -> Answered:
        """OUAI says what was avoided, and the flow is run."""
        self._at.ouai.put(KWH, self._plan.kwh_file, [self._plan.kwh])
        return self._run(KWH_FLOW)

    def hand_in_by_url(self) -> Answered:
        """Whoever may hands a file to the child flow for DACS's file server, by its URL."""
        plan = self._plan
        told = {"fileName": plan.url_file, "directory": KWH_DIRECTORY}
        return self._at.hub.post_file(FTP_TRANSFER, TRANSFER, told, Attached(plan.url_file, plan.kwh))

    def put_forecast(self) -> Answered:
        """OUAI says by how much load could go down, and the flow is run."""
        self._at.ouai.put(FORECASTS, self._plan.forecast_file, [self._plan.forecast])
        return self._run(FORECAST_FLOW)

    def put_feedback(self) -> Answered:
        """OUAI says what became of enrolments, DACS cannot take one of them, and the flow is run."""
        plan = self._plan
        self._at.dacs.answer_with(plan.sync_requests[STOPS_AT - 1], 500, times=1)
        self._at.ouai.put_feedback(plan.feedback_file, plan.sync_requests, plan.refusals)
        return self._run(FEEDBACK_FLOW)

    def go_on_with_feedback(self) -> Answered:
        """DACS takes it now, and the flow is run again."""
        return self._run(FEEDBACK_FLOW)
