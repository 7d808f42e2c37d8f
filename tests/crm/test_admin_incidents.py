"""Incidents in the console: searched, changed, confirmed, restored, archived; their tickets on a map; their story."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.models import Callback, Incident
from crm.services.incident_change import incident_change
from crm.services.incident_restore import incident_restore
from integrations.models import AuditEntry
from tests.crm.admin_rows import (
    MARKUP,
    UNESCAPED,
    assigned,
    enter,
    list_of,
    make_callback,
    make_crew,
    make_incident,
    make_point,
    make_ticket,
    page_of,
    questions,
    refused,
    said,
    shown,
    text_of,
)
from tests.crm.conftest import crm_property

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident():
    """An open incident of a transformer, with three tickets of which two asked for a callback."""
    point = make_point("SDP-1")
    row = make_incident(transformer_id="T-1", service_point=point, scope="transformer T-1", x=-73.9, y=40.6)
    for number in range(3):
        make_ticket(
            row,
            phone=f"555-010{number}",
            last_name="Example",
            name=f"CC-{number}",
            kind="customer",
            service_point=point,
            call_back=number > 0,
        )
    return row


def form(browser, incident, **changed):
    """What the form sends: the fields as they are, and what is changed in them."""
    fields = browser.get(page_of(incident)).context["form"]
    values = {name: fields[name].value() for name in fields.fields}
    values["crews"] = [str(key) for key in values.get("crews", [])]
    if at := values.get("estimated_restoration_at"):
        values["estimated_restoration_at"] = f"{at:%Y-%m-%dT%H:%M}"
    values = {name: "" if value is None else value for name, value in values.items()}
    return {**{f"initial-{name}": value for name, value in values.items()}, **values, **changed}


def change(browser, incident, **changed):
    """Post the form."""
    return browser.post(page_of(incident, "update"), form(browser, incident, **changed), follow=True)


# -- the list ----------------------------------------------------------------------------------------------


def test_an_empty_list_is_shown():
    assert enter("Viewer").get(list_of(Incident)).context["cl"].result_count == 0


def test_the_list_says_how_many_tickets_and_callbacks_there_are(incident):
    make_callback(incident.tickets.first())
    make_callback(incident.tickets.first(), state="closed")
    page = text_of(enter("Viewer").get(list_of(Incident)))
    assert f'incident__id__exact={incident.pk}&amp;set=all">3</a>' in page
    assert f'incident__id__exact={incident.pk}">1</a>' in page


def test_the_numbers_lead_to_what_they_count(incident):
    make_ticket()
    browser = enter("Viewer")
    address = f"/admin/crm/troubleticket/?incident__id__exact={incident.pk}&set=all"
    assert browser.get(address).context["cl"].result_count == 3
    make_callback(incident.tickets.first())
    make_callback()
    address = f"/admin/crm/callback/?incident__id__exact={incident.pk}&state=all"
    assert browser.get(address).context["cl"].result_count == 1


def test_a_long_list_takes_as_many_questions_as_a_short_one(incident):
    browser = enter("Viewer")
    incident.crews.set([make_crew()])
    make_callback(incident.tickets.first())
    short = questions(browser, list_of(Incident))
    for number in range(60):
        row = make_incident(transformer_id=f"T-{number}", service_point=make_point(f"P-{number}"))
        row.crews.set([make_crew(f"Crew {number}")])
        make_callback(make_ticket(row))
    assert questions(browser, list_of(Incident)) == short <= 12


def test_the_stages(incident):
    now = timezone.now()
    restored = make_incident(restored_at=now)
    closed = make_incident(restored_at=now, closed_at=now)
    archived = make_incident(restored_at=now, closed_at=now, archived_at=now)
    browser = enter("Viewer")
    assert set(shown(browser, Incident)) == {incident.pk, restored.pk, closed.pk}
    for stage, row in (
        ("open", incident),
        ("restored", restored),
        ("closed", closed),
        ("archived", archived),
    ):
        assert shown(browser, Incident, stage=stage) == [row.pk]
    assert len(shown(browser, Incident, stage="all")) == 4


def test_the_other_filters(incident):
    confirmed = make_incident(status="Dispatched", confirmed_at=timezone.now())
    browser = enter("Viewer")
    assert shown(browser, Incident, status="Dispatched") == [confirmed.pk]
    assert shown(browser, Incident, confirmed="yes") == [confirmed.pk]
    assert shown(browser, Incident, confirmed="no") == [incident.pk]
    assert len(shown(browser, Incident, confirmed="perhaps", stage="x", status="")) == 2


@pytest.mark.parametrize("term", ["T-1", "SDP-1", "CC-2", "555 0101", "exam"])
def test_an_incident_is_found_by(incident, term):
    make_ticket(make_incident(transformer_id="T-2"), name="CC-22", phone="555-0999")
    assert shown(enter("Viewer"), Incident, q=term) == [incident.pk]


def test_an_incident_is_found_by_its_mrid_and_a_ticket_s(incident):
    make_incident()
    browser = enter("Viewer")
    assert shown(browser, Incident, q=str(incident.pk)) == [incident.pk]
    assert shown(browser, Incident, q=str(incident.tickets.first().pk)) == [incident.pk]


def test_a_restored_incident_is_found_by_its_transformer(incident):
    Incident.objects.filter(pk=incident.pk).update(restored_at=timezone.now(), archived_at=timezone.now())
    assert shown(enter("Viewer"), Incident, q="T-1") == [incident.pk]


# -- the page ----------------------------------------------------------------------------------------------


def test_the_page_shows_tickets_callbacks_and_map(incident):
    assigned(incident.tickets.first(), to="csr9")
    page = text_of(enter("Viewer").get(page_of(incident)))
    for part in (
        "CC-0",
        "555-0101",
        "csr9",
        "of which 2 asked for a callback",
        "<svg",
        "Service delivery point SDP-1",
    ):
        assert part in page, part
    assert f'<a href="{page_of(incident.tickets.first())}"' in page


def test_an_incident_of_nothing_has_a_page():
    page = text_of(enter().get(page_of(make_incident())))
    assert "No ticket, no map." in page
    assert "the incident is closed at once" in page


def test_a_long_page_ends_at_its_bounds(incident, monkeypatch):
    monkeypatch.setattr("crm.admin.incident_page.DRAWN", 4)
    monkeypatch.setattr("crm.admin.incident_page.LISTED", 2)
    for _ in range(4):
        make_callback(make_ticket(incident))
    page = text_of(enter("Viewer").get(page_of(incident)))
    assert "The newest 2 of 7 are here" in page
    assert "The first 2 of 4 are here" in page
    assert "The newest 4 tickets are drawn, 3 older ones are not." in page


def test_a_page_of_many_tickets_takes_as_many_questions_as_one_of_few(incident):
    browser = enter("Operator")
    make_callback(incident.tickets.first())
    short = questions(browser, page_of(incident))
    for number in range(30):
        ticket = make_ticket(
            incident, phone="555-0100", service_point=make_point(f"P-{number}"), kind="customer"
        )
        make_callback(ticket)
    assert questions(browser, page_of(incident)) == short <= 24


def test_markup_in_an_incident_is_shown_as_text(incident):
    crew = make_crew(MARKUP)
    incident.crews.set([crew])
    incident_change(incident=incident, actor=MARKUP, comment=MARKUP, cause=MARKUP, subcause=MARKUP)
    Incident.objects.filter(pk=incident.pk).update(transformer_id=MARKUP, status=MARKUP)
    ticket = make_ticket(
        incident, phone=MARKUP, last_name=MARKUP, name=MARKUP, comment=MARKUP, hazards=[MARKUP], x=1.0, y=1.0
    )
    make_callback(ticket, reason=MARKUP, assigned_to=MARKUP)
    browser = enter()
    for address in (page_of(incident), list_of(Incident)):
        page = text_of(browser.get(address))
        assert UNESCAPED not in page
        assert "&lt;script&gt;alert(" in page


# -- what is done to it ------------------------------------------------------------------------------------


def test_an_operator_changes_an_incident(incident):
    crew, browser = make_crew(), enter("Operator")
    answer = change(
        browser,
        incident,
        status="Dispatched",
        cause="Equipment",
        crews=[crew.pk],
        comment="A crew is on its way",
    )
    assert set(said(answer).removeprefix("Changed: ").strip(".").split(", ")) == {
        "status",
        "comment",
        "cause",
        "confirmation",
        "crews",
    }
    incident.refresh_from_db()
    assert (incident.status, incident.cause, incident.comment) == (
        "Dispatched",
        "Equipment",
        "A crew is on its way",
    )
    assert list(incident.crews.all()) == [crew]
    assert AuditEntry.objects.get(action="incident_change").actor.startswith("person")


def test_a_form_in_which_nothing_was_changed_changes_nothing(incident):
    when = timezone.now().replace(second=42)
    Incident.objects.filter(pk=incident.pk).update(estimated_restoration_at=when, comment="a\nb")
    assert said(change(enter("Operator"), incident)) == "Nothing was changed."
    incident.refresh_from_db()
    assert incident.estimated_restoration_at == when


def test_a_new_estimated_restoration_says_how_many_are_called_back(incident):
    crm_property("callback.on.etr.change", "true")
    when = timezone.localtime() + timedelta(hours=3)
    answer = change(enter("Operator"), incident, estimated_restoration_at=f"{when:%Y-%m-%dT%H:%M}")
    assert said(answer) == "Changed: estimated restoration. 2 callbacks created."
    assert Callback.objects.count() == 2
    incident.refresh_from_db()
    assert incident.estimated_restoration_at == when.replace(second=0, microsecond=0)


def test_what_another_changed_meanwhile_stays(incident):
    browser = enter("Operator")
    posted = form(browser, incident, cause="Weather")
    incident_change(incident=incident, actor="another", status="Arrived", comment="Seen from elsewhere")
    browser.post(page_of(incident, "update"), posted)
    incident.refresh_from_db()
    assert (incident.status, incident.comment, incident.cause) == (
        "Arrived",
        "Seen from elsewhere",
        "Weather",
    )


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"status": "Gone fishing"}, "Select a valid choice"),
        ({"comment": "x" * 501}, "500 are the most"),
        ({"comment": "a\x07b"}, "control character"),
        ({"estimated_restoration_at": "soon"}, "Enter a valid date/time"),
        ({"estimated_restoration_at": "0204-01-01T10:00"}, "Enter a year between 1990 and 2200"),
        ({"crews": ["99"]}, "Select a valid choice"),
    ],
    ids=str,
)
def test_a_change_that_is_none_stays_in_the_form_with_the_reason(incident, changed, why):
    browser = enter("Operator")
    page = text_of(change(browser, incident, cause="Typed at length", **changed))
    assert why in page
    assert "Typed at length" in page
    incident.refresh_from_db()
    assert incident.cause == ""


def test_who_changes_what_was_restored_meanwhile_is_told(incident):
    browser = enter("Operator")
    posted = form(browser, incident, status="Arrived")
    incident_restore(incident=incident, actor="another")
    page = text_of(browser.post(page_of(incident, "update"), posted))
    assert "is restored already" in page


def test_the_comment_of_a_restored_incident_can_be_changed(incident):
    incident_restore(incident=incident, actor="test")
    browser = enter("Operator")
    assert list(browser.get(page_of(incident)).context["form"].fields) == ["comment"]
    assert said(change(browser, incident, comment="All is well")) == "Changed: comment."


def test_an_operator_confirms_an_incident(incident):
    browser = enter("Operator")
    assert "Confirmed" in said(browser.post(page_of(incident, "confirm"), follow=True))
    incident.refresh_from_db()
    assert incident.confirmed_at
    assert "is confirmed already" in said(browser.post(page_of(incident, "confirm"), follow=True))
    assert page_of(incident, "confirm") not in text_of(browser.get(page_of(incident)))


def test_a_confirmation_is_taken_back(incident):
    browser = enter("Operator")
    browser.post(page_of(incident, "confirm"))
    assert page_of(incident, "unconfirm") in text_of(browser.get(page_of(incident)))
    browser.post(page_of(incident, "unconfirm"))
    incident.refresh_from_db()
    assert incident.confirmed_at is None
    change(browser, incident, status="Dispatched")
    assert page_of(incident, "unconfirm") not in text_of(browser.get(page_of(incident)))
    assert "is confirmed" in said(browser.post(page_of(incident, "unconfirm"), follow=True))


def test_before_it_is_restored_the_page_says_who_will_be_called(incident):
    assert "2 of 3 tickets asked for a callback" in text_of(enter("Operator").get(page_of(incident)))


def test_an_operator_restores_an_incident(incident):
    answer = enter("Operator").post(page_of(incident, "restore"), {"at": ""}, follow=True)
    assert said(answer) == "Restored. 2 callbacks in the queue; with the last it is closed."
    incident.refresh_from_db()
    assert incident.stage == "restored"
    assert Callback.objects.filter(incident=incident, state="queued").count() == 2


def test_an_incident_that_nobody_waits_for_is_closed_at_once():
    row = make_incident()
    at = f"{timezone.localtime() - timedelta(hours=1):%Y-%m-%dT%H:%M}"
    answer = enter("Operator").post(page_of(row, "restore"), {"at": at}, follow=True)
    assert said(answer) == "Restored. No callback is to be made, so it is closed."
    row.refresh_from_db()
    assert row.restored_at < timezone.now() - timedelta(minutes=59)


def test_a_restoration_to_come_is_refused(incident):
    at = f"{timezone.localtime() + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    page = text_of(enter("Operator").post(page_of(incident, "restore"), {"at": at}))
    assert "is still to come. Set the estimated restoration instead." in page
    assert f'value="{at}"' in page
    incident.refresh_from_db()
    assert incident.restored_at is None


def test_who_restores_what_is_restored_is_told(incident):
    incident_restore(incident=incident, actor="another")
    page = text_of(enter("Operator").post(page_of(incident, "restore"), {"at": ""}))
    assert 'class="bb-fault" role="alert"' in page


def test_an_operator_archives_a_closed_incident(incident):
    browser = enter("Operator")
    assert "Only a closed incident" in said(browser.post(page_of(incident, "archive"), follow=True))
    incident.tickets.update(call_back=False)
    incident_restore(incident=incident, actor="test")
    assert page_of(incident, "archive") in text_of(browser.get(page_of(incident)))
    assert said(browser.post(page_of(incident, "archive"), follow=True)) == "Archived with 3 tickets."
    incident.refresh_from_db()
    assert incident.stage == "archived"


# -- its story ---------------------------------------------------------------------------------------------


def test_the_story_of_an_incident(incident):
    crew, browser = make_crew(), enter("Operator")
    change(browser, incident, status="Dispatched", crews=[crew.pk])
    change(browser, incident, status="Arrived", comment="They are there")
    browser.post(page_of(incident, "restore"), {"at": ""})
    Callback.objects.update(state="closed")
    entries = browser.get(page_of(incident)).context["timeline"]
    person = AuditEntry.objects.filter(action="incident_restore").get().actor
    assert [(entry.happened, entry.by) for entry in entries] == [
        (["Restored"], person),
        ([], person),
        (["Confirmed"], person),
        (["Opened by its first ticket"], ""),
    ]
    assert entries[1].changes == [("Status", "Dispatched", "Arrived"), ("Comment", "", "They are there")]
    assert ("Crews", "", "Line crew 4") in entries[2].changes


def test_a_crew_that_is_gone_stays_in_the_story(incident):
    crew = make_crew("Gone fishing")
    incident_change(incident=incident, actor="olga", crews=[crew])
    assert enter().post(page_of(crew, "delete"), {"post": "yes"}).status_code == 302
    entries = enter("Viewer").get(page_of(incident)).context["timeline"]
    assert ("Crews", "", "a crew that is gone") in entries[0].changes


def test_a_long_story_is_told_from_its_end(incident, monkeypatch):
    monkeypatch.setattr("crm.admin.timeline.KEPT", 3)
    for number in range(6):
        incident_change(incident=incident, actor="olga", comment=f"comment {number}")
    page = text_of(enter("Viewer").get(page_of(incident)))
    assert "comment 5" in page
    assert "comment 1" not in page


# -- who may what ------------------------------------------------------------------------------------------


def test_a_viewer_sees_neither_form_nor_button(incident):
    page = text_of(enter("Viewer").get(page_of(incident)))
    assert 'class="bb-button' not in page.replace('<a class="bb-button', "")
    assert "The power is back" not in page
    assert "estimated_restoration_at" not in page


@pytest.mark.parametrize("action", ["update", "confirm", "unconfirm", "restore", "archive"])
@pytest.mark.parametrize("role", ["Viewer", "Business admin"])
def test_a_forged_post_is_refused_and_audited(incident, action, role):
    before = Incident.objects.values().get(pk=incident.pk)
    assert enter(role).post(page_of(incident, action), {"status": "Arrived"}).status_code == 403
    assert refused(action).subject == f"incident:{incident.pk}"
    assert Incident.objects.values().get(pk=incident.pk) == before


@pytest.mark.parametrize("action", ["update", "confirm", "unconfirm", "restore", "archive"])
def test_nothing_changes_by_get(incident, action):
    assert enter().get(page_of(incident, action)).status_code == 405


def test_nobody_without_log_in_sees_anything(incident, client):
    assert client.get(page_of(incident)).status_code == 302
    assert client.get(list_of(Incident)).status_code == 302
