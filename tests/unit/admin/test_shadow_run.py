"""A shadow run: stored messages mapped as it is live and as the draft would, and nothing done with either."""

import json
import time

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from integrations import models
from integrations.engine.faults import Busy, InvalidMessage
from integrations.services import shadow_run as service
from integrations.services.shadow_run import shadow_run
from integrations.services.studio_seen import Sight
from integrations.services.studio_try import Draft
from integrations.storage import payload_put
from tests import factories
from tests.unit.admin.conftest import text_of

BASE = '{"id": accountId, "name": customerName}'


@pytest.fixture
def mapping(db):
    return factories.MappingFactory(expression=BASE)


@pytest.fixture
def stored(mapping):
    """Four messages on record, newest last: the fourth has no account."""
    messages = [{"accountId": str(number), "customerName": f"name{number}"} for number in (1, 2, 3)]
    for message in [*messages, {"customerName": "nobody"}]:
        kept = payload_put(json.dumps(message).encode(), content_type="application/json")
        factories.ActivityFactory(
            instance=factories.InstanceFactory(flow=mapping.flow),
            kind="mapped",
            text=f"Mapped with {mapping.name}",
            payload_out=kept,
        )
    return mapping


def _run(mapping, expression='{"big": $number(source.accountId) > 2 ? true}', sight=None, **more):
    draft = Draft(mapping, expression=expression, active=more.pop("active", True))
    return shadow_run(draft=draft, most=200, sight=sight or Sight(contents=True), actor="conny", **more)


def test_totals_fields_and_outcomes_say_what_would_differ(stored):
    shadow = _run(stored)
    assert shadow.totals == {"unchanged": 3, "differs": 1}
    (total,) = shadow.fields
    assert (total.field, total.kinds, total.messages, total.example.new) == ("/big", "added", 1, True)
    assert not shadow.late


def test_a_message_that_the_draft_fails_with_is_told_from_one_that_fails_already(stored):
    shadow = _run(stored, '{"id": $assert($exists(source.accountId), "no account") }')
    assert shadow.totals["fails"] == 1
    factories.MappingExtensionFactory(mapping=stored, pointer="/gone")
    assert _run(stored, '{"x": 1}').totals == {"failing": 4}


def test_what_is_live_now_is_what_it_is_compared_with(stored):
    row = factories.MappingExtensionFactory(mapping=stored, expression='{"region": "north"}')
    draft = Draft(stored, row.pk, expression='{"region": "south"}')
    shadow = shadow_run(draft=draft, most=2, sight=Sight(contents=True), actor="conny")
    assert shadow.looked == 2
    assert (shadow.fields[0].example.old, shadow.fields[0].example.new) == ("north", "south")
    off = Draft(stored, row.pk, expression='{"region": "north"}', active=False)
    assert shadow_run(draft=off, most=1, sight=Sight(True), actor="c").fields[0].kinds == "removed"


def test_it_ends_when_its_time_is_over_and_says_so(stored):
    shadow = _run(stored, seconds=0.0)
    assert (shadow.looked, shadow.late) == (1, True)


def test_values_are_masked_also_where_the_draft_renames_them(stored):
    shadow = _run(stored, '{"who": source.customerName}', sight=Sight(True, ("customerName",)))
    shown = json.dumps([(one.old, one.new) for outcome in shadow.outcomes for one in outcome.fields])
    assert "name1" not in shown
    assert shadow.totals == {"differs": 4}


def test_a_sentence_that_may_quote_a_masked_field_is_left_out(stored):
    shadow = _run(stored, "$error(source.customerName)", sight=Sight(True, ("customerName",)))
    assert not any("name1" in one.text for one in shadow.outcomes)
    assert "may quote the message" in shadow.outcomes[-1].text


def test_without_the_right_to_read_payloads_there_are_fields_and_no_values(stored):
    shadow = _run(stored, '{"who": source.customerName}', sight=Sight(contents=False))
    assert shadow.fields[0].field == "/who"
    assert shadow.fields[0].example.new is None


RENAMED = '{ $string(source): 1, source.customerName: 2, "typed": 3, \'say "so"\': 4 }'


@pytest.mark.parametrize("expression", [RENAMED, '{"x": {"y": 1}} ~> |x|{$$.source.customerName: 1}|'])
def test_without_contents_a_name_made_of_contents_is_a_field(stored, expression):
    shadow = _run(stored, expression, sight=Sight(contents=False))
    assert shadow.totals == {"differs": 4}
    shown = repr(shadow.fields) + repr([one.fields for one in shadow.outcomes])
    assert "a field" in shown or "/x" in shown
    assert not any(name in shown for name in ("accountId", "name1", "nobody"))


def test_without_contents_names_of_the_base_and_of_the_drafts_texts_are_shown(stored):
    factories.MappingExtensionFactory(mapping=stored, expression='{source.customerName: "live"}')
    shadow = _run(stored, '{"typed": 3, \'say "so"\': 4, "id": "other"}', sight=Sight(contents=False))
    assert {one.field for one in shadow.fields} == {"/typed", '/say "so"', "/id"}
    gone = Draft(stored, stored.extensions.get().pk, expression="{}")
    shadow = shadow_run(draft=gone, most=9, sight=Sight(contents=False), actor="conny")
    assert {(one.field, one.kinds) for one in shadow.fields} == {("a field", "removed")}


def test_where_masks_apply_names_come_from_the_masked_message(stored):
    shadow = _run(stored, RENAMED, sight=Sight(True, ("customerName",)))
    assert "name1" not in repr(shadow.fields) + repr([one.fields for one in shadow.outcomes])
    only_masked = '{"starts": source.customerName = "name1" ? 1}'
    shadow = _run(stored, only_masked, sight=Sight(True, ("customerName",)))
    assert [(one.field, one.messages) for one in shadow.fields] == [("a field", 1)]


@pytest.mark.parametrize(
    ("sight", "says"), [(Sight(True), True), (Sight(True, ("x",)), False), (Sight(False), False)]
)
def test_why_a_message_cannot_be_read_is_said_to_who_may_see_it_all(stored, monkeypatch, sight, says):
    def unreadable(*_):
        raise InvalidMessage("It holds secret4711")

    monkeypatch.setattr(service, "sources_of", unreadable)
    (said,) = {one.text for one in _run(stored, sight=sight).outcomes}
    assert ("secret4711" in said) is says
    assert said
    read = models.AuditEntry.objects.get(action="shadow_run").detail["read"]
    assert len(read) == (4 if sight.contents else 0)


def test_what_an_expression_worked_on_is_in_the_audit_trail_though_nothing_was_shown(stored):
    _run(stored, sight=Sight(contents=False))
    detail = models.AuditEntry.objects.get(action="shadow_run").detail
    assert (detail["contents"], len(detail["read"])) == (False, 4)


def test_nothing_is_written_but_a_line_in_the_audit_trail(stored):
    before = (models.Instance.objects.count(), models.Activity.objects.count())
    _run(stored)
    assert (models.Instance.objects.count(), models.Activity.objects.count()) == before
    detail = models.AuditEntry.objects.get(action="shadow_run").detail
    assert (detail["looked"], detail["differs"], len(detail["read"])) == (4, 1, 4)


def test_one_runs_at_a_time(stored):
    with service._one_at_a_time, pytest.raises(Busy):
        _run(stored)


def test_two_hundred_messages_are_the_most(mapping):
    kept = payload_put(b'{"accountId": "1"}', content_type="application/json")
    rows = [factories.InstanceFactory.build(flow=mapping.flow) for _ in range(210)]
    models.Instance.objects.bulk_create(rows)
    text = f"Mapped with {mapping.name}"
    models.Activity.objects.bulk_create(
        [models.Activity(instance=row, kind="mapped", text=text, payload_out=kept) for row in rows]
    )
    began = time.monotonic()
    shadow = shadow_run(
        draft=Draft(mapping, expression='{"a": 1}'), most=1000, sight=Sight(True), actor="conny"
    )
    assert shadow.looked == 200
    assert time.monotonic() - began < 15


def test_the_page_prints_totals_first_and_takes_the_draft_back(configurator, stored):
    person = User.objects.get(username="conny")
    person.user_permissions.add(Permission.objects.get(codename="read_payload"))
    url = reverse("admin:integrations_mapping_studio_shadow", args=[stored.pk])
    given = {"extension": "new", "expression": '{"who": "you"}', "active": "on", "messages": "3"}
    page = text_of(configurator.post(url, given))
    assert "Looked at 3 stored messages" in page
    assert page.index("Looked at") < page.index("Message by message")
    assert "{&quot;who&quot;: &quot;you&quot;}" in page


def test_a_mapping_without_stored_messages_says_how_to_get_them(configurator, mapping):
    url = reverse("admin:integrations_mapping_studio_shadow", args=[mapping.pk])
    page = text_of(configurator.post(url, {"extension": "new", "expression": "{}", "messages": "x"}))
    assert "at level debug" in " ".join(page.split())
    assert reverse("admin:integrations_flow_trace", args=[mapping.flow.pk]) in page
