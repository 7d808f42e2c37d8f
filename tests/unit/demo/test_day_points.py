"""A day of the service points: what counts as seen at WAM and CC&B, and what does not (seed 000)."""

import io

import pytest
import requests
from rich.console import Console

from demo.ccb import SERVICE_POINT_SYNC
from demo.day import Day, play_day
from demo.day_points import NOT_AT_WAM, RIGHT_TYPE, WRONG_TYPE, service_points
from demo.http import Answer
from demo.kept import Kept
from demo.neighbour import wait_for
from demo.show import Show
from demo.wam import ACKNOWLEDGEMENT
from demo.world import World
from tests.unit.demo.test_day import Middle

TYPES = {"E-RES": "ELEC-RES", "G-RES": "GAS-RES", "W-RES": "WATER-RES", WRONG_TYPE: NOT_AT_WAM}


@pytest.fixture
def middle():
    with Middle() as running:
        yield running


@pytest.fixture
def places(tmp_path, middle):
    kept = Kept(tmp_path / "kept.json")
    with World(tmp_path / "demo", hub_url=middle.url, kept=kept, population=1) as running:
        yield running.points_places


@pytest.fixture
def hub(places, middle):
    return Passing(places, middle)


@pytest.fixture
def show():
    return Show(Console(file=io.StringIO(), width=200, highlight=False))


class Passing:
    """The middle, doing what both flows do, in short."""

    def __init__(self, places, middle):
        self.places, self.middle = places, middle
        self.answers = {}
        self.awaited = {}
        self.mails = []
        self.places.mail.received = lambda: list(self.mails)
        middle.does = {SERVICE_POINT_SYNC.identifier: self.send, ACKNOWLEDGEMENT.identifier: self.acknowledge}

    def send(self, message, _):
        key = message["syncRequestId"]
        self.awaited[key] = {point["spId"]: None for point in message["servicePoints"]}
        for point in message["servicePoints"]:
            location = {
                "externalId": point["spId"],
                "locationType": TYPES[point["spType"]],
                "parentExternalId": message["premiseId"],
                "address": message["address"],
                "status": point["status"],
                "syncRequestId": key,
            }
            self.call(self.places.wam, "POST", "asset/assetLocation", location)

    def acknowledge(self, message, _):
        key = message["syncRequestId"]
        parts = self.awaited[key]
        parts[message["externalId"]] = message
        if not all(parts.values()):
            return
        wrong = [one["errors"][0]["messageText"] for one in parts.values() if "errors" in one]
        self.tell(key, wrong, [one.get("assetLocationId", "") for one in parts.values()])

    def tell(self, key, wrong, locations):
        said = {
            "sequence": 1,
            "messageCategory": 11114,
            "messageNumber": 11001,
            "messageParameters": [{"parameterSequence": 1, "messageParameterValue": "".join(wrong)}],
            "comments": "",
        }
        named = [{"entity": "ASSETLOCATION", "externalPk1": one} for one in locations]
        told = {"exceptionInfo": [said]} if wrong else {"externalIds": named}
        body = {"syncRequestId": key, "hasError": bool(wrong), **told}
        self.call(self.places.ccb, "PATCH", f"common/sync/syncRequest/{key}", body)

    def call(self, neighbour, method, path, body):
        answer = requests.request(
            method,
            f"{neighbour.url}/rest/apis/{path}",
            json=body,
            auth=(neighbour.username, neighbour.password),
            timeout=5,
        )
        assert answer.ok, answer.text


def seen(hub, show, acknowledged=4):
    """Every effect once CC&B has sent two premises and WAM so many acknowledgements."""
    day = Day(service_points(hub.places), show)

    def has_come_about():
        day.look()
        sent = [flow for flow, _ in hub.middle.asked if flow == SERVICE_POINT_SYNC.identifier]
        return len(sent) > 1 and len(hub.places.wam.outbox.answers()) >= acknowledged

    assert wait_for(has_come_about, seconds=10)
    return {one.what: one for one in day.seen(str)}


def test_a_day_that_goes_well_is_seen_whole_and_said_in_words(hub, show):
    played = play_day(service_points(hub.places), state=str, show=show, watch=lambda: None, patience=5)
    assert [one.reason for one in played if not one.ok] == []
    text = show.console.file.getvalue()
    assert "CC&B sends a premise with 3 service points … WAM has acknowledged their asset locations" in text
    assert "A person puts it right at CC&B and sends it again … at WAM, CC&B is synchronised" in text
    assert (text.count("✓"), text.count("✗")) == (3, 0)


# Seed 000: "so that the user/system can possibly fix the issue and retry to send the message".
def test_what_is_put_right_comes_under_the_same_sync_request(hub, show):
    play_day(service_points(hub.places), state=str, show=show, watch=lambda: None, patience=5)
    sent = [one for flow, one in hub.middle.asked if flow == SERVICE_POINT_SYNC.identifier]
    types = {}
    for one in sent:
        types.setdefault(one["syncRequestId"], []).append([point["spType"] for point in one["servicePoints"]])
    assert list(types.values()) == [[["E-RES", "G-RES", "W-RES"]], [[WRONG_TYPE], [RIGHT_TYPE]]]


def test_a_corrected_message_that_comes_before_the_refusal_is_settled_is_sent_again(hub, show):
    refused = []

    def busy(message, content):
        if message["servicePoints"][0]["spType"] == RIGHT_TYPE and len(refused) < 2:
            refused.append(message)
            return Answer(409, {"detail": "Another content under the same id"})
        return hub.send(message, content)

    hub.middle.does[SERVICE_POINT_SYNC.identifier] = busy
    played = play_day(service_points(hub.places), state=str, show=show, watch=lambda: None, patience=5)
    assert [one.reason for one in played if not one.ok] == []
    assert len(refused) == 2


def test_without_the_refusal_nothing_is_put_right(hub, show):
    hub.middle.does.pop(ACKNOWLEDGEMENT.identifier)
    found = seen(hub, show)
    assert found["Asset locations at WAM"].ok
    reason = found["Premises synchronised at CC&B, with their asset locations"].reason
    assert "saw 0: the sync request" in reason
    assert "is awaiting acknowledgement" in reason
    assert "not begun" in found["Corrected premises synchronised at CC&B"].reason


def test_a_refusal_without_its_reason_is_seen(hub, show):
    hub.tell, tell = lambda key, wrong, named: tell(key, ["no" for _ in wrong], named), hub.tell
    found = seen(hub, show)
    assert found["Service points that WAM refused later"].ok
    assert found["Premises put into error at CC&B, with the reason"].seen == 0


def test_other_asset_locations_than_wam_s_are_seen(hub, show):
    hub.tell, tell = lambda key, wrong, named: tell(key, wrong, ["1", *named[1:]]), hub.tell
    found = seen(hub, show)
    assert found["Asset locations at WAM"].ok
    assert found["Premises synchronised at CC&B, with their asset locations"].seen == 0


def test_error_mails_of_wam_s_acknowledgements_count(hub, show):
    headers = {
        "X-Busbar-Kind": "error",
        "X-Busbar-Instance": f"instance of {ACKNOWLEDGEMENT.identifier}",
    }
    hub.mails.append({"headers": headers, "subject": "CC&B is down", "body": ""})
    found = seen(hub, show)
    assert found["Error mails"].reason == "Error mails: expected 0, saw 1: CC&B is down"


def test_a_wam_that_is_broken_is_named(hub, show):
    hub.places.wam.fail("500")
    hub.middle.does[SERVICE_POINT_SYNC.identifier] = lambda *_: Answer(502, {"detail": "WAM is broken"})
    found = seen(hub, show, acknowledged=0)
    assert found["Asset locations at WAM"].reason.endswith("the hub answered 502: WAM is broken")
    assert found["Messages the hub took, and runs it began"].seen == 0
