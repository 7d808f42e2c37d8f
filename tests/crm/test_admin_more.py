"""The call centre's other pages: crews, service points, landbase, messages, callers; menu, overview and roles."""

import json
from typing import Any

import pytest
from django.contrib import admin as stock
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from crm.admin.overview import first_key
from crm.models import (
    Callback,
    Crew,
    CrmCaller,
    Incident,
    LandbaseObject,
    ReceivedMessage,
    ServiceDeliveryPoint,
    TroubleTicket,
)
from crm.outage.landbase import search_key
from integrations.models import AuditEntry
from tests import factories
from tests.crm.admin_rows import (
    MARKUP,
    UNESCAPED,
    assigned,
    enter,
    list_of,
    make_callback,
    make_crew,
    make_incident,
    make_message,
    make_point,
    make_ticket,
    page_of,
    questions,
    refused,
    shown,
    text_of,
)

pytestmark = pytest.mark.django_db


def make_place(**given):
    parameters = given.pop("parameters", {"poleId": "4711"})
    made = {
        "search_type": "Pole",
        "parameters": parameters,
        "key": search_key(parameters),
        "x": 1.0,
        "y": 2.0,
    }
    return LandbaseObject.objects.create(**{**made, **given})


def make_caller(**given):
    return CrmCaller.objects.create(client=factories.ClientFactory(), **given)


ROWS: dict[Any, Any] = {
    Callback: make_callback,
    CrmCaller: make_caller,
    Crew: make_crew,
    Incident: make_incident,
    LandbaseObject: make_place,
    ReceivedMessage: make_message,
    ServiceDeliveryPoint: make_point,
    TroubleTicket: make_ticket,
}
FORMS = {
    Crew: {"mrid": "c-1", "name": "Crew"},
    ServiceDeliveryPoint: {"mrid": "SDP-9", "customer_priority": "3"},
    LandbaseObject: {"search_type": "Pole", "parameters": '{"poleId": "12"}', "x": "1", "y": "2"},
}
each_model = pytest.mark.parametrize("model", list(ROWS), ids=lambda model: model.__name__)
each_form = pytest.mark.parametrize("model", list(FORMS), ids=lambda model: model.__name__)


def add(browser, model, given):
    return browser.post(reverse(f"admin:crm_{model._meta.model_name}_add"), given)


# -- all of them -------------------------------------------------------------------------------------------


def test_every_page_of_the_call_centre_is_in_these_tests():
    assert {model for model in stock.site._registry if model._meta.app_label == "crm"} == set(ROWS)


@each_model
@pytest.mark.parametrize("role", ["", "Viewer", "Operator", "Configurator", "Business admin"])
def test_everyone_with_a_role_sees_list_and_page(model, role):
    browser = enter(role)
    assert browser.get(list_of(model)).status_code == 200
    row = ROWS[model]()
    assert browser.get(list_of(model)).status_code == 200
    assert browser.get(page_of(row)).status_code == 200


@each_model
def test_a_viewer_s_post_is_refused_and_audited(model):
    row = ROWS[model]()
    assert enter("Viewer").post(page_of(row), {"name": "x"}).status_code == 403
    refused("save")


@each_model
def test_a_viewer_deletes_nothing(model):
    row = ROWS[model]()
    assert enter("Viewer").post(page_of(row, "delete"), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@each_model
def test_a_row_that_is_not_there_leads_to_the_list(model):
    key = ROWS[model]().pk
    model.objects.filter(pk=key).delete()
    address = reverse(f"admin:crm_{model._meta.model_name}_change", args=[key])
    assert enter().get(address, follow=True).status_code == 200


@each_form
def test_who_may_add_and_change_does_and_it_is_audited(model):
    role = "Operator" if model is Crew else "Configurator"
    browser = enter(role)
    assert add(browser, model, FORMS[model]).status_code == 302
    row = model.objects.get()
    changed = {**FORMS[model], "name": "Another", "x": "5", "y": "6"}
    assert browser.post(page_of(row), changed).status_code == 302
    assert browser.post(page_of(row, "delete"), {"post": "yes"}).status_code == 302
    assert not model.objects.exists()
    name = model._meta.model_name
    done = AuditEntry.objects.filter(action__startswith=name).order_by("pk").values_list("action", flat=True)
    assert list(done) == [f"{name}_add", f"{name}_change", f"{name}_delete"]


@each_form
def test_a_viewer_adds_nothing(model):
    assert add(enter("Viewer"), model, FORMS[model]).status_code == 403
    assert not model.objects.exists()


@pytest.mark.parametrize("model", [ServiceDeliveryPoint, LandbaseObject], ids=lambda model: model.__name__)
def test_an_operator_changes_no_places(model):
    assert add(enter("Operator"), model, FORMS[model]).status_code == 403


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("Viewer", []),
        ("Business admin", []),
        ("Operator", ["incident", "callback", "troubleticket", "crew"]),
        (
            "Configurator",
            [
                "incident",
                "callback",
                "troubleticket",
                "crew",
                "servicedeliverypoint",
                "landbaseobject",
                "crmcaller",
            ],
        ),
    ],
)
def test_who_may_change_what(role, may):
    held = factories.UserFactory(role=role).get_all_permissions()
    changes = {name for name in held if name.startswith("crm.") and ".change_" in name}
    assert changes == {f"crm.change_{name}" for name in may}


# -- service delivery points -------------------------------------------------------------------------------


@pytest.mark.parametrize("term", ["SDP-1", "T-1", "main st"])
def test_a_service_point_is_found_by(term):
    wanted = make_point("SDP-1")
    make_point("SDP-11", transformer_id="T-11", address="2 Shore Rd")
    assert shown(enter("Viewer"), ServiceDeliveryPoint, q=term) == [wanted.pk]


def test_a_service_point_s_priority_is_a_filter():
    make_point("SDP-1")
    wanted = make_point("SDP-2", customer_priority=6)
    assert shown(enter("Viewer"), ServiceDeliveryPoint, priority="6") == [wanted.pk]


def test_a_service_point_s_page_says_whether_its_power_is_out():
    point = make_point()
    incident = make_incident(scope="transformer T-1", transformer_id="T-1", status="Dispatched")
    make_ticket(incident, kind="customer", service_point=point, name="CC-5")
    page = text_of(enter("Viewer").get(page_of(point)))
    for part in ("CC-5", "Dispatched", page_of(incident), "<svg"):
        assert part in page, part


@pytest.mark.parametrize("priority", ["7", "-1", "x"])
def test_a_priority_that_is_none_is_refused(priority):
    answer = add(enter(), ServiceDeliveryPoint, {"mrid": "SDP-9", "customer_priority": priority})
    assert answer.status_code == 200
    assert answer.context["errors"]


def test_a_service_point_keeps_its_id():
    point = make_point()
    enter().post(page_of(point), {"mrid": "SDP-OTHER", "customer_priority": "1"})
    assert list(ServiceDeliveryPoint.objects.values_list("mrid", "customer_priority")) == [("SDP-1", 1)]


def test_a_service_point_with_tickets_stays():
    point = make_point()
    make_ticket(service_point=point, name="CC-5")
    answer = enter().post(page_of(point, "delete"), {"post": "yes"})
    assert "1 trouble ticket(s) of it, archived ones among them" in text_of(answer)
    assert ServiceDeliveryPoint.objects.exists()


# -- landbase ----------------------------------------------------------------------------------------------


def test_a_landbase_object_s_key_is_worked_out():
    given = {"search_type": "Intersection", "parameters": '{"street1": "Main  ST", "Street2": "2nd Ave"}'}
    add(enter("Configurator"), LandbaseObject, {**given, "x": "1", "y": "2"})
    row = LandbaseObject.objects.get()
    assert row.key == search_key({"street1": "MAIN ST", "street2": "2ND AVE"})
    assert shown(enter("Viewer"), LandbaseObject, q=" main  st ") == [row.pk]
    assert shown(enter("Viewer"), LandbaseObject, type="Pole") == []


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ("{", "Enter a valid JSON"),
        ('["4711"]', "Enter an object"),
        ('{"poleId": 12}', "enter a text in quotes"),
        ('{"poleId": " "}', "enter a text in quotes"),
        ('{"street1": "MAIN ST"}', "Pole takes poleId: all of them and no other."),
        ('{"poleId": "1", "more": "2"}', "Pole takes poleId: all of them and no other."),
        ('{"POLEID": " 4711 "}', "There is a Pole with these parameters already"),
    ],
)
def test_parameters_that_are_none_are_refused(parameters, why):
    make_place()
    answer = add(enter(), LandbaseObject, {**FORMS[LandbaseObject], "parameters": parameters})
    assert why in str(answer.context["errors"])
    assert LandbaseObject.objects.count() == 1


def test_a_landbase_object_is_saved_again_as_it_is():
    row = make_place()
    posted = {"search_type": "Pole", "parameters": json.dumps(row.parameters), "x": "1", "y": "3"}
    assert enter().post(page_of(row), posted).status_code == 302
    row.refresh_from_db()
    assert row.y == 3.0


# -- messages ----------------------------------------------------------------------------------------------


def test_the_list_of_messages_takes_as_many_questions_however_long_it_is():
    browser = enter("Viewer")
    make_message(client=factories.ClientFactory())
    short = questions(browser, list_of(ReceivedMessage))
    for number in range(60):
        make_message(message_id=f"n-{number}", client=factories.ClientFactory())
    assert questions(browser, list_of(ReceivedMessage)) == short <= 11


def test_a_message_is_found_by_its_id():
    wanted, refusal = make_message(message_id="m-77"), make_message(message_id="m-77", repeatable=False)
    make_message(message_id="m-7")
    browser = enter("Viewer")
    assert set(shown(browser, ReceivedMessage, q="m-77")) == {wanted.pk, refusal.pk}
    assert shown(browser, ReceivedMessage, q=str(wanted.pk)) == [wanted.pk]


def test_the_filters_of_messages():
    make_message()
    wanted = make_message(operation="GetCallbacks", result="FAILED", message_id="m-2")
    browser = enter("Viewer")
    assert shown(browser, ReceivedMessage, operation="GetCallbacks") == [wanted.pk]
    assert shown(browser, ReceivedMessage, result="FAILED") == [wanted.pk]
    assert len(shown(browser, ReceivedMessage, within="1h")) == 2


def test_a_message_s_page_says_what_came_of_it():
    row = make_message(
        reasons=["CommentExceedsLimit"], result="PARTIAL", user_id="csr7", repeats=2, milliseconds=12
    )
    make_ticket(message=row)
    page = text_of(enter("Viewer").get(page_of(row)))
    for part in (
        "CommentExceedsLimit",
        "PARTIAL",
        "csr7",
        "2 times",
        "12 ms",
        f"message__id__exact={row.pk}",
    ):
        assert part in page, part
    address = f"/admin/crm/troubleticket/?message__id__exact={row.pk}&set=all"
    assert enter("Viewer").get(address).context["cl"].result_count == 1


def test_header_and_reply_are_read_by_who_may_and_that_is_audited():
    row = make_message(header={"Source": "IVR of the town"})
    page = text_of(enter("Operator").get(page_of(row, "content")))
    assert "IVR of the town" in page
    assert "&quot;Result&quot;: &quot;OK&quot;" in page
    assert AuditEntry.objects.get(action="read_payload").subject == f"receivedmessage:{row.pk}"


@pytest.mark.parametrize("role", ["Viewer", "Business admin", "Configurator"])
def test_header_and_reply_are_kept_from_others(role):
    row = make_message()
    browser = enter(role)
    assert page_of(row, "content") not in text_of(browser.get(page_of(row)))
    assert browser.get(page_of(row, "content")).status_code == 403
    refused("read_payload")


def test_a_message_without_a_reply_says_so():
    assert "None is kept" in text_of(enter().get(page_of(make_message(reply=None), "content")))


def test_a_long_reply_is_cut(monkeypatch):
    monkeypatch.setattr("crm.admin.message.SHOWN", 10)
    page = text_of(enter().get(page_of(make_message(reply=b'"' + b"x" * 50 + b'"'), "content")))
    assert "The beginning is shown." in page
    assert "x" * 20 not in page


def test_a_message_that_is_not_there_has_no_content():
    row = make_message()
    address = page_of(row, "content")
    row.delete()
    assert enter().get(address).status_code == 404


def test_markup_in_messages_places_and_crews_is_shown_as_text():
    message = make_message(
        message_id=MARKUP,
        source=MARKUP,
        user_id=MARKUP,
        operation=MARKUP,
        reasons=[MARKUP],
        header={MARKUP: MARKUP},
        reply=json.dumps({"x": MARKUP}).encode(),
    )
    point = make_point(address=MARKUP, transformer_id=MARKUP)
    rows = [
        message,
        point,
        make_place(parameters={MARKUP: MARKUP}),
        make_crew(MARKUP),
        make_caller(operations=[MARKUP]),
    ]
    browser = enter()
    pages = (
        [page_of(row) for row in rows] + [list_of(type(row)) for row in rows] + [page_of(message, "content")]
    )
    for address in pages:
        assert UNESCAPED not in text_of(browser.get(address)), address


# -- callers -----------------------------------------------------------------------------------------------


def test_a_client_is_let_in_and_shut_out():
    client, browser = factories.ClientFactory(), enter("Configurator")
    assert add(browser, CrmCaller, {"client": client.pk, "operations": ["GetCallbacks"]}).status_code == 302
    row = CrmCaller.objects.get()
    assert row.operations == ["GetCallbacks"]
    browser.post(page_of(row), {"operations": []})
    row.refresh_from_db()
    assert (row.client, row.operations) == (client, [])
    assert "all operations" in text_of(browser.get(list_of(CrmCaller)))
    assert AuditEntry.objects.filter(action="crm_caller_allowed").count() == 2
    browser.post(page_of(row, "delete"), {"post": "yes"})
    assert not CrmCaller.objects.exists()
    assert AuditEntry.objects.filter(action="crmcaller_delete").exists()


def test_an_operation_that_is_none_is_refused():
    answer = add(enter(), CrmCaller, {"client": factories.ClientFactory().pk, "operations": ["DropTables"]})
    assert "Select a valid choice" in str(answer.context["errors"])


def test_an_operator_lets_no_client_in():
    assert add(enter("Operator"), CrmCaller, {"client": factories.ClientFactory().pk}).status_code == 403


# -- menu and overview -------------------------------------------------------------------------------------


def test_the_menu_leads_to_every_page():
    page = text_of(enter("Viewer").get("/admin/"))
    assert "Call centre" in page
    for model in ROWS:
        assert f'href="{list_of(model)}"' in page


def test_the_overview_counts_what_the_call_centre_has_to_do():
    cache.clear()
    make_incident()
    make_ticket(make_incident(restored_at=timezone.now()))
    callback = make_callback(make_ticket(make_incident(restored_at=timezone.now()), kind="location"))
    assigned(callback.ticket, minutes=-1)
    assigned(callback.ticket)
    browser = enter("Viewer")
    title, figures = browser.get("/admin/").context["more"][0]
    assert title == "Call centre"
    assert [(figure.title, figure.value) for figure in figures] == [
        ("Open incidents", 1),
        ("Callbacks to make", 2),
        ("Unlocated tickets today", 1),
    ]
    for figure in figures:
        assert browser.get(figure.link).context["cl"].result_count == figure.value


def test_the_first_key_of_a_time_is_before_all_that_follow():
    at = timezone.now()
    assert first_key(at) <= make_ticket().pk
