"""What a business admin's lists decide of CreatedTroubleTickets, and how several conditions are told at once."""

from collections.abc import Callable

import pytest

from crm.models import Incident
from lookups.models import Row
from tests.crm.conftest import Crm, at, crm_property
from tests.crm.wording import CLEAN, TRANSPORTS, names, over, row_add, row_set, statuses, stored


@pytest.fixture(params=TRANSPORTS)
def crm(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Crm:
    """A client over REST, and one over SOAP whose replies are validated."""
    return over(make_crm(), request.param)


# -- several conditions in one message ---------------------------------------------------------------------


def test_several_conditions_give_one_entry_a_reason_with_all_its_tickets(crm: Crm):
    said = crm.create(
        {"name": "a", "comment": "x" * 501, "languageId": 9, "IncidentHazard": [{"mRID": "flood"}]},
        {"name": "b", "troubleCode": "Aliens", "languageId": 9},
        {"name": "c", "comment": "x" * 502, "source": "Pigeon", "callBack": True},
        {"troubleCode": None, "createdDateTime": at(days=1)},
        CLEAN,
    )
    assert {one["reason"]: one["details"] for one in said.errors} == {
        "CommentExceedsLimit": "Comment exceeds limit for trouble ticket(s): a, c",
        "InvalidLanguageId": "Invalid language ID(s): 9 for trouble ticket(s): a, b",
        "InvalidHazardType": "Invalid hazard type(s): flood for trouble ticket(s): a",
        "InvalidTroubleCode": "Invalid trouble code: Aliens for trouble ticket(s): b.",
        "InvalidCallSource": "Invalid call source(s): Pigeon for trouble ticket(s): c",
        "CallbackPeriodMissing": "Callback period element not found in message for trouble ticket(s): c.",
        "MissingTroubleCode": "Trouble code missing for trouble ticket(s): 4.",
        "InvalidCreatedDateTime": "Created date time is in future for trouble ticket: 4.",
    }
    assert len(said.reasons) == 8
    assert (said.result, statuses(said)) == ("PARTIAL", ["CREATED", "FAILED", "CREATED", "FAILED", "CREATED"])
    assert names() == ["a", "c", "clean"]


def test_a_ticket_that_is_wrong_in_every_way_is_created_where_nothing_of_it_is_fatal(crm: Crm):
    wrong = [{"contactDetail": "drum", "Periods": [{"start": at(hours=2), "end": at(hours=1)}]}]
    places = [{"type": "Moon", "description": "crater", "name": "Tycho"}]
    said = crm.create(
        {"name": "a", "callBack": True, "CallBacks": wrong, "Location": places, "languageId": -1}
    )
    assert (said.result, statuses(said), names()) == ("PARTIAL", ["CREATED"], ["a"])
    assert said.reasons == [
        "InvalidLanguageId",
        "InvalidContactDetail",
        "InvalidPeriod",
        "LocationTypeNotSupported",
    ]


def test_the_reply_is_in_the_order_of_the_request(crm: Crm, points):
    given = [{"name": str(place), "UsagePoint": {"mRID": f"SDP-{place % 4}"}} for place in range(20)]
    for place in range(0, 20, 5):
        given[place]["troubleCode"] = "Aliens"
    said = crm.create(*given)
    created = [one for one in said.tickets if "mRID" in one]
    assert [place for place, one in enumerate(said.tickets) if "mRID" not in one] == [0, 5, 10, 15]
    assert [one["mRID"] for one in created] == [str(stored(str(n)).pk) for n in range(20) if n % 5]
    assert names() == [str(n) for n in range(20) if n % 5]


# -- code lists ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("No Power/No Light", "No Power/No Light"),
        ("No Power", "No Power/No Light"),
        ("no power", "No Power/No Light"),
        ("VOLTAGE", "Voltage Problem"),
        ("  partial LIGHT ", "Flick Light/Partial Light"),
    ],
)
def test_trouble_codes_come_as_the_seed_s_value_or_as_the_short_code_in_any_case(crm: Crm, said, kept):
    assert crm.create({"name": "t1", "troubleCode": said}).errors == []
    assert stored("t1").trouble_code == kept


def test_all_lists_take_short_codes_in_any_case(crm: Crm):
    period = [{"start": at(hours=1), "end": at(hours=2)}]
    said = crm.create(
        {
            "name": "t1",
            "source": "outageportal",
            "IncidentHazard": [
                {"mRID": "LINE_DOWN"},
                {"mRID": "special_caller"},
                {"mRID": "Line Down"},
                {"mRID": ""},
            ],
            "callBack": True,
            "CallBacks": [
                {"contactDetail": "mobile", "Periods": period},
                {"contactDetail": "eMail"},
            ],
        }
    )
    row = stored("t1")
    assert (said.result, said.errors, row.source) == ("OK", [], "Portal")
    assert (row.hazards, row.special_caller) == (["line down", "police/fire caller"], True)
    assert row.callback_media == ["mobile phone", "email"]


def test_a_callback_that_nobody_wants_is_not_validated(crm: Crm):
    wrong = [{"Periods": [{"start": at(hours=-1), "end": at(hours=-2)}]}]
    said = crm.create(
        {"name": "t1", "CallBacks": wrong}, {"name": "t2", "callBack": "false", "CallBacks": wrong}
    )
    assert (said.result, said.errors) == ("OK", [])
    assert not stored("t2").call_back


def test_a_ticket_without_source_has_the_header_s(crm: Crm):
    crm.create({"name": "t1", "source": None}, Source="ivr")
    crm.create({"name": "t2", "source": None}, Source="Our own call taker")
    assert (stored("t1").source, stored("t2").source) == ("IVR", "Unknown")


# -- edits count at once -------------------------------------------------------------------------------------


def test_an_edited_limit_counts_at_once(crm: Crm):
    assert crm.create({"name": "t1", "comment": "x" * 21}).errors == []
    row_set("ConfigProps", "comment.limit", 1, "20")
    assert crm.create({"name": "t2", "comment": "x" * 21}).reasons == ["CommentExceedsLimit"]
    assert (len(stored("t1").comment), len(stored("t2").comment)) == (21, 20)


def test_an_edited_error_counts_at_once(crm: Crm):
    key = "CreatedTroubleTickets InvalidTroubleCode"
    for place, value in enumerate(["9.9", "WARNING", "FAILED", "BadCode", "{0}? Not {us}: {1}"], 1):
        row_set("Errors", key, place, value)
    said = crm.create({"name": "{0}", "troubleCode": "{1}"}, CLEAN)
    assert said.errors == [
        {"code": "9.9", "level": "WARNING", "reason": "BadCode", "details": "{1}? Not {us}: {0}"}
    ]
    assert said.result == "FAILED"


def test_a_new_trouble_code_counts_at_once(crm: Crm):
    assert crm.create({"troubleCode": "Aliens"}).result == "FAILED"
    row_add("TroubleCodes", "Aliens", "AL")
    assert crm.create({"name": "t1", "troubleCode": "al"}).result == "OK"
    assert stored("t1").trouble_code == "Aliens"


def test_a_trouble_code_that_is_taken_away_counts_at_once(crm: Crm):
    assert crm.create({"troubleCode": "VOLTAGE"}).result == "OK"
    next(
        row for row in Row.objects.filter(lookup__name="GRIDOPS-CRM_TroubleCodes") if "VOLTAGE" in row.cells
    ).delete()
    assert crm.create({"troubleCode": "VOLTAGE"}).reasons == ["InvalidTroubleCode"]


def test_new_languages_sources_hazards_media_and_searches_count_at_once(crm: Crm):
    row_add("Languages", "1036", "French")
    row_add("CallSources", "Pigeon", "PG", "Pigeon")
    row_add("Hazards", "mayor", "MAYOR", "true")
    row_add("ContactDetails", "drum", "DRUM")
    row_add("LandbaseSearches", "Bridge", "bridgeNo")
    period = [{"start": at(hours=1), "end": at(hours=2)}]
    said = crm.create(
        {
            "name": "t1",
            "languageId": 1036,
            "source": "pg",
            "IncidentHazard": [{"mRID": "Mayor"}],
            "callBack": True,
            "CallBacks": [{"contactDetail": "drum", "Periods": period}],
            "Location": [{"type": "bridge", "description": "BridgeNo", "name": "7"}],
        }
    )
    assert (said.result, said.reasons) == ("OK", ["UnlocatableLandbaseTroubleTicket"])
    assert (stored("t1").language_id, stored("t1").source, stored("t1").special_caller) == (
        1036,
        "Pigeon",
        True,
    )


def test_an_edited_default_language_and_source_count_at_once(crm: Crm):
    crm_property("language.default", "21514")
    crm_property("source.unknown", "Operator")
    crm.create({"name": "t1", "languageId": 7, "source": "Pigeon"}, {"name": "t2"})
    assert (stored("t1").language_id, stored("t1").source, stored("t2").language_id) == (
        21514,
        "Operator",
        21514,
    )


def test_an_edited_number_of_tickets_confirms_an_incident(crm: Crm, points):
    crm_property("incident.confirm.tickets", "2")
    crm.create({"UsagePoint": {"mRID": "SDP-1"}})
    assert Incident.objects.get().confirmed_at is None
    crm.create({"UsagePoint": {"mRID": "SDP-2"}})
    said = crm.create({"UsagePoint": {"mRID": "SDP-1"}})
    assert (statuses(said), said.tickets[0]["IncidentRecord"]["mRID"]) == (
        ["DEENERGIZED"],
        str(Incident.objects.get().pk),
    )
