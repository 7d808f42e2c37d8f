"""A call centre's day: 200 calls become trouble tickets, an incident ends, customers are called back (seed 004)."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from demo.acknowledgements import OK, Answered
from demo.call_centre import CallBack, CallCentre, created_in, updated_in
from demo.calls import CUSTOMER, LANDBASE, LOCATION, UNLOCATED, Ticket
from demo.calls_plan import CallsPlan
from demo.day_acts import mark_now
from demo.day_story import Script, Step, Story
from demo.effects import Effect, count_of
from demo.ivr import RESTORED, Ivr
from demo.mail import MailServer

SEND_CALLBACKS = "GRIDOPS-CRM_SEND_CALLBACKS"
CLOSED = "Closed"
_AGENT_PRIORITIES = (4, 3, 2, 1, 0)
_AT_ONCE, _MOST_PULLS = 100, 50
_ASK_EVERY = 0.5
_KINDS = {
    CUSTOMER: "Asked for by name: at a service delivery point",
    LANDBASE: "Asked for by name: found on the landbase",
    LOCATION: "Asked for by name: at their coordinates",
    UNLOCATED: "Asked for by name: not located",
}


@dataclass(frozen=True, slots=True)
class CallPlaces:
    """Who acts, and where it is looked for."""

    centre: CallCentre
    ivr: Ivr
    mail: MailServer


# (mRID of an incident, service delivery points whose callbacks go to the IVR) → points that are called back
Restore = Callable[[str, Sequence[str]], set[str]]


@dataclass(frozen=True, slots=True)
class Operator:
    """What an operator does in the hub. `start`: runs a flow, gives the instance's id; `restore`: ends an incident."""

    start: Callable[[str], str]
    restore: Restore


class CallsActs:
    """Each act once, and what the hub said to it."""

    def __init__(self, places: CallPlaces, plan: CallsPlan, operator: Operator) -> None:
        """`plan`: what is sent."""
        self._at = places
        self._plan = plan
        self._operator = operator
        self.incident: Callable[[], str] = lambda: ""
        self.created: set[str] = set()
        self.called_back: set[str] = set()
        self.given: list[CallBack] = []
        self.reported: set[str] = set()

    def send_calls(self) -> Answered:
        """The call centre sends all tickets; the first answer that is no yes, else the last."""
        answer = Answered()
        for city, made in self._plan.messages:
            answer = self._at.centre.create(made, source=city)
            self.created |= created_in(answer)
            if answer.status != OK:
                break
        return answer

    def restore(self) -> Answered:
        """An operator restores the incident, and leaves some of the callbacks to the IVR."""
        self.called_back = self._operator.restore(self.incident(), self._plan.automatic)
        return Answered(OK)

    def call_back(self) -> Answered:
        """An agent takes callbacks as long as there are some, and tells what came of them."""
        answer = Answered()
        for priority in _AGENT_PRIORITIES:
            for _ in range(_MOST_PULLS):
                callbacks, answer = self._at.centre.pull(_AT_ONCE, priority=priority)
                if not callbacks:
                    break
                self.given += callbacks
                answer = self._at.centre.report(callbacks, RESTORED)
                self.reported |= updated_in(answer)
        return answer

    def send_to_ivr(self) -> Answered:
        """The flow is run that sends the others to the IVR."""
        return Answered(OK, "", self._operator.start(SEND_CALLBACKS))

    def ask(self) -> Answered:
        """The call centre asks for a ticket, as a customer wants to know."""
        return Answered(OK if self._at.centre.tickets(list(self._plan.dark)[:1]) else None)


class CallsSeen(Story):
    """The effects of each step as they stand now."""

    def __init__(self, places: CallPlaces, plan: CallsPlan, acts: CallsActs) -> None:
        """Nothing is seen yet."""
        super().__init__((places.ivr,), places.mail)
        self._at = places
        self._plan = plan
        self._acts = acts
        self._tickets: dict[str, Ticket] = {}
        self._asked = 0.0
        acts.incident = lambda: next((key for key, _ in self._incidents().most_common(1)), "")

    def created(self) -> list[Effect]:
        """Every ticket is at the hub, placed as it has to be; those of one transformer are one incident."""
        asked = self._plan.asked
        if "calls" in self.answers:
            self._ask_for(name for name in asked if name not in self._tickets)
        wanted = Counter(one.kind for one in asked.values())
        right = Counter(one.kind for name, one in asked.items() if _kind(self._tickets.get(name)) == one.kind)
        joined = max(self._incidents().values(), default=0)
        return [
            count_of(
                "Trouble tickets that the hub has created", len(self._plan.tickets), len(self._acts.created)
            ),
            *(count_of(what, wanted[kind], right[kind]) for kind, what in _KINDS.items()),
            count_of("Tickets that joined one transformer's incident", len(self._plan.dark), joined),
        ]

    def restored(self) -> list[Effect]:
        """Those who asked for it are to be called back."""
        there = self._plan.asking & self._acts.called_back
        return [count_of("Callbacks that the restoration made", len(self._plan.asking), len(there))]

    def called_back(self) -> list[Effect]:
        """The agent had those that are not the IVR's, and the hub took his results."""
        own = [one for one in self._acts.given if one.incident in self._incidents()]
        told = {one.point for one in own if one.mrid in self._acts.reported}
        wanted = self._plan.asking - self._plan.for_ivr
        return [count_of("Callbacks that an agent was given and closed", len(wanted), len(wanted & told))]

    def at_ivr(self) -> list[Effect]:
        """The IVR had the others, each once, and has restored them all in the end."""
        wanted = self._plan.for_ivr
        incidents = self._incidents()
        own = {key: one for key, one in self._at.ivr.callbacks().items() if one.incident in incidents}
        once = {one.point for one in own.values() if one.times == 1}
        results = self._at.ivr.results()
        done = {one.point for mrid, one in own.items() if RESTORED in results.get(mrid, [])}
        return [
            count_of("Callbacks at the IVR, each once", len(wanted), len(wanted & once)),
            count_of("Customers the IVR has reached, by results at the hub", len(wanted), len(wanted & done)),
        ]

    def closed(self) -> list[Effect]:
        """The hub says of the incident that it is closed."""
        name = next(iter(self._plan.dark))
        if "ask" in self.answers and _status(self._tickets.get(name, {})) != CLOSED:
            self._ask_for([name])
        status = _status(self._tickets.get(name, {}))
        detail = f"its status is {status}"
        return [count_of("Incidents closed with the last callback", 1, int(status == CLOSED), detail)]

    def _incidents(self) -> Counter[str]:
        """The incidents of the transformer's tickets and how many of them each has; as a rule it is one."""
        dark = (self._tickets.get(name, {}) for name in self._plan.dark)
        found = Counter(one.get("IncidentRecord", {}).get("mRID", "") for one in dark)
        return Counter({key: count for key, count in found.items() if key})

    def _ask_for(self, names: Iterable[str]) -> None:
        """Ask the hub for tickets by name, not at each look."""
        wanted = list(names)
        if wanted and time.monotonic() - self._asked > _ASK_EVERY:
            self._tickets |= self._at.centre.tickets(wanted)
            self._asked = time.monotonic()


def _kind(there: Ticket | None) -> str:
    """How a ticket is placed, as far as the hub says; "" where it has none."""
    if there is None:
        return ""
    if "UsagePoint" in there:
        return CUSTOMER
    location = (there.get("Location") or [{}])[0]
    if "PositionPoint" not in location:
        return UNLOCATED
    return LANDBASE if "type" in location else LOCATION


def _status(there: Ticket) -> str:
    """The status of a ticket's incident."""
    return str(there.get("IncidentRecord", {}).get("status", {}).get("value", ""))


def trouble_calls(places: CallPlaces, operator: Operator) -> Script:
    """The day."""
    plan = CallsPlan(mark_now(), datetime.now(UTC))
    acts = CallsActs(places, plan, operator)
    seen = CallsSeen(places, plan, acts)
    return Script(
        title="Trouble calls, the call centre and the IVR",
        way="A day of trouble calls, call centre ⇄ hub ⇄ IVR",
        steps=_steps(acts, seen, plan),
        story=seen,
    )


def _steps(acts: CallsActs, seen: CallsSeen, plan: CallsPlan) -> list[Step]:
    messages, for_ivr = len(plan.messages), len(plan.for_ivr)
    return [
        Step(
            "calls",
            f"The call centre sends {len(plan.tickets)} trouble calls in {messages} messages",
            f"all at the hub, {len(plan.dark)} of them one incident",
            acts.send_calls,
            seen.created,
        ),
        Step(
            "restore",
            "An operator restores that incident",
            f"{len(plan.asking)} customers are to be called back",
            acts.restore,
            seen.restored,
            after=("calls",),
        ),
        Step(
            "agent",
            "An agent pulls callbacks and calls",
            f"{len(plan.asking) - for_ivr} customers told",
            acts.call_back,
            seen.called_back,
            after=("restore",),
        ),
        Step(
            "ivr",
            f"The hub sends the other {for_ivr} callbacks to the IVR, which calls",
            "one who did not answer is called again, all told",
            acts.send_to_ivr,
            seen.at_ivr,
            after=("restore",),
        ),
        Step(
            "ask",
            "A customer asks how the incident stands",
            "closed with its last callback",
            acts.ask,
            seen.closed,
            after=("agent", "ivr"),
        ),
    ]
