"""GetCallbacks and CreatedCallBacksResults: tables 7.1 and 8.1 where no error comes, tables 10.17 and 10.19."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.models import Callback
from tests.crm.conftest import Crm, Plain, Said, crm_property
from tests.crm.rows import (
    ADAPTER,
    CSR,
    State,
    a_callback,
    a_contact,
    a_queue,
    a_ticket,
    again,
    an_incident,
    held,
    same_moment,
    statements,
)
from tests.crm.wording import TRANSPORTS, over, row_add


@pytest.fixture(params=TRANSPORTS)
def crm(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Crm:
    """A client over REST, and one over SOAP whose replies are validated."""
    return over(make_crm(), request.param)


def given(said: Said) -> list[str]:
    """The mRIDs of the callbacks that were given out."""
    assert (said.result, said.errors) == ("OK", [])
    return [one["mRID"] for one in said.callbacks]


def keys(*rows: Callback) -> list[str]:
    return [str(row.pk) for row in rows]


def result(row: Callback, value: str = "Restored", **more: str) -> Plain:
    return {"mRID": str(row.pk), "csrId": CSR, "status": {"value": value}, **more}


# -- pulling callbacks (table 7.1) -----------------------------------------------------------------------


def test_count_csr_language_and_priority_are_obeyed(crm: Crm):
    """The highest priority first, of one priority the oldest; no more than were asked for."""
    a_queue(6, 6, 6, 6, language_id=1033)
    spanish = a_queue(6, 6, 6, 3, language_id=21514)
    said = crm.pull(count=2, languageId=21514, priority="6")
    assert given(said) == keys(*spanish[:2])
    for row in spanish[:2]:
        assert (again(row).state, row.assigned_to, row.times_assigned) == (State.ASSIGNED, CSR, 1)
        taken: Any = row
        assert taken.release_at - taken.assigned_at == timedelta(minutes=30)
    assert Callback.objects.filter(state=State.QUEUED).count() == 6


def test_without_a_wish_the_highest_priority_comes_first_and_then_the_oldest(crm: Crm):
    low, high, none, higher = a_queue(3, 5, 0, 6)
    high_too = a_queue(5)[0]
    Callback.objects.filter(pk=high_too.pk).update(created_at=timezone.now())
    assert given(crm.pull(count=10)) == keys(higher, high, high_too, low, none)


@pytest.mark.parametrize("count", [None, 0, "0", "-0"])
def test_a_count_of_nothing_gives_the_first_one(crm: Crm, count):
    """Zero, and none at all (the note in table 7.1)."""
    _, first = a_queue(3, 6, language_id=21514)
    wanted = {} if count is None else {"count": count}
    assert given(crm.pull(languageId=21514, priority="6", **wanted)) == keys(first)
    assert Callback.objects.filter(state=State.QUEUED).count() == 1


@pytest.mark.parametrize("priority", ["6", " 6 ", "+6", "06"])
def test_a_priority_is_a_number_however_it_is_written(crm: Crm, priority):
    wanted, _ = a_queue(6, 5)
    assert given(crm.pull(count=5, priority=priority)) == keys(wanted)


def test_none_is_a_priority_too(crm: Crm):
    _, none = a_queue(6, 0)
    assert given(crm.pull(count=5, priority="0")) == keys(none)


def test_where_fewer_are_waiting_those_are_given(crm: Crm):
    queue = a_queue(6, 3)
    assert given(crm.pull(count=str(10**20))) == keys(*queue)


def test_no_more_are_given_at_once_than_configured(crm: Crm):
    crm_property("callback.pull.limit", "2")
    a_queue(6, 6, 6)
    assert len(given(crm.pull(count=3))) == 2


def test_each_is_given_to_one_alone(crm: Crm):
    first, second = a_queue(6, 6)
    assert given(crm.pull("csr7")) == keys(first)
    assert given(crm.pull("csr8", count=5)) == keys(second)
    assert crm.pull("csr9").reasons == ["EntityNotFound"]
    assert (again(first).assigned_to, again(second).assigned_to) == ("csr7", "csr8")


def test_a_pull_that_is_sent_again_gets_the_same_ones(crm: Crm):
    """Its answer was lost; the next callback would have been assigned to nobody's knowledge."""
    first, second = a_queue(6, 6)
    request = {"Request": {"GetCallbacks": {"csrId": CSR}}}
    for _ in range(2):
        assert given(crm.call("GetCallbacks", request, MessageID="m-1")) == keys(first)
    assert again(second).state == State.QUEUED


def test_what_is_not_resolved_in_time_is_given_to_the_next(crm: Crm):
    mine = held("csr8", release_at=timezone.now() - timedelta(seconds=1))
    assert given(crm.pull()) == keys(mine)
    assert (again(mine).assigned_to, mine.times_assigned) == (CSR, 2)


def test_agents_do_not_get_what_goes_to_the_ivr(crm: Crm):
    """Callbacks that were moved to automatic (chapter 15.2), and those that the adapter holds."""
    a_callback(automatic=True, priority=6)
    held(ADAPTER, priority=6)
    mine = a_callback(priority=1)
    assert given(crm.pull(count=5)) == keys(mine)


def test_how_long_they_are_kept_is_configured(crm: Crm):
    crm_property("callback.release.minutes", "5")
    row = a_callback()
    crm.pull()
    assert again(row).release_at - row.assigned_at == timedelta(minutes=5)


# -- what is said of them (table 10.17) ------------------------------------------------------------------


def full() -> Callback:
    """A callback of which everything is known that a message can say of one."""
    incident = an_incident("Line 1", status="Field Completed", cause="Tree", comment="Cleared")
    ticket = a_ticket(incident, "SDP-1", comment="Heard a bang", callback_media=["SMS", "email"])
    a_contact(ticket, "email", "ann@example.org")
    return a_callback(ticket, comment="first try", reason="Restored", language_id=21514, priority=4)


def test_a_callback_has_the_members_of_table_10_17(crm: Crm):
    """advice and name are not used; problemInfo is what the caller said, contactDetail how they would like it."""
    row = full()
    (said,) = crm.pull().callbacks
    assert same_moment(said.pop("dateTime"), again(row).assigned_at)
    incident = said.pop("IncidentRecord")
    assert same_moment(incident.pop("createdDateTime"), row.incident.created_at)
    assert incident == {
        "mRID": str(row.incident_id),
        "comment": "Cleared",
        "Crews": [{"mRID": "crew-Line 1", "name": "Line 1"}],
        "OutageRecord": {"OutageCodes": [{"name": "Tree"}]},
        "status": {"value": "Field Completed"},
    }
    (ticket,) = said.pop("TroubleTickets")
    assert int(ticket.pop("languageId")) == 21514
    assert ticket == {
        "troubleCode": "No Power/No Light",
        "CustomerData": {
            "firstName": "Ann",
            "lastName": "Example",
            "electronicAddress": {"email1": "ann@example.org"},
        },
        "UsagePoint": {"mRID": "SDP-1"},
    }
    assert said == {
        "mRID": str(row.pk),
        "comment": "first try",
        "contactDetail": "SMS, email",
        "csrId": CSR,
        "problemInfo": "Heard a bang",
        "Reason": "Restored",
    }


def test_the_reply_to_a_pull_has_the_header_of_table_10_17(crm: Crm):
    """Source and CorrelationID as in all other replies: the table has copied the request's (wire-facts 1.5)."""
    a_callback()
    said = crm.call(
        "GetCallbacks", {"Request": {"GetCallbacks": {"csrId": CSR}}}, MessageID="m-1", CorrelationID="c-1"
    )
    header = dict(said.document["Header"])
    assert header.pop("MessageID") not in ("", "m-1")
    assert header.pop("Timestamp")
    assert header == {
        "Verb": "reply",
        "Noun": "CallBacks",
        "Revision": "2.0",
        "Source": "Busbar",
        "CorrelationID": "c-1",
    }


def several_callers(row: Callback) -> None:
    a_contact(row.ticket, "landline", "555-0199", first_name="Bob", last_name="Other")
    a_contact(row.ticket, "email", "bob@example.org", first_name="Bob", last_name="Other")


def customer(crm: Crm) -> Plain:
    found: Plain = crm.pull().callbacks[0]["TroubleTickets"][0]["CustomerData"]
    return found


def test_of_several_callers_the_preferred_contacts_one_is_given(crm: Crm):
    row = full()
    several_callers(row)
    row.ticket.contacts.filter(value="555-0199").update(preferred=True)
    found = customer(crm)
    assert (found["firstName"], found["lastName"]) == ("Bob", "Other")
    assert found["landlinePhone"] == {"localNumber": "555-0199"}
    assert found["electronicAddress"] == {"email1": "bob@example.org"}


def test_of_several_callers_the_first_is_given_where_none_is_preferred(crm: Crm):
    several_callers(full())
    found = customer(crm)
    assert (found["firstName"], found["lastName"]) == ("Ann", "Example")
    assert found["electronicAddress"] == {"email1": "ann@example.org"}


# -- results (table 8.1) ---------------------------------------------------------------------------------


def test_statuses_are_updated_and_comments_appended(crm: Crm):
    row = held(comment="first try")
    at = timezone.now() - timedelta(minutes=2)
    said = crm.report(result(row, comment="Ann is glad", dateTime=at.isoformat(), name="unused"))
    assert (said.result, said.errors) == ("OK", [])
    assert (again(row).state, row.result, row.comment) == (State.CLOSED, "Restored", "first try\nAnn is glad")
    assert (row.result_at, row.last_update_user, row.release_at) == (at, CSR, None)
    assert row.closed_at is not None


def test_the_first_comment_stands_alone(crm: Crm):
    row = held()
    crm.report(result(row, comment="Ann is glad"))
    assert again(row).comment == "Ann is glad"


def test_a_comment_of_just_the_limit_is_appended(crm: Crm):
    row = held(comment="x" * 400)
    assert crm.report(result(row, comment="y" * 99)).errors == []
    assert again(row).comment == "x" * 400 + "\n" + "y" * 99


def test_without_a_time_it_was_now(crm: Crm):
    row = held()
    crm.report(result(row))
    assert timezone.now() - again(row).result_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("said", "kept"), [("Restored", "Restored"), ("NO_ANSWER", "No Answer"), ("not restored", "Not Restored")]
)
def test_results_come_as_values_or_short_codes_in_any_case(crm: Crm, said, kept):
    row = held()
    assert crm.report(result(row, said)).result == "OK"
    assert again(row).result == kept


def test_results_are_configured(crm: Crm):
    row_add("CallbackResults", "Left a message", "LEFT", "true")
    row = held()
    assert crm.report(result(row, "LEFT")).result == "OK"
    assert (again(row).result, row.state) == ("Left a message", State.CLOSED)


@pytest.mark.parametrize("csr", ["ivr", "csr9", ""])
def test_what_the_adapter_holds_takes_anyones_result(crm: Crm, csr):
    """Its csrId is not validated (the note in table 8.1)."""
    row = held(ADAPTER)
    said = crm.report({**result(row), "csrId": csr})
    assert (said.result, said.errors) == ("OK", [])
    assert (again(row).result, row.last_update_user, row.assigned_to) == ("Restored", csr, ADAPTER)


def test_who_the_adapter_is_is_configured(crm: Crm):
    crm_property("adapter.csr.id", "Hub")
    assert crm.report(result(held("Hub"))).result == "OK"
    assert crm.report(result(held(ADAPTER))).reasons == ["DifferentCsrId"]


@pytest.mark.parametrize("value", ["Not Restored", "No Answer", "Busy"])
def test_what_is_not_resolved_stays_with_its_csr_for_a_while_and_is_given_again(crm: Crm, value):
    row = held()
    assert crm.report(result(row, value)).result == "OK"
    assert (again(row).state, row.result, row.closed_at) == (State.ASSIGNED, value, None)
    assert row.release_at is not None
    assert row.release_at > timezone.now() + timedelta(minutes=29)
    assert crm.pull("csr8").reasons == ["EntityNotFound"]
    Callback.objects.filter(pk=row.pk).update(release_at=timezone.now())
    assert given(crm.pull("csr8")) == keys(row)


def test_a_result_comes_late_but_before_another_has_it(crm: Crm):
    row = held(release_at=timezone.now() - timedelta(minutes=1))
    assert crm.report(result(row)).result == "OK"
    assert again(row).state == State.CLOSED


def test_a_closed_one_may_be_told_of_again_and_stays_closed(crm: Crm):
    row = held()
    crm.report(result(row))
    since = again(row).closed_at
    assert crm.report(result(row, "Not Restored", comment="went out again")).result == "OK"
    assert (again(row).state, row.closed_at, row.result) == (State.CLOSED, since, "Not Restored")
    assert row.comment == "went out again"


def test_the_last_one_closes_its_incident(crm: Crm):
    incident = an_incident(restored_at=timezone.now(), status="Field Completed")
    first, last = held(incident=incident), held(incident=incident)
    crm.report(result(first))
    assert (again(incident).closed_at, incident.status) == (None, "Field Completed")
    crm.report(result(last, "Busy"))
    assert again(incident).closed_at is None
    crm.report(result(last))
    assert (again(incident).stage, incident.status) == ("closed", "Closed")


def test_an_incident_that_is_not_restored_stays_open(crm: Crm):
    row = held()
    crm.report(result(row))
    assert again(row.incident).stage == "open"


def test_the_reply_has_the_members_of_table_10_19_in_the_requests_order(crm: Crm):
    rows = [held() for _ in range(3)]
    rows.reverse()
    said = crm.report(*map(result, rows), MessageID="m-1", CorrelationID="c-1")
    assert said.results == [{"mRID": key, "status": {"value": "UPDATED"}} for key in keys(*rows)]
    header: Any = dict(said.document["Header"])
    assert header.pop("MessageID") not in ("", "m-1")
    assert header.pop("Timestamp")
    assert header == {
        "Verb": "reply",
        "Noun": "CallbacksResults",
        "Revision": "2.0",
        "Source": "Busbar",
        "CorrelationID": "c-1",
    }


def test_a_result_that_is_sent_again_is_recorded_once(crm: Crm):
    row = held()
    for _ in range(2):
        assert crm.report(result(row, "Busy", comment="engaged"), MessageID="m-1").result == "OK"
    assert again(row).comment == "engaged"


def test_many_results_take_no_statement_more_than_one(crm: Crm):
    def ask(count: int) -> int:
        incident = an_incident()
        rows = [held(incident=incident) for _ in range(count)]
        return statements(lambda: crm.report(*map(result, rows)))

    assert ask(60) == ask(1)
    assert not Callback.objects.exclude(state=State.CLOSED).exists()


def test_many_callbacks_take_no_statement_more_than_one(crm: Crm):
    def ask(count: int) -> int:
        for row in a_queue(*[6] * count):
            a_contact(row.ticket, "email", "ann@example.org")
        return statements(lambda: crm.pull(count=count))

    assert ask(30) == ask(1)
