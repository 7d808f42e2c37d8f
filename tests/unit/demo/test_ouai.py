"""OUAI writes files as analytics does and tells what the hub delivered, by object storage alone (seed 003)."""

import csv
import hashlib
import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
import requests
from botocore.exceptions import BotoCoreError, ClientError

from demo.control import Control
from demo.namespaces import NamespaceServer
from demo.ouai import BUCKETS, ENROLMENTS, FEEDBACK, FORECASTS, KWH, NAMESPACE, OUTCOMES, Ouai
from demo.ouai_files import Layout, feedback, feedback_name, kwh_avoided, load_forecast

KWH_NAME, FORECAST_NAME = "ouai.kwh_avoided_20260701.csv", "ouai.load_forecast_20260701.csv"
FEEDBACK_NAME = feedback_name(date(2023, 2, 10))
IDS = [f"{30_000_000_000_001 + n}" for n in range(4)]
TEXT = 'The service point is unknown, or "not ours", at all'


@pytest.fixture
def ouai():
    with Ouai(NamespaceServer(NAMESPACE, BUCKETS, slow_seconds=0.3)) as running:
        yield running
        running.reset(files=True)  # moto keeps what it holds as long as the process


def got(ouai, bucket, name):
    """What the hub gets: the object, over HTTP."""
    return ouai.objects.client().get_object(Bucket=bucket, Key=name)["Body"].read()


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


# Seed 003, Configuration Properties: "ouai.os.namespace ouainamespace", and the five buckets.
def test_the_hub_sees_five_buckets_in_its_namespace(ouai):
    client = ouai.objects.client()
    assert all(client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0 for bucket in BUCKETS)
    named = {"OUAIEnrollFolder", "OUAIEnrollAckFolder", "OUAIOutcomeFolder", "OUAIKwhAvoidFolder"}
    assert (NAMESPACE, set(BUCKETS)) == ("ouainamespace", {*named, "Ouai_LRFolder"})


# Wire facts 3.6: "saved values sum to 33.00; 8 x 900 s = 2 h - both good integrity checks".
def test_saved_values_sum_up_and_intervals_fill_the_event(ouai):
    made = ouai.put_kwh(KWH_NAME, ["4011", "4012", "4013", "4014"], 5)
    content = got(ouai, KWH, KWH_NAME)
    found = rows(content)
    assert content.startswith(
        b"EventId,EventType,ProgramId,SPId,ActualStartTime,ActualEndTime,IntervalSize(Seconds),"
        b"TotalKwh,TotalKwhSavedForPeriod,KwhSaved1,KwhSaved2,"
    )
    assert (len(found), made.size, made.sha256) == (20, len(content), hashlib.sha256(content).hexdigest())
    for row in found:
        saved = [Decimal(value) for name, value in row.items() if name.startswith("KwhSaved") and value]
        start, end = (datetime.fromisoformat(row[f"Actual{which}Time"]) for which in ("Start", "End"))
        assert sum(saved) == Decimal(row["TotalKwhSavedForPeriod"]) < Decimal(row["TotalKwh"])
        assert len(saved) * int(row["IntervalSize(Seconds)"]) == (end - start).total_seconds()
    assert {row["EventType"] for row in found} == {"Economic", "Emergency"}


def test_there_are_as_many_columns_as_the_longest_record_has():
    found = rows(b"".join(kwh_avoided(["1", "2"], 1)))
    counts = [sum(bool(row[name]) for name in row if name.startswith("KwhSaved")) for row in found]
    assert counts == [4, 8]
    assert [name for name in found[0] if name.startswith("KwhSaved")][-1] == "KwhSaved8"


def test_a_forecast_has_a_line_for_each_service_point_and_day(ouai):
    ouai.put_forecast(FORECAST_NAME, 6, days=3, first_day=date(2026, 6, 30))
    found = rows(got(ouai, FORECASTS, FORECAST_NAME))
    assert len({(row["SPId"], row["ForecastDate"]) for row in found}) == len(found) == 18
    assert {row["ForecastDate"] for row in found} == {"2026-06-30", "2026-07-01", "2026-07-02"}
    assert float(found[0]["KwReduction24"]) > 0
    assert int(found[0]["IntervalSize(Seconds)"]) * 24 == timedelta(days=1).total_seconds()


def test_a_forecast_can_have_finer_intervals():
    (found,) = rows(b"".join(load_forecast(1, interval=900)))
    assert float(found["KwReduction96"]) > 0


# Seed 003, Enrollment Acknowledgement: "feedback.dacs.program_subscription.20230210".
def test_feedback_is_of_each_sync_request_with_why_it_was_refused(ouai):
    ouai.put_feedback(FEEDBACK_NAME, IDS, {IDS[2]: TEXT})
    found = rows(got(ouai, FEEDBACK, FEEDBACK_NAME))
    assert FEEDBACK_NAME == "feedback.dacs.program_subscription.20230210.csv"
    assert [row["syncRequestId"] for row in found] == IDS
    assert [row["status"] for row in found] == ["SUCCESS", "SUCCESS", "ERROR", "SUCCESS"]
    assert [row["errorMessage"] for row in found] == ["", "", TEXT, ""]
    assert datetime.fromisoformat(found[0]["processedDateTime"]).utcoffset() == timedelta()


LAYOUTS = [
    (Layout(), b"h\n1\n2\n"),
    (Layout(crlf=True), b"h\r\n1\r\n2\r\n"),
    (Layout(bom=True), b"\xef\xbb\xbfh\n1\n2\n"),
    (Layout(final_newline=False), b"h\n1\n2"),
    (Layout(blank_line=True), b"h\n1\n\n2\n"),
    (
        Layout(crlf=True, bom=True, final_newline=False, blank_line=True),
        b"\xef\xbb\xbfh\r\n1\r\n\r\n2",
    ),
]


@pytest.mark.parametrize(("layout", "wanted"), LAYOUTS)
@pytest.mark.parametrize("make", [feedback, lambda ids, **how: kwh_avoided(ids, 1, **how)])
def test_files_can_be_written_as_others_write_them(make, layout, wanted):
    content = b"".join(make(["1", "2"], layout=layout))
    bom, text = content[:3] == b"\xef\xbb\xbf", content.decode("utf-8-sig")
    shape = ["h", *((line and line.partition(",")[0]) for line in text.splitlines()[1:])]
    end = "\r\n" if "\r\n" in text else "\n"
    whole = end.join(shape) + (end if text.endswith("\n") else "")
    assert (b"\xef\xbb\xbf" if bom else b"") + whole.encode() == wanted
    assert len(rows(content)) == 2


def test_a_file_of_nothing_is_its_header():
    assert b"".join(feedback([])).count(b"\n") == 1


@pytest.mark.parametrize(
    "make", [lambda: kwh_avoided(["1"], 10_000_000), lambda: load_forecast(10_000_000, days=365)]
)
def test_a_file_of_many_is_made_piece_by_piece(make):
    chunks = make()
    assert next(chunks).count(b"\n") == 0
    assert next(chunks).count(b"\n") == 1000


def test_what_the_hub_delivers_is_told_by_name_size_and_digest(ouai):
    content = bytes(range(256)) * 500
    ouai.objects.client().put_object(Bucket=ENROLMENTS, Key="ENROLL_SYNC 1.csv", Body=content)
    (kept,) = ouai.taken(ENROLMENTS).values()
    assert (kept.name, kept.size) == ("ENROLL_SYNC 1.csv", len(content))
    assert kept.sha256 == hashlib.sha256(content).hexdigest()
    assert (ouai.taken(OUTCOMES), ouai.summary()[ENROLMENTS]) == ({}, {kept.name: kept.sha256})


def test_a_file_that_was_renamed_is_told_by_its_new_name(ouai):
    made = ouai.put_kwh(KWH_NAME, ["1"], 2)
    client = ouai.objects.client()
    client.copy_object(Bucket=KWH, Key=f"Sent-{KWH_NAME}", CopySource={"Bucket": KWH, "Key": KWH_NAME})
    client.delete_object(Bucket=KWH, Key=KWH_NAME)
    (kept,) = ouai.taken(KWH).values()
    assert (kept.name, kept.sha256) == (f"Sent-{KWH_NAME}", made.sha256)


def test_a_file_that_goes_while_it_is_looked_at_is_left_out(ouai, monkeypatch):
    ouai.put_kwh(KWH_NAME, ["1"], 1)
    shelf = ouai.shelf(KWH)
    gone = [SimpleNamespace(name="gone.csv"), *shelf.items()]
    monkeypatch.setattr(type(shelf), "items", lambda _: iter(gone))
    assert list(ouai.taken(KWH)) == [KWH_NAME]


def test_a_bucket_it_has_not_is_refused(ouai):
    with pytest.raises(ValueError, match="OUAIKwhAvoidFolder"):
        ouai.taken("elsewhere")


def test_what_it_puts_itself_is_neither_received_nor_failed(ouai):
    ouai.fail("500")
    ouai.put_feedback(FEEDBACK_NAME, IDS)
    assert ouai.received() == []
    with pytest.raises(ClientError, match="InternalError"):
        ouai.objects.client().put_object(Bucket=OUTCOMES, Key="o.csv", Body=b"1")


@pytest.mark.parametrize("mode", ["down", "401", "400", "500", "cut"])
def test_the_hub_s_requests_fail_as_they_are_told_to(ouai, mode):
    ouai.put_feedback(FEEDBACK_NAME, IDS)
    ouai.fail(mode)
    with pytest.raises((ClientError, BotoCoreError)):
        got(ouai, FEEDBACK, FEEDBACK_NAME)
    ouai.reset()
    assert got(ouai, FEEDBACK, FEEDBACK_NAME)
    assert [entry["key"] for entry in ouai.received()] == [FEEDBACK_NAME]


def test_slow_is_slow(ouai):
    ouai.put_feedback(FEEDBACK_NAME, IDS)
    ouai.fail("slow", 1)
    before = datetime.now()  # noqa: DTZ005  (a difference of two of them)
    got(ouai, FEEDBACK, FEEDBACK_NAME)
    assert (datetime.now() - before).total_seconds() >= 0.3  # noqa: DTZ005


def test_its_control_puts_files_and_says_what_there_is(ouai):
    with Control({"ouai": ouai}, {"ouai": ouai.actions}) as control:

        def tell(verb, **told):
            return requests.post(f"{control.url_of('ouai')}/{verb}", json=told, timeout=10)

        made = [
            tell("kwh", name=KWH_NAME, events=[4011, "4012"], points=3).json(),
            tell("forecast", name=FORECAST_NAME, points=2, days=2).json(),
            tell("feedback", name=FEEDBACK_NAME, syncRequestIds=IDS, errors={IDS[0]: "No"}).json(),
        ]
        summary = tell("summary").json()
        assert tell("kwh", name=KWH_NAME).status_code == 400
    assert [summary[bucket] for bucket in (KWH, FORECASTS, FEEDBACK)] == [
        {one["name"]: one["sha256"]} for one in made
    ]
    assert {row["EventId"] for row in rows(got(ouai, KWH, KWH_NAME))} == {"4011", "4012"}
