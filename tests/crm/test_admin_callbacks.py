"""The callback queue in the console: who holds what, marked for the IVR, released, results recorded by hand."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.admin.callback_summary import callback_summary
from crm.models import Callback, Incident
from integrations.models import AuditEntry
from tests.crm.admin_rows import (
    MARKUP,
    UNESCAPED,
    assigned,
    bulk,
    enter,
    list_of,
    make_callback,
    make_contact,
    make_incident,
    make_ticket,
    page_of,
    questions,
    refused,
    said,
    shown,
    text_of,
)

pytestmark = pytest.mark.django_db


# -- the list ----------------------------------------------------------------------------------------------


def test_an_empty_queue_is_shown():
    page = text_of(enter("Viewer").get(list_of(Callback)))
    assert "0 in the queue" in page
    assert "Nobody waits." in page


def test_the_list_is_in_the_order_in_which_callbacks_are_handed_out():
    late = make_callback(priority=3)
    early = make_callback(priority=3, created_at=timezone.now() - timedelta(hours=1))
    first = make_callback(priority=6)
    last = assigned(priority=0)
    assert shown(enter("Viewer"), Callback) == [first.pk, early.pk, late.pk, last.pk]


def test_the_list_says_who_is_called_and_who_does_it():
    row = assigned(make_ticket(phone="555-0142", last_name="Adeyemi"), to="csr9", language_id=21514)
    page = text_of(enter("Viewer").get(list_of(Callback)))
    for part in (
        "Adeyemi",
        "555-0142",
        "csr9",
        "Spanish (US)",
        "Restored",
        f"{timezone.localtime(row.release_at):%H:%M}",
    ):
        assert part in page, part


def test_a_telephone_goes_before_an_address_unless_that_is_preferred():
    ticket = make_ticket(phone="ann@example.org", last_name="Example")
    make_contact(ticket, "555-0143", "Example")
    make_callback(ticket)
    browser = enter("Viewer")
    assert "555-0143" in text_of(browser.get(list_of(Callback)))
    ticket.contacts.filter(media="email").update(preferred=True)
    page = text_of(browser.get(list_of(Callback)))
    assert "ann@example.org" in page
    assert "555-0143" not in page


def test_a_long_list_takes_as_many_questions_as_a_short_one():
    browser = enter("Operator")
    assigned()
    short = questions(browser, list_of(Callback))
    for number in range(60):
        assigned(make_ticket(phone=f"555-{number:04}", last_name="Example"), to=f"csr{number}")
    assert questions(browser, list_of(Callback)) == short <= 13


def test_the_filters():
    queued = make_callback(priority=6, automatic=True)
    held = assigned(to="csr9", language_id=21514, reason="Estimated restoration changed")
    over = assigned(to="csr8", minutes=-1)
    closed = make_callback(state="closed")
    browser = enter("Viewer")
    assert set(shown(browser, Callback)) == {queued.pk, held.pk, over.pk}
    assert set(shown(browser, Callback, state="queued")) == {queued.pk, over.pk}
    assert shown(browser, Callback, state="assigned") == [held.pk]
    assert shown(browser, Callback, state="closed") == [closed.pk]
    assert len(shown(browser, Callback, state="all")) == 4
    assert shown(browser, Callback, automatic__exact="1") == [queued.pk]
    assert shown(browser, Callback, priority="6") == [queued.pk]
    assert shown(browser, Callback, language="21514") == [held.pk]
    assert shown(browser, Callback, reason="Estimated restoration changed") == [held.pk]
    assert shown(browser, Callback, holder="csr9") == [held.pk]


@pytest.mark.parametrize(
    "query", ["priority=x", "priority=-1", "language=99999999999", "state=x", "holder=%00"]
)
def test_a_filter_of_a_value_that_is_none_is_no_error(query):
    make_callback()
    assert enter("Viewer").get(f"{list_of(Callback)}?{query}").status_code == 200


@pytest.mark.parametrize("term", ["(718) 555-0142", "Adeyemi", "CC-77"])
def test_a_callback_is_found_by(term):
    make_callback()
    wanted = make_callback(
        make_ticket(phone="718 555 0142", last_name="Adeyemi", name="CC-77"), state="closed"
    )
    assert shown(enter("Viewer"), Callback, q=term) == [wanted.pk]


def test_a_callback_is_found_by_its_mrid_its_ticket_s_and_its_incident_s():
    make_callback()
    wanted = make_callback()
    browser = enter("Viewer")
    for key in (wanted.pk, wanted.ticket_id, wanted.incident_id):
        assert shown(browser, Callback, q=str(key)) == [wanted.pk]


# -- the summary -------------------------------------------------------------------------------------------


def test_the_summary_says_what_waits_and_who_holds_what():
    for priority in (6, 6, 2):
        make_callback(priority=priority, created_at=timezone.now() - timedelta(minutes=5))
    for to in ("csr7", "csr7", "csr9"):
        assigned(to=to)
    assigned(to="gone home", minutes=-1)
    make_callback(state="closed")
    found = callback_summary()
    assert (found.queued, found.held) == (4, 3)
    assert [(bar.title, bar.number) for bar in found.priorities] == [("6", 2), ("2", 1), ("0", 1)]
    assert [(bar.title, bar.number, bar.percent) for bar in found.holders] == [
        ("csr7", 2, "100.0"),
        ("csr9", 1, "50.0"),
    ]
    assert found.oldest.startswith("5 min")


def test_the_bars_lead_to_what_they_count():
    make_callback(priority=6)
    assigned(to="csr & 9", priority=6)
    browser = enter("Viewer")
    found = callback_summary()
    for bar in (*found.priorities, *found.holders):
        assert browser.get(bar.link).context["cl"].result_count == bar.number


def test_the_summary_counts_no_further_than_its_bound(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr("crm.admin.callback_summary.COUNTED", 3)
    for _ in range(5):
        make_callback()
    with django_assert_num_queries(1):
        found = callback_summary()
    assert (found.queued, found.bound) == (3, 3)


def test_of_many_people_those_with_most_are_named():
    for number in range(10):
        for _ in range(number + 1):
            assigned(make_ticket(), to=f"csr{number}")
    found = callback_summary()
    assert [bar.title for bar in found.holders[:2]] == ["csr9", "csr8"]
    assert found.others == 2


# -- the page ----------------------------------------------------------------------------------------------


def test_the_page_says_whom_to_call_and_of_what():
    incident = make_incident(comment="A tree on the line", restored_at=timezone.now())
    ticket = make_ticket(
        incident, phone="555-0142", last_name="Adeyemi", comment="All is dark", callback_media=["SMS"]
    )
    row = assigned(ticket, to="csr9", comment="Nobody there at noon", times_assigned=2, priority=6)
    page = text_of(enter("Viewer").get(page_of(row)))
    for part in (
        "Callback to Adeyemi",
        "555-0142",
        "All is dark",
        "A tree on the line",
        "Nobody there at noon",
        "csr9, since",
        "6, the highest",
        "SMS",
        page_of(incident),
        page_of(ticket),
    ):
        assert part in page, part


def test_markup_in_a_callback_is_shown_as_text():
    ticket = make_ticket(
        make_incident(comment=MARKUP, cause=MARKUP), phone=MARKUP, last_name=MARKUP, comment=MARKUP
    )
    row = assigned(ticket, to=MARKUP, reason=MARKUP, result=MARKUP, comment=MARKUP)
    browser = enter()
    for address in (page_of(row), list_of(Callback)):
        page = text_of(browser.get(address))
        assert UNESCAPED not in page
        assert "&lt;script&gt;alert(" in page


def test_an_operator_gives_a_callback_to_the_ivr_and_back():
    row, browser = make_callback(), enter("Operator")
    assert said(browser.post(page_of(row, "automatic"), follow=True)) == "1 callback for the IVR now."
    row.refresh_from_db()
    assert row.automatic
    assert "was left as before" in said(browser.post(page_of(row, "automatic"), follow=True))
    assert said(browser.post(page_of(row, "manual"), follow=True)) == "1 callback for people now."
    row.refresh_from_db()
    assert not row.automatic


def test_an_operator_releases_a_callback():
    row, browser = assigned(), enter("Operator")
    assert said(browser.post(page_of(row, "release"), follow=True)) == "1 callback back in the queue."
    row.refresh_from_db()
    assert (row.state, row.assigned_to) == ("queued", "")
    assert "nobody has it" in said(browser.post(page_of(row, "release"), follow=True))


def test_an_operator_records_a_result_that_closes():
    incident = make_incident(restored_at=timezone.now())
    row = assigned(make_ticket(incident))
    posted = {"result": "Restored", "comment": "Thanked us"}
    answer = enter("Operator").post(page_of(row, "result"), posted, follow=True)
    assert said(answer) == "Restored is recorded: it is closed."
    assert "Record a result" not in text_of(answer)
    row.refresh_from_db()
    assert (row.state, row.result, row.comment) == ("closed", "Restored", "Thanked us")
    incident.refresh_from_db()
    assert incident.closed_at


def test_an_operator_records_a_result_that_closes_nothing():
    row = assigned()
    answer = enter("Operator").post(page_of(row, "result"), {"result": "No Answer"}, follow=True)
    assert said(answer) == "No Answer is recorded: it is called again later."
    row.refresh_from_db()
    assert (row.state, row.result) == ("assigned", "No Answer")


@pytest.mark.parametrize(
    ("posted", "why"),
    [
        ({"result": ""}, "This field is required"),
        ({"result": "Won the lottery"}, "Select a valid choice"),
        ({"result": "Busy", "comment": "x" * 501}, "500 are the most"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_result_that_is_none_stays_in_the_form_with_the_reason(posted, why):
    row = assigned()
    assert why in text_of(enter("Operator").post(page_of(row, "result"), posted))
    row.refresh_from_db()
    assert row.result == ""


def test_who_records_a_result_of_a_closed_callback_is_told():
    row = make_callback(state="closed", result="Restored")
    assert "is closed already" in text_of(enter("Operator").post(page_of(row, "result"), {"result": "Busy"}))


# -- many at once ------------------------------------------------------------------------------------------


def test_many_are_marked_at_once_and_of_the_others_it_is_said_why():
    rows, browser = [make_callback(), make_callback(), assigned()], enter("Operator")
    answer = bulk(browser, Callback, "mark_automatic", rows)
    assert "2 callbacks for the IVR now." in said(answer)
    assert "1 callback was left as before: it was so already, somebody has it, or it is closed." in said(
        answer
    )
    assert Callback.objects.filter(automatic=True).count() == 2
    bulk(browser, Callback, "mark_manual", rows)
    assert not Callback.objects.filter(automatic=True).exists()


def test_many_are_released_at_once():
    rows = [assigned(), assigned(), make_callback()]
    answer = bulk(enter("Operator"), Callback, "release_selected", rows)
    assert "2 callbacks back in the queue." in said(answer)
    assert Callback.objects.filter(state="queued").count() == 3
    assert AuditEntry.objects.filter(action="callbacks_release").exists()


# -- who may what ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [make_callback, assigned])
def test_a_viewer_sees_neither_form_nor_button(make):
    row, browser = make(), enter("Viewer")
    page = text_of(browser.get(page_of(row)))
    assert 'class="bb-button' not in page.replace('<a class="bb-button', "")
    assert "Record a result" not in page
    assert "mark_automatic" not in text_of(browser.get(list_of(Callback)))


@pytest.mark.parametrize("action", ["automatic", "manual", "release", "result"])
@pytest.mark.parametrize("role", ["Viewer", "Business admin"])
def test_a_forged_post_is_refused_and_audited(action, role):
    row = assigned()
    before = Callback.objects.values().get(pk=row.pk)
    assert enter(role).post(page_of(row, action), {"result": "Restored"}).status_code == 403
    assert refused(action).subject == f"callback:{row.pk}"
    assert Callback.objects.values().get(pk=row.pk) == before


@pytest.mark.parametrize("action", ["mark_automatic", "mark_manual", "release_selected"])
def test_a_forged_bulk_action_is_refused_and_audited(action):
    row = assigned()
    assert bulk(enter("Viewer"), Callback, action, [row]).status_code == 403
    refused(action)
    row.refresh_from_db()
    assert row.state == "assigned"


@pytest.mark.parametrize("action", ["automatic", "manual", "release", "result"])
def test_nothing_changes_by_get(action):
    assert enter().get(page_of(assigned(), action)).status_code == 405


def test_incidents_are_named_in_the_queue():
    make_callback(make_ticket(Incident.objects.create(status="New", transformer_id="TX-470")))
    assert "TX-470" in text_of(enter("Viewer").get(list_of(Callback)))
