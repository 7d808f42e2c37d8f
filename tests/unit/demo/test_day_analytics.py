"""A day of the analytics: what counts as seen at OUAI, DACS and DERMS, and what does not (seed 003)."""

import csv
import io

import pytest
import requests
from rich.console import Console

from demo import day_analytics
from demo.configure import ANALYTICS_PACKAGE
from demo.day import Day, play_day
from demo.day_analytics import REFUSED, STOPS_AT, AnalyticsPlan, new_analytics_plan
from demo.day_analytics_effects import analytics
from demo.derms_messages import OUAI_OUTCOMES, SUCCESS
from demo.http import Answer
from demo.kept import Kept
from demo.neighbour import wait_for
from demo.ouai import ENROLMENTS, FEEDBACK, FORECASTS, KWH, OUTCOMES
from demo.show import Show
from demo.world import World
from demo.world_ouai_dacs import CHILD_FLOWS, EXTRACT_BUCKET, KWH_BUCKET
from integrations.engine.registry import coded
from integrations.engine.spec import Scheduled
from tests.unit.demo.test_day import Middle

FLOWS = {
    day_analytics.EXTRACTS_FROM_FTP,
    day_analytics.EXTRACTS_FROM_BUCKET,
    day_analytics.KWH_FLOW,
    day_analytics.FORECAST_FLOW,
    day_analytics.FEEDBACK_FLOW,
}


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
def hub(world, middle):
    return Passing(world, middle)


@pytest.fixture
def show():
    return Show(Console(file=io.StringIO(), width=200, highlight=False))


class Passing:
    """The middle, doing what each flow does, in short; and the mails the hub would send."""

    def __init__(self, world, middle):
        self.world, self.middle = world, middle
        self.places = world.analytics_places
        self.plan = AnalyticsPlan("20260701120000", self.places.dacs.enrol, devices=30, points=4)
        self.mails, self.started = [], []
        self.again = False  # whether the second run begins the file anew
        self.places.mail.received = lambda: list(self.mails)
        middle.does = {OUAI_OUTCOMES.identifier: self.outcomes, CHILD_FLOWS[1]: self.child}

    def script(self):
        return analytics(self.places, start=self.start, plan=self.plan)

    def start(self, identifier):
        self.started.append(identifier)
        instance = f"instance {len(self.started)}"
        plan, ouai = self.plan, self.world.ouai_dacs.ouai.objects
        if identifier == day_analytics.EXTRACTS_FROM_FTP:
            name, folder = plan.extract_file("FTP"), self.places.extracts.path
            write(ouai, ENROLMENTS, name, (folder / name).read_bytes())
            (folder / name).rename(folder / f"Sent-{name}")
            self.mail(instance, name)
        elif identifier == day_analytics.FEEDBACK_FLOW:
            self.feed_back(instance)
        else:
            self.mail(instance, self.move(identifier))
        return instance

    def move(self, identifier):
        """A file from a bucket to where it belongs; its name."""
        plan, dacs = self.plan, self.world.ccs_dacs.dacs_objects
        ouai = self.world.ouai_dacs.ouai.objects
        if identifier == day_analytics.EXTRACTS_FROM_BUCKET:
            name = plan.extract_file("OS")
            write(ouai, ENROLMENTS, name, read(dacs, EXTRACT_BUCKET, name))
            rename(dacs, EXTRACT_BUCKET, name, f"Sent-{name}")
        elif identifier == day_analytics.KWH_FLOW:
            name = plan.kwh_file
            write(dacs, KWH_BUCKET, name, read(ouai, KWH, name))
            rename(ouai, KWH, name, f"Sent-{name}")
        else:
            name = plan.forecast_file
            self.places.derms.forecasts.add_score(name, read(ouai, FORECASTS, name))
            rename(ouai, FORECASTS, name, f"Sent-{name}")
        return name

    def feed_back(self, instance):
        name, ouai = self.plan.feedback_file, self.world.ouai_dacs.ouai.objects
        stopped = name.replace(".csv", f"_ErrInRcd_{STOPS_AT}.csv")
        first = self.started.count(day_analytics.FEEDBACK_FLOW) == 1
        content = read(ouai, FEEDBACK, name if first else stopped).decode()
        for number, record in enumerate(csv.DictReader(io.StringIO(content)), 1):
            if not first and number < STOPS_AT and not self.again:
                continue
            if not self.tell(record):
                rename(ouai, FEEDBACK, name, stopped)
                self.mail(instance, name)
                self.mail(instance, "it failed", kind="error")
                return
        rename(ouai, FEEDBACK, name if first else stopped, f"Sent-{name}")
        self.mail(instance, name)

    def tell(self, record):
        """Whether DACS went on: 400 is passed over."""
        dacs, key = self.places.dacs, record["syncRequestId"]
        wrong = {
            "sequence": 1,
            "messageCategory": 11114,
            "messageNumber": 11001,
            "messageParameters": [
                {"parameterSequence": 1, "messageParameterValue": record["errorMessage"] or "-"}
            ],
            "comments": "",
        }
        told = {"syncRequestId": key, "hasError": record["status"] == "ERROR"}
        answer = requests.patch(
            f"{dacs.url}/rest/apis/common/sync/syncRequest/{key}",
            json={**told, "exceptionInfo": [wrong]} if told["hasError"] else told,
            auth=(dacs.username, dacs.password),
            timeout=5,
        )
        return answer.status_code in (200, 400)

    def outcomes(self, message, content):
        write(self.world.ouai_dacs.ouai.objects, OUTCOMES, message["fileName"], content)
        said = {"messageId": message["messageId"], "ackType": SUCCESS}
        self.places.derms.records.add("deviceOutcomeAck", said)
        self.mail(f"instance of {OUAI_OUTCOMES.identifier}", message["fileName"])

    def child(self, message, content):
        assert message["directory"] == day_analytics.KWH_DIRECTORY
        (self.places.kwh.path / message["fileName"]).write_bytes(content)

    def mail(self, instance, text, kind="process-complete"):
        headers = {"X-Busbar-Kind": kind, "X-Busbar-Instance": instance}
        self.mails.append({"headers": headers, "subject": text, "body": f"all of {text}"})


def read(objects, bucket, name):
    return objects.client().get_object(Bucket=bucket, Key=name)["Body"].read()


def write(objects, bucket, name, content):
    objects.client().put_object(Bucket=bucket, Key=name, Body=content)


def rename(objects, bucket, old, new):
    objects.client().copy_object(Bucket=bucket, Key=new, CopySource={"Bucket": bucket, "Key": old})
    objects.client().delete_object(Bucket=bucket, Key=old)


def play(hub, show, patience=5):
    return play_day(hub.script(), state=str, show=show, watch=lambda: None, patience=patience)


def seen(hub, show, times=30):
    """Every effect after so many looks."""
    day = Day(hub.script(), show)
    for _ in range(times):
        day.look()
    return {one.what: one for one in day.seen(str)}


def test_a_day_that_goes_well_is_seen_whole_and_said_in_words(hub, show):
    assert [one.reason for one in play(hub, show) if not one.ok] == []
    text = show.console.file.getvalue()
    assert "DACS cannot take record 7 … the file stops there as …_ErrInRcd_7" in text
    assert "DACS can again, the hub is told to go on … from record 7 to the end, each told once" in text
    assert (text.count("✓"), text.count("✗")) == (8, 0)


def test_a_day_starts_every_flow_of_the_package_that_is_scheduled(hub, show):
    play(hub, show)
    package = [spec for spec in coded() if spec.package.name == ANALYTICS_PACKAGE]
    assert {spec.identifier for spec in package if isinstance(spec.trigger, Scheduled)} == FLOWS
    assert set(hub.started) == FLOWS
    assert hub.started.count(day_analytics.FEEDBACK_FLOW) == 2
    assert {one for one, _ in hub.middle.asked} == {OUAI_OUTCOMES.identifier, day_analytics.FTP_TRANSFER}


# Seed 003, Enrollment Acknowledgement: "_ErrInRcd_N … the next run starts that file at record N".
def test_the_run_that_goes_on_waits_for_the_one_that_stopped(hub, show):
    hub.feed_back = lambda instance: None
    found = seen(hub, show)
    assert hub.started.count(day_analytics.FEEDBACK_FLOW) == 1
    assert found["Feedback files at OUAI renamed to …_ErrInRcd_7"].seen == 0
    reason = found["Enrolments told to DACS, each once"].reason
    assert "not begun, as this has not come about: OUAI says what became of 12 enrolments" in reason


def test_records_that_are_told_twice_are_seen(hub, show):
    hub.again = True
    found = seen(hub, show)
    assert found["Enrolments told to DACS, each once"].seen == hub.plan.enrolments + STOPS_AT - 1
    assert found["Enrolments synchronised at DACS"].ok


def test_a_file_that_does_not_stop_is_seen(hub, show):
    hub.tell, tell = lambda record: tell(record) or tell(record), hub.tell
    found = seen(hub, show)
    assert found["Feedback files at OUAI renamed to …_ErrInRcd_7"].seen == 0
    assert found["Error mails of the run that stopped"].seen == 0


def test_refusals_without_their_reason_are_seen(hub, show):
    hub.tell, tell = lambda record: tell({**record, "errorMessage": ""}), hub.tell
    found = seen(hub, show)["Enrolments in error at DACS, with the reason"]
    assert (found.expected, found.seen) == (len(REFUSED), 0)


def test_the_error_mail_of_another_run_counts_as_an_error(hub, show):
    hub.mail(f"instance of {OUAI_OUTCOMES.identifier}", "the outcomes failed", kind="error")
    found = seen(hub, show)
    assert found["Error mails"].reason == "Error mails: expected 0, saw 1: the outcomes failed"
    assert found["Error mails of the run that stopped"].ok


@pytest.mark.parametrize(
    "what", ["Load forecasts at DERMS, byte for byte", "kWh avoided at DACS, byte for byte"]
)
def test_a_file_that_is_cut_short_is_seen(hub, show, monkeypatch, what):
    whole = read
    monkeypatch.setattr("tests.unit.demo.test_day_analytics.read", lambda *of: whole(*of)[:-1])
    assert seen(hub, show)[what].seen == 0


def test_an_outcome_file_without_its_acknowledgement_is_seen(hub, show):
    def keep_still(message, content):
        write(hub.world.ouai_dacs.ouai.objects, OUTCOMES, message["fileName"], content)

    hub.middle.does[OUAI_OUTCOMES.identifier] = keep_still
    found = seen(hub, show)
    assert found["Outcome files at OUAI, byte for byte"].ok
    assert found["Outcome files of OUAI acknowledged to DERMS"].seen == 0


def test_a_hub_that_refuses_is_named(hub, show):
    hub.middle.does[CHILD_FLOWS[1]] = lambda *_: Answer(502, {"detail": "DACS's disk is full"})
    reason = seen(hub, show)["kWh avoided at DACS, by URL, byte for byte"].reason
    assert reason.endswith("the hub answered 502: DACS's disk is full")


def test_no_two_days_have_a_name_in_common(hub):
    first = new_analytics_plan(hub.places)
    assert wait_for(lambda: new_analytics_plan(hub.places).mark != first.mark, seconds=3)
    second = new_analytics_plan(hub.places)
    for of in ("outcome_message", "outcome_file", "kwh_file", "url_file", "forecast_file", "feedback_file"):
        assert getattr(first, of) != getattr(second, of)
    assert first.extract_file("OS") != second.extract_file("OS")
    assert not {*first.sync_requests} & {*second.sync_requests}
