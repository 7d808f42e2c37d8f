"""A day of the customer programs: what is begun when, what counts as seen, and what is said (seed 002)."""

import io
import json
from email import message_from_bytes
from email.policy import HTTP

import pytest
import requests
from rich.console import Console

from demo.acknowledgements import Answered
from demo.cpmcs_messages import FLOWS
from demo.day import Day, play_day
from demo.day_acts import SCORES_FROM_BUCKET, SCORES_FROM_FTP, Plan, new_plan
from demo.day_effects import OUTCOME_CODES
from demo.day_steps import programs
from demo.day_story import is_yes, said
from demo.derms_files import reservation
from demo.derms_messages import END, ENROLMENT_ACK, START, STATUS_ACK, SUCCESS, SYNC_ACK, msg_ack
from demo.http import Answer, HttpServer
from demo.kept import Kept
from demo.neighbour import wait_for
from demo.show import Show
from demo.world import World
from demo.world_cpmcs_derms import CPMCS_FLOWS, DERMS_FLOWS, SCORE_BUCKET

DEVICES = 30
ENROLMENT_REQUEST, STAGE = "OUTL-BA-DRMS_DACS_ENROLLRQ", "OUTL-BA-DRMS_DACS_STAGE_STAT_UPD"
RESERVATION, OUTCOMES = "OUTL_BA_DRMS_DACS_EVT_DVCRESV", "OUTL-BA-DRMS_DACS_EVT_OUTC_TRNFR"
NETWORK, PROGRAM = "OUTL-BA-DERMS_DACS_SPNWLOC_TRNFR", "OUTL-BA-DACS_DERMS_PROGRULE_SYNC"


class Middle(HttpServer):
    """In the hub's place: it takes everything, and does what `does` says for a flow, with the message and file."""

    def __init__(self):
        super().__init__()
        self.asked = []
        self.does = {}

    def handle(self, call):
        identifier = call.path.split("/")[7]
        message, content = _parts(call)
        self.asked.append((identifier, message))
        answer = self.does.get(identifier, lambda *_: None)(message, content)
        return answer or Answer(200, {}, {"X-Busbar-Instance": f"instance of {identifier}"})


def _parts(call):
    kind = call.headers["content-type"]
    if kind.startswith("application/json"):
        return call.json(), b""
    parts = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + call.body, policy=HTTP).iter_parts()
    named = {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in parts
    }
    return json.loads(named["request"]), named["file"]


@pytest.fixture
def middle():
    with Middle() as running:
        yield running


@pytest.fixture
def world(tmp_path, middle):
    with World(
        tmp_path / "demo", hub_url=middle.url, kept=Kept(tmp_path / "kept.json"), population=1
    ) as running:
        yield running


@pytest.fixture
def places(world):
    return world.day_places


@pytest.fixture
def plan(places):
    return Plan("20260701120000", places.cpmcs.sync_request, devices=DEVICES, points=20, scores=10)


@pytest.fixture
def show():
    return Show(Console(file=io.StringIO(), width=200, highlight=False))


@pytest.fixture
def day(places, plan, show):
    return Day(programs(places, start=lambda identifier: f"instance of {identifier}", plan=plan), show)


@pytest.fixture
def hub(world, middle, plan):
    """The middle, doing what the hub does; and the mails it would send."""
    return Passing(world, middle, plan)


class Passing:
    """Each flow's effect at the neighbours, in short."""

    def __init__(self, world, middle, plan):
        self.plan, self.middle = plan, middle
        self.places = world.day_places
        self.objects = world.cpmcs_derms.objects
        self.cpmcs, self.derms = self.places.cpmcs.records, self.places.derms.records
        self.mails = []
        self.places.mail.received = lambda: list(self.mails)
        middle.does = {
            ENROLMENT_REQUEST: self.enrol,
            FLOWS["X1-NMSDASMSG"]: self.enrolment,
            FLOWS["X1-CTRLDVCS"]: self.check,
            PROGRAM: self.program,
            FLOWS["X1-GEDAGRMSG"]: self.aggregator,
            FLOWS["X1-EPOPTOMSG"]: self.opt_out,
            FLOWS["X1-CUSTUNAVL"]: self.away,
            STAGE: self.stage,
            RESERVATION: self.reserve,
            OUTCOMES: self.outcomes,
            NETWORK: self.network,
        }

    def enrol(self, message, _):
        made = [self.cpmcs.enrol({"transactionId": one["messageId"]}).id for one in message["params"]]
        told = [{"id": key, "responseCode": SUCCESS, "dacsMessageId": key} for key in made]
        return Answer(200, {"responses": {"response": told}, "ackType": SUCCESS})

    def enrolment(self, message, _):
        sent = message["sendDetails"]
        self.derms.add("enroll", {"dacsMessageId": sent["syncRequestId"]})
        listed = sent["locationInfo"]["controllableDevices"]
        statuses = [{"deviceId": one["deviceId"], "headEndRegistration": "D1RE"} for one in listed]
        self.cpmcs.acknowledge(
            {"syncRequestId": sent["syncRequestId"], "hasError": False, "deviceHeadendStatus": statuses}
        )

    def check(self, message, _):
        self.cpmcs.set_status(message["sendDetails"]["communicationId"], SUCCESS)

    def program(self, message, _):
        key = message["sendDetails"]["syncRequestId"]
        rules = [{"weekDays": ["MONDAY", "TUESDAY", "FRIDAY"]}]
        self.derms.add("updateProgram", {"dacsMessageId": key, "rules": rules})
        self.places.cpmcs.sync_requests.acknowledge(key, None)

    def aggregator(self, message, _):
        key = message["sendDetails"]["syncRequestId"]
        self.derms.add("updateAggregator", {"dacsMessageId": key})
        self.places.cpmcs.sync_requests.acknowledge(key, None)

    def stage(self, message, _):
        event = {"eventExternalIdentifier": message["eventId"]}
        if message["stageStatus"] == "SCHEDULED":
            self.cpmcs.create_event({**event, "externalIdentifier": message["stageId"]})
        else:
            action = {"IN_PROGRESS": "X1IP", "COMPLETED": "F1CO"}[message["stageStatus"]]
            self.cpmcs.act({**event, "action": action})
        return Answer(200, msg_ack(message["messageId"]))

    def reserve(self, message, content):
        rows = [line.split(",") for line in content.decode().splitlines()[1:]]
        self.cpmcs.reserve(
            {
                "eventExternalIdentifier": message["eventId"],
                "eventStartDateTime": START,
                "eventEndDateTime": END,
                "deviceList": [{"headEndSystem": row[2], "nicId": row[1]} for row in rows],
            }
        )
        self._acknowledge("deviceReservationAck", message)
        self._mail(RESERVATION, message["eventId"])

    def outcomes(self, message, content):
        rows = [line.split(",") for line in content.decode().splitlines()[1:]]
        self.cpmcs.set_outcomes(
            [
                {
                    "eventExternalIdentifier": row[1],
                    "nicId": row[2],
                    "headEndSystem": row[3],
                    "outcome": OUTCOME_CODES[row[4]],
                }
                for row in rows
            ]
        )
        self._acknowledge("deviceOutcomeAck", message)
        self._mail(OUTCOMES, message["fileName"])

    def opt_out(self, message, _):
        sent = message["sendDetails"]
        told = {"optOutType": "EVENT", "eventId": sent["eventExternalIdentifier"], "optOut": True}
        self._away(sent, told)

    def away(self, message, _):
        sent = message["sendDetails"]
        if sent["action"] == "ADD":
            self._away(sent, {"optOutType": "UNAVAILABLE", "startDateTimeISO": START, "endDateTimeISO": END})

    def network(self, message, content):
        (self.places.networks.path / message["fileName"]).write_bytes(content)
        self._mail(NETWORK, message["fileName"])

    def start(self, identifier):
        """The device score flows, which are begun by hand."""
        place, shelf = {
            SCORES_FROM_FTP: ("FTP", self.places.scores),
            SCORES_FROM_BUCKET: ("OS", self.places.score_bucket),
        }[identifier]
        name = self.plan.score_file(place)
        with shelf.open(name) as content:
            whole = content.read()
        self.derms.add_score(name, whole)
        if place == "FTP":
            (shelf.path / name).rename(shelf.path / f"Sent-{name}")
        else:
            self._rename(name)
        self._mail(identifier, name)
        return f"instance of {identifier}"

    def _rename(self, name):
        client = self.objects.client()
        client.copy_object(
            Bucket=SCORE_BUCKET, Key=f"Sent-{name}", CopySource={"Bucket": SCORE_BUCKET, "Key": name}
        )
        client.delete_object(Bucket=SCORE_BUCKET, Key=name)
        client.close()

    def _away(self, sent, told):
        about = {name: sent["deviceInfo"][name] for name in ("nicId", "headEndSystem")}
        self.derms.add("dacsOptOut", {"dacsMessageId": sent["communicationId"], "device": about, **told})

    def _acknowledge(self, operation, message):
        self.derms.add(operation, {"messageId": message["messageId"], "ackType": SUCCESS})

    def _mail(self, identifier, name):
        headers = {"X-Busbar-Kind": "process-complete", "X-Busbar-Instance": f"instance of {identifier}"}
        self.mails.append({"headers": headers, "subject": "", "body": f"all of {name}"})


def look(day, times=40):
    """So many looks; the effects then."""
    for _ in range(times):
        day.look()
    return {one.what: one for one in day.seen(lambda instance: f"{instance} waits: no disk")}


def play(hub, show, start=None, patience=5):
    script = programs(hub.places, start=start or hub.start, plan=hub.plan)
    return play_day(script, state=str, show=show, watch=lambda: None, patience=patience)


def test_a_day_that_goes_well_is_seen_whole_and_said_in_words(hub, show):
    seen = play(hub, show)
    assert [one.reason for one in seen if not one.ok] == []
    text = show.console.file.getvalue()
    assert "✓ DERMS enrols 3 customers … 3 pending at CPMCS" in text
    assert f"✓ DERMS says how {DEVICES} devices took part … every outcome is at CPMCS" in text
    assert (text.count("✓"), text.count("✗")) == (16, 0)


def test_a_day_starts_every_flow_but_those_that_others_start(hub, show):
    started = []
    play(hub, show, start=lambda identifier: started.append(identifier) or hub.start(identifier))
    by_itself = {ENROLMENT_ACK.identifier, STATUS_ACK.identifier, SYNC_ACK.identifier}
    assert {one for one, _ in hub.middle.asked} == {*CPMCS_FLOWS, *DERMS_FLOWS} - by_itself
    assert started == [SCORES_FROM_FTP, SCORES_FROM_BUCKET]


def test_no_step_is_begun_before_those_it_needs_are_seen(hub, show, day, middle):
    done = middle.does.pop(RESERVATION)
    look(day)
    asked = [one for one, _ in middle.asked]
    assert RESERVATION in asked
    assert OUTCOMES not in asked
    assert [one["stageStatus"] for flow, one in middle.asked if flow == STAGE] == ["SCHEDULED", "IN_PROGRESS"]
    content = b"".join(reservation(DEVICES))
    done({"eventId": hub.plan.event, "messageId": hub.plan.id("reserve")}, content)
    look(day)
    assert [one["stageStatus"] for flow, one in middle.asked if flow == STAGE][-1] == "COMPLETED"
    assert middle.asked[-1][0] == OUTCOMES


def test_no_step_waits_for_one_it_does_not_need(hub, day, middle):
    middle.does[ENROLMENT_REQUEST] = lambda *_: Answer(502, {"detail": "CPMCS is down"})
    look(day)
    asked = {one for one, _ in middle.asked}
    assert {RESERVATION, OUTCOMES, NETWORK, PROGRAM} < asked
    assert FLOWS["X1-NMSDASMSG"] not in asked


def test_a_hub_that_takes_everything_and_does_nothing_is_found_out(day, show):
    seen = look(day)
    assert seen["Messages the hub took, and runs it began"].seen < 16
    reason = seen["Reservations acknowledged to DERMS"].reason
    assert "not begun, as this has not come about: DERMS schedules a stage of an event" in reason
    reason = seen["Program events at CPMCS"].reason
    assert reason.endswith(
        f"the hub took it as instance instance of {STAGE}; instance of {STAGE} waits: no disk"
    )
    assert "✓" not in show.console.file.getvalue()


def test_a_hub_that_is_not_there_is_named(middle, day, show):
    middle.stop()
    seen = look(day)
    assert "the hub answered nothing: ConnectionError" in seen["Program events at CPMCS"].reason
    assert "✗ DERMS schedules a stage of an event: the hub answered nothing" in show.console.file.getvalue()


def test_a_refusal_is_said_in_the_hub_s_words(hub, day, middle, show):
    middle.does[PROGRAM] = lambda *_: Answer(502, {"title": "Bad", "detail": "DERMS is down"})
    reason = look(day)["Programs with rules at DERMS, acknowledged to CPMCS"].reason
    assert reason.endswith("expected 1, saw 0: the hub answered 502: DERMS is down")
    assert "✗ CPMCS tells DERMS of a program's rules: the hub answered 502: DERMS is down" in (
        show.console.file.getvalue()
    )


def test_an_effect_without_the_hub_s_yes_is_not_done(hub, day, middle):
    create = middle.does[STAGE]

    def refuse(message, content):
        create(message, content)
        return Answer(200, msg_ack(message["messageId"], ack_type="FAILURE", value="too late"))

    middle.does[STAGE] = refuse
    look(day)
    assert [one["stageStatus"] for flow, one in middle.asked if flow == STAGE] == ["SCHEDULED"]


def test_what_a_neighbour_refused_is_named_with_what_did_not_come_about(hub, day, middle):
    middle.does.pop(NETWORK)
    hub.places.derms.fail("500")
    requests.post(f"{hub.places.derms.url}/nms-drms/rest/v1/enroll", json={}, timeout=5)
    reason = look(day)["Network location files at CPMCS, byte for byte"].reason
    assert reason.endswith("derms answered 500 to POST /nms-drms/rest/v1/enroll")


def test_waiting_ends_when_nothing_new_comes(hub, middle, show):
    middle.does.pop(NETWORK)
    seen = play(hub, show, patience=0.5)
    assert [one.what for one in seen if not one.ok] == [
        "Network location files at CPMCS, byte for byte",
        "Process-complete mails naming their event or file",
    ]


def test_a_device_that_is_reserved_twice_is_seen(hub, day, middle):
    done = middle.does[RESERVATION]

    def twice(message, content):
        done(message, content)
        done(message, content)

    middle.does[RESERVATION] = twice
    seen = look(day)
    assert seen["Devices reserved at CPMCS"].seen == 2 * DEVICES
    assert seen["Reservations acknowledged to DERMS"].seen == 2


def test_an_outcome_in_another_code_is_seen(hub, day, middle):
    done = hub.outcomes
    middle.does[OUTCOMES] = lambda message, content: done(message, content.replace(b"OVERRIDE", b"ERROR"))
    assert look(day)["Outcomes at CPMCS, device by device"].seen == DEVICES - DEVICES // 10


def test_an_unavailability_that_is_changed_must_not_reach_derms(hub, day, middle):
    plan, away = hub.plan, hub.away

    def all_of_them(message, content):
        away({"sendDetails": {**message["sendDetails"], "action": "ADD"}}, content)

    middle.does[FLOWS["X1-CUSTUNAVL"]] = all_of_them
    assert look(day)["Changed unavailabilities at DERMS"].reason.startswith(
        "Changed unavailabilities at DERMS: expected 0, saw 1"
    )
    assert len(plan.id("away-UPDATE")) <= 30  # what CPMCS has room for


def test_error_mails_of_the_day_count_and_those_of_other_days_do_not(hub, day):
    for instance in (f"instance of {NETWORK}", "of another day"):
        headers = {"X-Busbar-Kind": "error", "X-Busbar-Instance": instance}
        hub.mails.append({"headers": headers, "subject": "It failed", "body": ""})
    assert look(day)["Error mails"].reason == "Error mails: expected 0, saw 1: It failed"


def test_a_score_file_that_keeps_its_name_is_seen(hub, day):
    seen = look(day)  # the day's own `start` does nothing
    assert seen["Device scores at CPMCS (FTP) renamed to Sent-…"].seen == 0
    assert seen["Device scores at DERMS, byte for byte (OS)"].seen == 0


def test_no_two_days_have_an_id_in_common(places):
    first = new_plan(places)
    assert wait_for(lambda: new_plan(places).mark != first.mark, seconds=3)
    second = new_plan(places)
    for of in ("event", "reserve", "check"):
        assert first.id(of) != second.id(of)
    for one in ("enrolment", "program", "aggregator"):
        assert getattr(first, one) != getattr(second, one)
        assert len(getattr(first, one)) == 14  # what CPMCS has room for
    assert first.score_file("FTP") != second.score_file("FTP")


@pytest.mark.parametrize(
    ("answer", "yes"),
    [
        (Answered(200, "{}"), True),
        (Answered(202, ""), True),
        (Answered(200, '{"ackType": "SUCCESS"}'), True),
        (Answered(200, '{"ackType": "FAILURE"}'), False),
        (Answered(409, "{}"), False),
        (Answered(None, "ConnectionError"), False),
        (Answered(200, "<html>"), True),
        (None, False),
    ],
)
def test_what_is_a_yes(answer, yes):
    assert is_yes(answer) is yes


def test_a_negative_acknowledgement_is_said_by_its_reasons():
    told = {"responses": {"response": [{"value": "no program"}, {"value": "no program"}]}, "ackType": "ERROR"}
    assert said(Answered(200, json.dumps(told))) == "the hub answered 200: no program"
