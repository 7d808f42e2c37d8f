"""A call centre's day: what counts as seen at the hub and the IVR, and what does not (seed 004)."""

import io
import itertools

import pytest
import requests
from rich.console import Console

from demo import soap
from demo.calls import CUSTOMER, LANDBASE, LOCATION, calls, placed
from demo.day import Day, play_day
from demo.day_calls import SEND_CALLBACKS, Operator, trouble_calls
from demo.http import Answer, HttpServer
from demo.ivr import PATH, Xml
from demo.kept import Kept
from demo.neighbour import wait_for
from demo.show import Show
from demo.soap import SOAP_11
from demo.world import World

INCIDENT = "INC-1"


class Hub(HttpServer):
    """In the hub's place: trouble tickets, callbacks and results in memory, in short."""

    def __init__(self):
        super().__init__()
        self.of_call = {one.call.key: one for one in placed()}
        self.tickets, self.waiting, self.closed = {}, {}, set()
        self.status = "New"
        self.result = "OK"
        self.numbers = itertools.count(1)
        self.wrong_kind = ""
        self.loses = False

    def handle(self, call):
        if call.path.startswith("/api/"):
            return self.ask(call.json())
        message = soap.opened(call.body).element
        noun, name, content = {
            "CreatedTroubleTickets": self.create,
            "GetCallbacks": self.pull,
            "CreatedCallBacksResults": self.record,
        }[soap.opened(call.body).name](message)
        head = soap.header("reply", noun, "Hub", "r")
        reply = soap.element(noun, name, {"Header": head, "Reply": {"Result": self.result}, **content})
        return Xml(200, soap.sealed(reply), {"Content-Type": soap.CONTENT_TYPES[SOAP_11]})

    def create(self, message):
        found = soap.all_at(message, "Payload/TroubleTickets/TroubleTicket")
        for one in found:
            name = soap.text_at(one, "name")
            self.tickets[name] = self.of_call[name.split("-")[1]]
        told = [{"mRID": f"TT-{next(self.numbers)}"} for _ in found]
        payload = {"Payload": {"TroubleTickets": {"TroubleTicket": told}}}
        return "TroubleTickets", "TroubleTicketsResponseMessage", payload

    def ask(self, asked):
        one = self.tickets.get(asked["Request"]["GetTroubleTickets"]["name"])
        if one is None:
            return Answer(200, {"Reply": {"Result": "FAILED"}})
        told = {"IncidentRecord": {"mRID": one.transformer or "alone", "status": {"value": self.status}}}
        if one.transformer == "T-NYC-01":
            told["IncidentRecord"]["mRID"] = INCIDENT
        kind = "" if one.kind == self.wrong_kind else one.kind
        at = {"xPosition": "1", "yPosition": "1"}
        if kind == CUSTOMER:
            told["UsagePoint"] = {"mRID": one.point}
        elif kind in (LANDBASE, LOCATION):
            told["Location"] = [{"PositionPoint": at, **({"type": "Pole"} if kind == LANDBASE else {})}]
        return Answer(200, {"Payload": {"TroubleTickets": {"TroubleTicket": [told]}}})

    def restore(self, incident, automatic):
        assert incident == INCIDENT
        self.status = "Field Completed"
        asking = [one for one in self.tickets.values() if one.transformer == "T-NYC-01" and one.asks]
        self.waiting = {f"CB-{one.point}": one for one in asking}
        assert {one.point for one in asking if one.automatic} == set(automatic)
        return {one.point for one in asking}

    def pull(self, message):
        wanted = int(soap.text_at(message, "Request/GetCallbacks/TroubleTickets/priority"))
        mine = [key for key, one in self.waiting.items() if one.priority == wanted and not one.to_ivr]
        told = [self.callback(key) for key in mine]
        content = {"Payload": {"CallBacks": {"CallBack": told}}} if told else {}
        return "CallBacks", "CallBacksResponseMessage", content

    def callback(self, key):
        return {
            "mRID": key,
            "Reason": "Restored",
            "IncidentRecord": {"mRID": INCIDENT},
            "TroubleTickets": {"UsagePoint": {"mRID": self.waiting.pop(key).point}},
        }

    def record(self, message):
        found = soap.all_at(message, "Payload/CallBacksResults/CallBackResult")
        told = [{"mRID": soap.text_at(one, "mRID"), "status": {"value": "UPDATED"}} for one in found]
        done = {soap.text_at(one, "mRID") for one in found if soap.text_at(one, "status/value") == "Restored"}
        self.closed |= done
        if len(self.closed) == 8:
            self.status = "Closed"
        payload = {"Payload": {"CallBacksResults": {"CallBackResult": told}}}
        return "CallBacksResults", "CallBacksResultsResponseMessage", payload

    def send(self, world):
        """What the flow does."""
        keys = [key for key, one in self.waiting.items() if one.to_ivr]
        head = soap.header("created", "CallBacks", "Hub", "m-1")
        payload = {"CallBacks": {"CallBack": [self.callback(key) for key in keys]}}
        message = soap.element("CallBacks", "CreatedCallBacks", {"Header": head, "Payload": payload})
        ivr = world.crm.ivr
        log_in = (ivr.username, ivr.password)
        requests.post(ivr.url + PATH, data=soap.sealed(message), auth=log_in, timeout=5)


@pytest.fixture
def hub():
    with Hub() as running:
        yield running


@pytest.fixture
def world(tmp_path, hub):
    kept = Kept(tmp_path / "kept.json")
    with World(tmp_path / "demo", hub_url=hub.url, kept=kept, population=1) as running:
        running.mail.received = list
        yield running


@pytest.fixture
def show():
    return Show(Console(file=io.StringIO(), width=200, highlight=False))


def day_of(world, hub, *, sends=True):
    begun = []

    def start(identifier):
        begun.append(identifier)
        assert identifier == SEND_CALLBACKS
        if sends:
            hub.send(world)
        return "instance 1"

    return trouble_calls(world.call_places, Operator(start, hub.restore))


def seen(world, hub, show, steps=5, **how):
    """Every effect once so many steps are begun, or four seconds are over."""
    day = Day(day_of(world, hub, **how), show)

    def has_come_about():
        day.look()
        return len(day._begun) >= steps and all(one.ok for one in day.look())

    wait_for(has_come_about, seconds=4)
    return {one.what: one for one in day.seen(lambda key: f"{key} waits")}


def test_a_day_that_goes_well_is_seen_whole_and_said_in_words(world, hub, show):
    played = play_day(day_of(world, hub), state=str, show=show, watch=lambda: None, patience=8)
    assert [one.reason for one in played if not one.ok] == []
    text = show.console.file.getvalue()
    assert f"The call centre sends {len(calls())} trouble calls in 4 messages … all at the hub, 12" in text
    assert "An operator restores that incident … 8 customers are to be called back" in text
    assert "An agent pulls callbacks and calls … 4 customers told" in text
    assert "The hub sends the other 4 callbacks to the IVR, which calls … one who did not answer" in text
    assert "A customer asks how the incident stands … closed with its last callback" in text
    assert (text.count("✓"), text.count("✗")) == (5, 0)


def test_an_ivr_that_is_broken_is_named(world, hub, show):
    world.crm.ivr.fail("500")
    found = seen(world, hub, show, steps=4)
    reason = found["Callbacks at the IVR, each once"].reason
    assert "expected 4, saw 0: the hub took it as instance instance 1; instance 1 waits" in reason
    assert f"ivr answered 500 to POST {PATH}" in reason
    assert "not begun" in found["Incidents closed with the last callback"].reason
    assert found["Callbacks that an agent was given and closed"].ok


def test_tickets_that_the_hub_refuses_are_missed(world, hub, show):
    hub.result = "FAILED"
    found = seen(world, hub, show, steps=1)
    assert "the hub answered 422: FAILED" in found["Trouble tickets that the hub has created"].reason
    assert "not begun" in found["Callbacks that the restoration made"].reason


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (CUSTOMER, "at a service delivery point"),
        (LANDBASE, "found on the landbase"),
        (LOCATION, "at their coordinates"),
    ],
)
def test_tickets_that_are_placed_otherwise_are_missed(world, hub, show, kind, what):
    hub.wrong_kind = kind
    found = seen(world, hub, show, steps=1)
    assert found[f"Asked for by name: {what}"].seen == 0


def test_callbacks_that_never_come_to_the_ivr_are_missed(world, hub, show):
    found = seen(world, hub, show, steps=4, sends=False)
    assert found["Callbacks at the IVR, each once"].seen == 0
    assert not found["Incidents closed with the last callback"].ok
