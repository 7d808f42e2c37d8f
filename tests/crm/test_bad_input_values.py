"""Values at and beyond the edges: dates, coordinates, numbers, texts; over SOAP and REST, on any time zone."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from crm.models import Callback, ReceivedMessage, TroubleTicket
from tests.crm.answers import tickets
from tests.crm.conftest import Crm, Said, header, ticket
from tests.crm.rows import a_callback, again, held
from tests.crm.wording import TRANSPORTS, over

POINT = {"xPosition": "-73.9", "yPosition": "40.6"}


@pytest.fixture(params=TRANSPORTS)
def crm(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Crm:
    """A client over REST, and one over SOAP whose replies are validated."""
    return over(make_crm(), request.param)


def refused(said: Said, why: str = "") -> None:
    """InvalidMessage, and nothing written but that."""
    assert (said.result, said.reasons) == ("FAILED", ["InvalidMessage"]), said.document
    assert why in said.errors[0]["details"]
    assert not TroubleTicket.objects.exists()
    assert ReceivedMessage.objects.get().result == "FAILED"


# -- dates -----------------------------------------------------------------------------------------------

TAKEN = {
    "0001-01-01T00:00:00Z": datetime(1, 1, 1, tzinfo=UTC),
    "0001-01-01T00:00:00-14:00": datetime(1, 1, 1, 14, tzinfo=UTC),
    "0001-01-02T00:00:00": datetime(1, 1, 2, tzinfo=UTC),
    "1582-10-10T12:00:00Z": datetime(1582, 10, 10, 12, tzinfo=UTC),
    "1883-11-18T12:03:58-05:00": datetime(1883, 11, 18, 17, 3, 58, tzinfo=UTC),
    "9999-12-31T23:59:59Z": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    "9999-12-31T23:59:59.999999+14:00": datetime(9999, 12, 31, 9, 59, 59, 999999, tzinfo=UTC),
    "2024-02-29T00:00:00Z": datetime(2024, 2, 29, tzinfo=UTC),
    "2026-01-15T24:00:00Z": datetime(2026, 1, 16, tzinfo=UTC),
    "2026-01-15T24:00:00.000+01:00": datetime(2026, 1, 15, 23, tzinfo=UTC),
    "2026-01-15T12:00:00.1234567890123456789Z": datetime(2026, 1, 15, 12, 0, 0, 123456, tzinfo=UTC),
    "  2026-01-15T12:00:00Z\n": datetime(2026, 1, 15, 12, tzinfo=UTC),
    "2026-01-15T12:00:00+05:45": datetime(2026, 1, 15, 6, 15, tzinfo=UTC),
}
BEYOND = [  # dates to the schema, but none that a clock here can hold
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T24:00:00Z",
    "10000-01-01T00:00:00Z",
    "-0001-01-01T00:00:00Z",
    "2026-01-15T12:00:00." + "1" * 1000 + "Z",
]
NONE = [  # none to the schema
    "",
    "0000-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2025-02-29T00:00:00Z",
    "2016-12-31T23:59:60Z",
    "2026-01-15T24:00:01Z",
    "2026-01-15T12:00:00+14:01",
    "2026-01-15T12:00Z",
    "2026-01-15",
    "20260115T120000Z",
    "15.01.2026 12:00",
    "2026-01-15 12:00:00",
    "1768478400",
    "now",
    "2026-01-15T12:00:00Z; DROP TABLE x",
    "\uff12\uff10\uff12\uff16-01-15T12:00:00Z",
]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati", "Asia/Kolkata"])
def test_dates_of_all_years_are_kept_and_come_back(crm: Crm, settings, zone):
    """In every time zone, those before there were any among them; the reply is valid (crm checks it)."""
    for text, moment in TAKEN.items():
        if not text.strip().endswith("Z") and "+" not in text[10:] and "-" not in text[10:]:
            continue  # in the hub's own time zone: below
        TroubleTicket.objects.all().delete()
        settings.TIME_ZONE = zone
        said = crm.create({"name": "EXT-1", "firstCallDateTime": text, "createdDateTime": text})
        assert set(said.reasons) <= {"InvalidCreatedDateTime"}, text
        row = TroubleTicket.objects.get()
        assert row.received_at == moment
        (found,) = crm.get(name="EXT-1").tickets
        read = datetime.fromisoformat(found["firstCallDateTime"])
        assert (read, read.utcoffset().total_seconds() % 60) == (moment, 0)


def test_a_date_without_an_offset_is_in_the_hubs_time_zone(crm: Crm, settings):
    settings.TIME_ZONE = "America/New_York"
    crm.create({"firstCallDateTime": "2026-01-15T12:00:00"})
    assert TroubleTicket.objects.get().received_at == datetime(2026, 1, 15, 17, tzinfo=UTC)


@pytest.mark.parametrize("text", BEYOND)
@pytest.mark.parametrize("member", ["createdDateTime", "firstCallDateTime", "start", "end"])
def test_dates_that_no_clock_here_can_hold(crm: Crm, text, member):
    period = {"callBack": True, "CallBacks": [{"Periods": [{member: text}]}]}
    said = crm.create({member: text} if member.endswith("Time") else period)
    refused(said, f"{text[:30]}")
    assert "is no date-time that can be kept" in said.errors[0]["details"]


@pytest.mark.parametrize("text", NONE)
@pytest.mark.parametrize("member", ["createdDateTime", "end"])
def test_what_is_no_date_at_all(crm: Crm, text, member):
    period = {"callBack": True, "CallBacks": [{"Periods": [{member: text}]}]}
    refused(crm.create({member: text} if member.endswith("Time") else period), f"Element '{member}'")


@pytest.mark.parametrize("text", [*BEYOND, *NONE])
def test_a_results_date_that_is_none(crm: Crm, text):
    row = held()
    result = {"mRID": str(row.pk), "csrId": "csr7", "status": {"value": "Restored"}, "dateTime": text}
    said = crm.report(result)
    assert (said.result, said.reasons) == ("FAILED", ["InvalidMessage"])
    assert again(row).result == ""


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_results_date_of_the_first_and_the_last_year(crm: Crm, text):
    row = held()
    result = {"mRID": str(row.pk), "csrId": "csr7", "status": {"value": "Busy"}, "dateTime": text}
    assert crm.report(result).result == "OK"
    assert again(row).result_at == TAKEN[text]


@pytest.mark.parametrize("text", [*BEYOND, "9999-12-31T23:59:59Z"])
def test_a_headers_timestamp_is_only_looked_at(crm: Crm, text):
    assert crm.create({}, Timestamp=text).result == "OK"


@pytest.mark.parametrize("text", BEYOND)
def test_a_replay_date_that_no_clock_can_hold(crm: Crm, text):
    refused(
        crm.create({}, ReplayDetection={"Nonce": "n", "Created": text}), "is no date-time that can be kept"
    )


# -- coordinates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        "NaN",
        "nan",
        "INF",
        "-inf",
        "Infinity",
        "1e400",
        "-1e400",
        "1,5",
        "",
        " ",
        str(10**30),
        "181",
        "-180.1",
        "1_5",
        "0x1A",
        "12°",
        "\uff11\uff12",
        "1 2",
        "40.6; --",
        "9" * 255,
    ],
)
@pytest.mark.parametrize("axis", ["X", "Y"])
def test_coordinates_that_are_none(crm: Crm, axis, bad):
    """The call is unlocated (table 5.1)."""
    if axis == "Y" and bad == "-180.1":
        bad = "-90.1"
    point = {**POINT, "xPosition" if axis == "X" else "yPosition": bad}
    said = crm.create({"Location": [{"PositionPoint": point}]})
    (entry,) = said.errors
    assert (said.result, entry["code"], entry["reason"]) == ("OK", "2.5", "InvalidPositionPoint")
    assert entry["details"].startswith(f"{axis} coordinate of the position point (")
    row = TroubleTicket.objects.get()
    assert (row.kind, row.x, row.y) == ("unlocated", None, None)


@pytest.mark.parametrize("good", ["0", "-0", "+5", " 5 ", "5.", ".5", "1e1", "1E+1", "180", "0." + "1" * 37])
def test_coordinates_that_are_some(crm: Crm, good):
    said = crm.create({"Location": [{"PositionPoint": {"xPosition": good, "yPosition": "1"}}]})
    assert (said.result, said.errors) == ("OK", [])
    row = TroubleTicket.objects.get()
    assert (row.kind, row.y) == ("location", 1.0)
    assert row.x is not None
    assert math.isfinite(row.x)


# -- numbers, booleans -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "language", [str(10**30), str(-(10**30)), "9" * 300, "0", "-1", "2147483648", "01034"]
)
def test_languages_that_nobody_speaks(crm: Crm, language):
    """However large the number: a catalogue's error, for all that the schema takes it."""
    said = crm.create({"languageId": language})
    assert said.reasons in (["InvalidLanguageId"], ["InvalidMessage"])
    if said.result == "OK":
        assert TroubleTicket.objects.get().language_id == 1033
    found = crm.pull(languageId=language)
    assert found.reasons in (["InvalidLanguageId"], ["InvalidMessage"])


@pytest.mark.parametrize("language", ["001033", "+1033", " 1033 "])
def test_a_language_is_a_number_however_it_is_written(crm: Crm, language):
    assert crm.create({"languageId": language}).errors == []


@pytest.mark.parametrize("language", ["1033.0", "1e3", "en", "", "0x409", "\uff11\uff10\uff13\uff13", "NaN"])
def test_a_language_that_is_no_number(crm: Crm, language):
    refused(crm.create({"languageId": language}), "Element 'languageId'")


@pytest.mark.parametrize("count", [str(10**30), "9" * 300, "1000001"])
def test_a_count_beyond_all_numbers(crm: Crm, count):
    row = a_callback()
    said = crm.pull(count=count)
    assert (said.result, [one["mRID"] for one in said.callbacks]) in (("OK", [str(row.pk)]), ("FAILED", []))
    assert Callback.objects.get().assigned_to == ("csr7" if said.result == "OK" else "")


@pytest.mark.parametrize("count", ["-1", "-5", str(-(10**30))])
def test_a_count_below_nothing(crm: Crm, count):
    row = a_callback()
    said = crm.pull(count=count)
    assert (said.result, said.reasons) == ("FAILED", ["InvalidMessage"])
    assert again(row).assigned_to == ""


@pytest.mark.parametrize(
    ("text", "meant"), [("true", True), ("1", True), (" true ", True), ("false", False), ("0", False)]
)
def test_truths(crm: Crm, text, meant):
    assert crm.create({"callBack": text}).result == "OK"
    assert TroubleTicket.objects.get().call_back is meant


@pytest.mark.parametrize("text", ["TRUE", "yes", "2", "", "-1"])
def test_half_truths(crm: Crm, text):
    refused(crm.create({"callBack": text}), "Element 'callBack'")


# -- JSON's own --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        ({"callBack": True}, ["CallbackPeriodMissing"]),
        ({"callBack": 1}, ["CallbackPeriodMissing"]),
        ({"languageId": 1033}, []),
        ({"languageId": True}, ["InvalidMessage"]),
        ({"languageId": 1033.0}, ["InvalidMessage"]),
        ({"name": 5}, []),
        ({"name": None}, []),
        ({"name": []}, []),
        ({"name": {}}, ["InvalidMessage"]),
        ({"IncidentHazard": [None]}, ["InvalidMessage"]),
        ({"IncidentHazard": {"mRID": "fire"}}, []),
        ({"UsagePoint": "SDP-1"}, ["InvalidMessage"]),
        ({"Location": [{"PositionPoint": {"xPosition": 1e400, "yPosition": 1}}]}, None),
    ],
)
def test_values_of_other_types(make_crm, given, reasons):
    said = make_crm().post(
        "CreatedTroubleTickets", {"Header": header("CreatedTroubleTickets"), **tickets(ticket(**given))}
    )
    assert said.status == 200
    if reasons is None:  # orjson writes an infinite number as null: the point has no x
        reasons = ["InvalidPositionPoint"]
    assert said.reasons == reasons
