"""The flow SendCallbacks: callbacks of the queue sent to the IVR (seed 004 chapter 9, tables 9.1, 10.20 and 10.21)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from lxml import etree
from pytest_httpserver import HTTPServer

from crm.models import Callback, CallerContact, ServiceDeliveryPoint, TroubleTicket
from crm.outage.callback_queue import Wanted, assign
from crm.services.callbacks_automatic import callbacks_automatic
from demo import soap
from demo.ivr import FAILED, FAULT, INVALID, OPERATION, PARTIAL, PATH
from demo.neighbour import wait_for
from integrations.models import Connection, ErrorInstance
from tests.crm.conftest import SOAP_11, SOAP_12, crm_property
from tests.crm.ivr import (
    IVR,
    Listening,
    State,
    again,
    messages,
    mrids,
    over,
    point_at,
    queued,
    run,
    running_ivr,
    sent,
    worked,
)
from tests.flows.conftest import lines, mails


@pytest.fixture
def ivr(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listening]:
    """The IVR, to which callbacks are sent."""
    with running_ivr(monkeypatch) as running:
        yield running


# -- table 9.1 -------------------------------------------------------------------------------------------


def test_created_callbacks_are_sent_successfully(ivr: Listening):
    (first, second) = queued(6, 5)
    done = run()
    assert done.status == "succeeded"
    assert sent(ivr) == [mrids(first, second)]
    assert set(ivr.callbacks()) == set(mrids(first, second))
    for row in map(again, (first, second)):
        assert (row.state, row.assigned_to, row.times_assigned) == (State.ASSIGNED, "CrmAdapter", 1)
        assert row.assigned_at is not None
        assert row.release_at == row.assigned_at + timedelta(minutes=30)
    assert not ErrorInstance.objects.exists()


def test_created_callbacks_contain_multiple_caller_contacts_the_preferred_one_s_person_goes(ivr: Listening):
    (row,) = queued(6)
    for place, (first, value, media, preferred) in enumerate(
        [
            ("Ann", "ann@example.org", "email", False),
            ("Ann", "555-0100", "mobile", False),
            ("Bob", "555-0101", "mobile", True),
        ]
    ):
        CallerContact.objects.create(
            ticket=row.ticket,
            position=place,
            first_name=first,
            last_name="Example",
            media=media,
            value=value,
            preferred=preferred,
        )
    run()
    (message,) = messages(ivr)
    person = soap.all_at(message, "Payload/CallBacks/CallBack/TroubleTickets/CustomerData")[0]
    assert soap.text_at(person, "firstName") == "Bob"
    assert soap.text_at(person, "mobilePhone/localNumber") == "555-0101"


def test_created_callbacks_contain_multiple_caller_contacts_without_a_preferred_one_the_first_goes(
    ivr: Listening,
):
    (row,) = queued(6)
    for place, first in enumerate(["Ann", "Bob"]):
        CallerContact.objects.create(
            ticket=row.ticket, position=place, first_name=first, media="mobile", value=f"555-010{place}"
        )
    run()
    (message,) = messages(ivr)
    person = soap.all_at(message, "Payload/CallBacks/CallBack/TroubleTickets/CustomerData")[0]
    assert [soap.text_at(person, "firstName"), soap.text_at(person, "mobilePhone/localNumber")] == [
        "Ann",
        "555-0100",
    ]


@pytest.mark.parametrize("mode", ["down", "500", "slow"])
def test_created_callbacks_unavailable_external_system(ivr: Listening, mode: str):
    # "tries to send CreatedCallBacks message to external system configurable number of times. After it fails,
    # CallBacks will remain assigned preconfigured time period until EcoStruxure GridOps dissociates them."
    point_at(ivr.url + PATH, retries=1)
    Connection.objects.filter(name=IVR).update(read_timeout=0.5)
    (row,) = queued(6)
    ivr.fail(mode)
    waiting = run()
    assert (waiting.status, waiting.retries) == ("waiting", 1)
    failed = worked(waiting)
    assert failed.status == "failed"
    assert wait_for(lambda: len(ivr.received()) == 2, seconds=10)  # a slow one is on record once it is over
    assert IVR in failed.fault_text
    assert ErrorInstance.objects.get().state == "open"
    assert len(mails("error")) == 1
    row = again(row)
    assert (row.state, row.assigned_to) == (State.ASSIGNED, "CrmAdapter")
    assert assign(Wanted(5), to="csr7", minutes=30, now=timezone.now()) == []
    assert row.release_at is not None
    later = row.release_at + timedelta(seconds=1)
    assert [one.pk for one in assign(Wanted(5), to="csr7", minutes=30, now=later)] == [row.pk]


def test_created_callbacks_invalid_response_message(ivr: Listening):
    point_at(ivr.url + PATH, retries=3)
    (row,) = queued(6)
    ivr.answer_with(INVALID)
    failed = run()
    assert failed.status == "failed"  # another try would call the customers twice, if it did take the first
    text = ErrorInstance.objects.get().instance.fault_text
    assert text.startswith(
        "1.8 FATAL InvalidMessage: Received message is invalid against xsd schema. Reason: "
    )
    assert "MAYBE" in text
    assert any(text in line for line in lines(failed))
    assert again(row).state == State.ASSIGNED


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "with nothing"),
        ("<html>It works</html>", "no SOAP"),
        (f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body/></s:Envelope>', "with nothing"),
        (f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body><a/></s:Body></s:Envelope>', "with a, where"),
    ],
)
@pytest.mark.usefixtures("ivr")
def test_created_callbacks_invalid_response_message_of_any_kind(
    httpserver: HTTPServer, content: str, said: str
):
    httpserver.expect_request(PATH).respond_with_data(content, content_type="text/xml")
    point_at(httpserver.url_for(PATH))
    queued(6)
    text = run().fault_text
    assert text.startswith("1.8 FATAL InvalidMessage: Received message is invalid against xsd schema.")
    assert said in text


# -- what a valid answer says (table 10.21) --------------------------------------------------------------


@pytest.mark.parametrize("result", [FAILED, PARTIAL])
def test_a_result_that_is_no_ok_is_an_error_instance_with_the_ivr_s_reasons(ivr: Listening, result: str):
    point_at(ivr.url + PATH, retries=3)
    rows = queued(6, 6)
    ivr.answer_with(result)
    failed = run()
    assert (failed.status, failed.fault_class) == ("failed", "business")
    assert failed.fault_text == f"{IVR} answered {result}: 5.3 NoLineFree All lines are taken"
    assert {again(row).state for row in rows} == {State.ASSIGNED}
    assert len(messages(ivr)) == 1


def test_a_fault_is_an_error_instance_with_the_ivr_s_words(ivr: Listening):
    queued(6)
    ivr.answer_with(FAULT)
    failed = run()
    assert failed.status == "failed"
    assert "All lines are taken" in failed.fault_text
    assert "InvalidMessage" in failed.fault_text  # its detail, the fault message


def test_an_answer_to_another_message_is_said(ivr: Listening, httpserver: HTTPServer):
    head = soap.header("reply", "CallBacks", "IVR", "m", "another")
    reply = soap.element("CallBacks", "CallBacksResponseMessage", {"Header": head, "Reply": {"Result": "OK"}})
    httpserver.expect_request(PATH).respond_with_data(soap.sealed(reply), content_type="text/xml")
    point_at(httpserver.url_for(PATH))
    queued(6)
    done = run()
    assert done.status == "succeeded"
    assert any("CorrelationID another" in line for line in lines(done))


# -- the message (table 10.20) ---------------------------------------------------------------------------


@pytest.mark.parametrize(("spoken", "version"), [("1.1", SOAP_11), ("1.2", SOAP_12)])
def test_the_message_is_valid_and_says_what_table_10_20_lists(ivr: Listening, spoken: str, version: str):
    point_at(ivr.url + PATH, soap_version=spoken)
    (row,) = queued(6, comment="Was called before")
    point = ServiceDeliveryPoint.objects.create(mrid="SDP-1")
    TroubleTicket.objects.update(service_point=point)
    CallerContact.objects.create(ticket=row.ticket, last_name="Example", media="email", value="a@example.org")
    run()
    (content,) = ivr.came
    assert soap.opened(content).version == version
    (message,) = messages(ivr)
    assert soap.wrong("CallBacks", message) == ""
    assert etree.QName(message).localname == OPERATION
    head = {etree.QName(one).localname: one.text for one in soap.all_at(message, "Header")[0]}
    assert (head["Verb"], head["Noun"], head["Revision"], head["Source"]) == (
        "created",
        "CallBacks",
        "2.0",
        "Busbar",
    )
    assert head["CorrelationID"] == head["MessageID"]
    assert head["Timestamp"]
    (callback,) = soap.all_at(message, "Payload/CallBacks/CallBack")
    row = again(row)
    told = {
        path: soap.text_at(callback, path)
        for path in (
            "mRID",
            "comment",
            "contactDetail",
            "csrId",
            "problemInfo",
            "Reason",
            "IncidentRecord/mRID",
            "IncidentRecord/OutageRecord/OutageCodes/name",
            "TroubleTickets/languageId",
            "TroubleTickets/troubleCode",
            "TroubleTickets/CustomerData/lastName",
            "TroubleTickets/CustomerData/electronicAddress/email1",
            "TroubleTickets/UsagePoint/mRID",
        )
    }
    assert list(told.values()) == [
        str(row.pk),
        "Was called before",
        "SMS, email",
        "CrmAdapter",
        "Lights out 0",
        "Restored",
        str(row.incident_id),
        "Tree",
        "21514",
        "No Power/No Light",
        "Example",
        "a@example.org",
        "SDP-1",
    ]
    assert soap.text_at(callback, "dateTime")


# -- which ones ------------------------------------------------------------------------------------------


def test_only_those_of_the_configured_priorities_and_the_automatic_ones_are_taken(ivr: Listening):
    low, six, five, marked = queued(4, 6, 5, 0)
    callbacks_automatic(callbacks=[marked.pk], automatic=True, actor="olga")
    run()
    assert sent(ivr) == [mrids(six, five, marked)]  # the highest first
    assert again(low).state == State.QUEUED


def test_without_priorities_only_the_automatic_ones_are_taken(ivr: Listening):
    crm_property("ivr.priorities", "")
    queued(6, 5)
    (marked,) = queued(0, automatic=True)
    run()
    assert sent(ivr) == [mrids(marked)]


def test_those_of_agents_and_those_that_are_closed_are_left_alone(ivr: Listening):
    with_agent, closed, back = queued(6, 6, 6)
    assign(Wanted(1), to="csr7", minutes=30, now=timezone.now())
    Callback.objects.filter(pk=closed.pk).update(state=State.CLOSED)
    run()
    assert again(with_agent).assigned_to == "csr7"
    assert sent(ivr) == [mrids(back)]


def test_one_whose_time_with_an_agent_is_over_is_taken(ivr: Listening):
    (row,) = queued(6)
    assign(Wanted(1), to="csr7", minutes=30, now=timezone.now())
    over(row)
    run()
    assert sent(ivr) == [mrids(row)]
    assert (again(row).assigned_to, again(row).times_assigned) == ("CrmAdapter", 2)
