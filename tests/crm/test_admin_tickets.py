"""Trouble tickets in the console: found by phone, name, service point and id; contacts kept; nothing runs as markup."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.admin import ticket_filters
from crm.admin.find import find_tickets
from crm.models import CallerContact, TroubleTicket
from integrations.models import AuditEntry
from tests.crm.admin_rows import (
    MARKUP,
    UNESCAPED,
    enter,
    list_of,
    make_callback,
    make_contact,
    make_incident,
    make_message,
    make_point,
    make_ticket,
    page_of,
    questions,
    refused,
    said,
    shown,
    text_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def known():
    """A ticket with everything it can be found by, among others."""
    for number in range(3):
        make_ticket(phone=f"555-020{number}", last_name="Other", name=f"EXT-{number}")
    return make_ticket(
        phone="(718) 555-0142", last_name="Adeyemi", name="CC-77", kind="customer", service_point=make_point()
    )


# -- the list ----------------------------------------------------------------------------------------------


def test_an_empty_list_is_shown():
    answer = enter("Viewer").get(list_of(TroubleTicket))
    assert answer.status_code == 200
    assert answer.context["cl"].result_count == 0


def test_a_long_list_takes_as_many_questions_as_a_short_one():
    browser = enter("Viewer")
    make_ticket(phone="555-0100", service_point=make_point())
    short = questions(browser, list_of(TroubleTicket))
    for number in range(60):
        ticket = make_ticket(phone=f"555-{number:04}", service_point=make_point(f"P-{number}"))
        make_contact(ticket, f"p{number}@example.org", "Example")
    assert questions(browser, list_of(TroubleTicket)) == short <= 12
    assert len(shown(browser, TroubleTicket)) == 50


def test_archived_tickets_are_shown_when_they_are_asked_for():
    active = make_ticket()
    archived = make_ticket(make_incident(archived_at=timezone.now()), archived_at=timezone.now())
    browser = enter("Viewer")
    assert shown(browser, TroubleTicket) == [active.pk]
    assert shown(browser, TroubleTicket, set="archived") == [archived.pk]
    assert shown(browser, TroubleTicket, set="all") == [archived.pk, active.pk]


def test_the_number_of_active_tickets_leaves_archived_ones_out():
    for _ in range(3):
        make_ticket(make_incident(archived_at=timezone.now()), archived_at=timezone.now())
    make_ticket()
    assert enter().get(list_of(TroubleTicket)).context["cl"].result_count == 1


@pytest.mark.parametrize(
    ("query", "given"),
    [
        ({"kind": "landbase"}, {"kind": "landbase"}),
        ({"trouble": "Voltage Problem"}, {"trouble_code": "Voltage Problem"}),
        ({"source": "IVR"}, {"source": "IVR"}),
        ({"danger": "hazard"}, {"hazards": ["fire"]}),
        ({"danger": "special"}, {"special_caller": True}),
    ],
    ids=str,
)
@pytest.mark.parametrize("which", ["", "all"])
def test_a_filter(query, given, which):
    make_ticket()
    wanted = make_ticket(**given)
    assert shown(enter("Viewer"), TroubleTicket, **query, **({"set": which} if which else {})) == [wanted.pk]


@pytest.mark.parametrize("query", ["set=nonsense", "kind=x", "kind=%00", "danger=x", "trouble=&source="])
def test_a_filter_of_a_value_that_is_none_is_no_error(query):
    make_ticket()
    assert enter("Viewer").get(f"{list_of(TroubleTicket)}?{query}").status_code == 200


def test_rare_tickets_are_looked_for_among_the_active_ones(monkeypatch):
    asked = []
    monkeypatch.setattr(ticket_filters, "of_active_incidents", lambda rows: asked.append(1) or rows)
    make_ticket()
    browser = enter("Viewer")
    shown(browser, TroubleTicket, danger="hazard")
    assert asked
    asked.clear()
    shown(browser, TroubleTicket, danger="hazard", set="all")
    assert not asked


# -- search ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "term",
    [
        "7185550142",
        "718-555-0142",
        "+(718) 555 01.42",
        "Adeyemi",
        "adeyemi",
        "ADE",
        " Adey ",
        "CC-77",
        "SDP-1",
    ],
)
def test_a_ticket_is_found_by(known, term):
    assert shown(enter("Viewer"), TroubleTicket, q=term) == [known.pk]


@pytest.mark.parametrize("term", ["Z", "yemi", "CC-7", "SDP", "555", "%", "\\", "' OR 1=1", "ade%"])
def test_part_of_what_has_to_be_exact_finds_nothing(known, term):
    assert shown(enter("Viewer"), TroubleTicket, q=term) == []


def test_a_ticket_is_found_by_its_mrid_and_its_incident_s(known):
    browser = enter("Viewer")
    assert shown(browser, TroubleTicket, q=str(known.pk)) == [known.pk]
    assert shown(browser, TroubleTicket, q=known.pk.hex.upper()) == [known.pk]
    assert shown(browser, TroubleTicket, q=str(known.incident_id)) == [known.pk]
    assert shown(browser, TroubleTicket, q=str(uuid4())) == []


def test_a_ticket_is_found_by_an_e_mail_address_in_any_case(known):
    make_contact(known, "Ann@Example.org", "Adeyemi")
    assert shown(enter("Viewer"), TroubleTicket, q="ann@example.ORG") == [known.pk]


@pytest.mark.parametrize("name", ["Zz", "Ö", "Ångström", "O'Neil", "von Berg", "d_e%f", "99"])
def test_a_name_is_found_by_its_beginning_whatever_its_letters(known, name):
    wanted = make_ticket(phone="1", last_name=f"{name}ab")
    assert wanted.pk in shown(enter("Viewer"), TroubleTicket, q=f"{name}a")


def test_a_search_finds_archived_tickets_too():
    archived = make_ticket(
        make_incident(archived_at=timezone.now()), archived_at=timezone.now(), name="OLD-1"
    )
    answer = enter("Viewer").get(list_of(TroubleTicket), {"q": "OLD-1"})
    assert [row.pk for row in answer.context["cl"].result_list] == [archived.pk]
    assert "All that were found" in text_of(answer)


def _plans(asked):
    """How the database goes about each of the statements, had it a reason to use an index."""
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if not sqlite:  # of a few rows PostgreSQL would read the whole table
            cursor.execute("SET LOCAL enable_seqscan = off")
        for one in asked:
            cursor.execute(f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{one['sql']}")
            yield " ".join(str(row[-1]) for row in cursor.fetchall())


@pytest.mark.parametrize("term", ["Adeyemi", "7185550142", "CC-77"])
def test_a_search_takes_few_questions_and_each_goes_by_an_index(known, term):
    with CaptureQueriesContext(connection) as asked:
        find_tickets(TroubleTicket.objects.all(), term)
    plans = list(_plans(asked.captured_queries))
    assert 0 < len(plans) <= 7
    assert not [plan for plan in plans if "SCAN" in plan or "Seq Scan" in plan]


# -- the page ----------------------------------------------------------------------------------------------


def test_the_page_says_all_that_is_known(known):
    message = make_message(message_id="m-9", source="Portal of the town")
    start = timezone.now() + timedelta(hours=1)
    TroubleTicket.objects.filter(pk=known.pk).update(
        message=message,
        comment="The transformer hums",
        csr_id="csr12",
        hazards=["line down"],
        special_caller=True,
        call_back=True,
        callback_media=["SMS"],
        callback_periods=[{"start": start.isoformat()}],
        language_id=21514,
        location=[{"type": "Pole", "description": "poleId", "name": "4711"}],
    )
    make_callback(known, reason="Because it is restored", assigned_to="csr3")
    page = text_of(enter("Viewer").get(page_of(known)))
    for part in (
        "CC-77",
        str(known.pk),
        "The transformer hums",
        "taken by csr12",
        "line down",
        "special caller",
        "Wanted, by SMS",
        f"from {start:%-d %b %Y %H:%M}",
        "Spanish (US)",
        "Pole poleId 4711",
        "(718) 555-0142",
        "1 Main St",
        "T-1",
        "Portal of the town",
        "Because it is restored",
        page_of(known.incident),
        page_of(message),
        "<svg",
    ):
        assert part in page, part


def test_a_ticket_of_nothing_but_a_trouble_has_a_page():
    page = text_of(enter("Viewer").get(page_of(make_ticket())))
    assert "Nobody is known" in page
    assert "This ticket has no coordinates" in page


def test_a_usage_point_that_is_not_known_is_named():
    ticket = make_ticket(usage_point="SDP-404")
    browser = enter("Viewer")
    assert "there is none of this id" in text_of(browser.get(page_of(ticket)))
    assert "SDP-404" in text_of(browser.get(list_of(TroubleTicket)))


def test_markup_in_a_ticket_is_shown_as_text():
    point = make_point(MARKUP, address=MARKUP, transformer_id=MARKUP)
    incident = make_incident(comment=MARKUP, status=MARKUP, transformer_id=MARKUP)
    ticket = make_ticket(
        incident,
        phone=MARKUP,
        last_name=MARKUP,
        kind="customer",
        name=MARKUP,
        comment=MARKUP,
        trouble_code=MARKUP,
        source=MARKUP,
        csr_id=MARKUP,
        hazards=[MARKUP],
        usage_point=MARKUP,
        service_point=point,
        callback_media=[MARKUP],
        callback_periods=[{"start": MARKUP}],
        call_back=True,
        location=[{"type": MARKUP, "PositionPoint": {"xPosition": MARKUP}}],
        last_update_user=MARKUP,
        message=make_message(source=MARKUP, operation=MARKUP),
    )
    make_callback(ticket, reason=MARKUP, assigned_to=MARKUP, result=MARKUP)
    browser = enter()
    for address in (page_of(ticket), list_of(TroubleTicket)):
        page = text_of(browser.get(address))
        assert UNESCAPED not in page
        assert "&lt;script&gt;alert(" in page


# -- contacts ----------------------------------------------------------------------------------------------


def test_an_operator_prefers_a_contact(known):
    other = make_contact(known, "ann@example.org", "Adeyemi")
    browser = enter("Operator")
    answer = browser.post(page_of(known, "prefer"), {"contact": other.pk}, follow=True)
    assert "is preferred now" in said(answer)
    assert "preferred" in text_of(answer)
    other.refresh_from_db()
    assert other.preferred
    browser.post(page_of(known, "prefer"), {"contact": other.pk, "preferred": "no"})
    other.refresh_from_db()
    assert not other.preferred


@pytest.mark.parametrize("asked", ["", "x", "99999999999999999999", "0"])
def test_a_contact_that_is_not_the_ticket_s_is_not_preferred(known, asked):
    stranger = make_contact(make_ticket(), "555-0199")
    for contact in (asked, stranger.pk):
        answer = enter("Operator").post(page_of(known, "prefer"), {"contact": contact}, follow=True)
        assert "no such contact" in said(answer)
    assert not CallerContact.objects.filter(preferred=True).exists()


def test_an_operator_adds_a_contact(known):
    given = {"first_name": "Olu", "last_name": "Adeyemi", "kind": "landline", "value": "718 555 0143"}
    answer = enter("Operator").post(page_of(known, "add_contact"), given, follow=True)
    assert said(answer) == "The contact is added."
    assert known.contacts.get(media="landline").search == "7185550143"
    assert AuditEntry.objects.filter(action="contact_add").exists()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"kind": "email", "value": "nobody at home"}, "is no e-mail address"),
        ({}, "needs a name"),
        ({"value": "555-0101"}, "has to be said"),
        ({"kind": "carrier pigeon", "value": "1"}, "Select a valid choice"),
        ({"last_name": "A\x07B"}, "control character"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_contact_that_is_none_stays_in_the_form_with_the_reason(known, given, why):
    page = text_of(
        enter("Operator").post(
            page_of(known, "add_contact"), {"first_name": "Kept" if given else "", **given}
        )
    )
    assert why in page
    assert "<details open>" in page
    if given:
        assert 'value="Kept"' in page
    assert known.contacts.count() == 1


def test_contacts_of_an_archived_ticket_stay_as_they_are(known):
    TroubleTicket.objects.filter(pk=known.pk).update(archived_at=timezone.now())
    browser = enter("Operator")
    assert "Add a contact" not in text_of(browser.get(page_of(known)))
    page = text_of(browser.post(page_of(known, "add_contact"), {"last_name": "Late"}))
    assert "is archived and cannot be changed" in page


# -- who may what ------------------------------------------------------------------------------------------


def test_a_viewer_sees_no_button(known):
    page = text_of(enter("Viewer").get(page_of(known)))
    assert 'class="bb-button' not in page.replace('<a class="bb-button', "")
    assert "Add a contact" not in page


@pytest.mark.parametrize("action", ["prefer", "add_contact"])
@pytest.mark.parametrize("role", ["Viewer", "Business admin"])
def test_a_forged_post_is_refused_and_audited(known, action, role):
    contact = known.contacts.get()
    answer = enter(role).post(page_of(known, action), {"contact": contact.pk, "last_name": "Forged"})
    assert answer.status_code == 403
    assert refused(action).subject == f"troubleticket:{known.pk}"
    contact.refresh_from_db()
    assert not contact.preferred
    assert known.contacts.count() == 1


def test_nothing_changes_by_get(known):
    assert enter().get(page_of(known, "prefer")).status_code == 405


def test_nobody_saves_or_deletes_a_ticket_by_hand(known):
    browser = enter()
    assert browser.post(page_of(known), {"comment": "x"}).status_code == 403
    assert browser.post(page_of(known, "delete"), {"post": "yes"}).status_code == 403
