"""The mapping studio: what a draft makes of a message, where it is wrong, and who may see what."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from integrations import models
from integrations.storage import payload_put
from tests import factories
from tests.unit.admin.conftest import list_of, page_of, text_of

SOURCE = {"accountId": "88", "zone": "north", "devices": [{"nic": "a1"}, {"nic": "b2"}]}
BASE = '{"id": accountId, "location": {"devices": [devices.{"nicId": nic}]}}'


@pytest.fixture
def mapping(db):
    return factories.MappingFactory(expression=BASE)


def _to(mapping, name, *more):
    return reverse(f"admin:integrations_mapping_{name}", args=[mapping.pk, *more])


def _draft(**more):
    return {
        "extension": "new",
        "pointer": "",
        "expression": '{"region": source.zone}',
        "position": "0",
        "active": "on",
        "source": "pasted",
        "pasted": json.dumps(SOURCE),
        **more,
    }


def _live(browser, mapping, **more):
    return browser.post(_to(mapping, "studio_try"), _draft(**more), headers={"X-Studio-Live": "1"})


def _recorded(mapping, source, *, key="8800"):
    """A message that this mapping got while its flow was traced at debug."""
    instance = factories.InstanceFactory(flow=mapping.flow, primary_key_value=key)
    kept = payload_put(json.dumps(source).encode(), content_type="application/json")
    return factories.ActivityFactory(
        instance=instance, kind="mapped", text=f"Mapped with {mapping.name}", payload_out=kept
    )


@pytest.fixture
def reader(configurator):
    """A configurator who may read payloads."""
    person = User.objects.get(username="conny")
    person.user_permissions.add(Permission.objects.get(codename="read_payload"))
    return configurator


# -- the live result -------------------------------------------------------------------------------------


def test_the_draft_is_shown_beside_what_the_base_makes(configurator, mapping):
    answer = _live(configurator, mapping)
    assert answer.context["rows"] == [("/region", "added", "", '"north"')]
    assert "1 added" in answer.context["said"]
    assert "<html" not in text_of(answer)


def test_without_its_script_try_gives_the_whole_page_with_the_draft(configurator, mapping):
    page = configurator.post(_to(mapping, "studio_try"), _draft())
    assert "source.zone" in text_of(page)
    assert page.context["rows"][0][0] == "/region"


def test_added_changed_and_removed_fields_are_told_apart_in_words(configurator, mapping):
    page = text_of(
        _live(
            configurator,
            mapping,
            pointer="/location/devices/*",
            expression='{"nicId": item.nicId = "a1" ? "A1" : null, "n": 1}',
        )
    )
    assert all(word in page for word in ("+ added", "~ changed", "&minus; removed"))


def test_a_field_of_the_target_points_to_its_object_and_one_of_the_source_is_inserted(configurator, mapping):
    page = text_of(_live(configurator, mapping))
    assert 'name="point" value="/location/devices/*"' in page
    assert 'name="insert" value="source.devices[1].nic"' in page
    answer = configurator.post(_to(mapping, "studio_try"), _draft(point="/location", insert="source.zone"))
    assert answer.context["form"].pointer == "/location"
    assert answer.context["form"].expression.endswith("source.zone")


def test_a_script_in_a_message_is_shown_as_text(configurator, mapping):
    page = text_of(_live(configurator, mapping, pasted='{"accountId": "<script>x</script>"}'))
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page


# -- errors at their place -------------------------------------------------------------------------------


def test_an_expression_that_cannot_be_read_is_marked_at_its_line_and_column(configurator, mapping):
    trouble = _live(configurator, mapping, expression='{\n  "region": source.zone,\n  "x" 1\n}')
    assert trouble.context["trouble"].lines == (3,)
    assert trouble.context["trouble"].column == 7
    assert [line["marked"] for line in trouble.context["excerpt"]] == [False, True, False]


@pytest.mark.parametrize(
    ("pointer", "nearest"),
    [
        ("/location/device", "/location/devices/*"),
        ("/location/devices/nicId", "/location/devices/*"),
        ("/nothing/like/it", ""),
        ("location/devices/*", "/location/devices/*"),
        ("/id", ""),
    ],
)
def test_a_pointer_that_leads_nowhere_names_the_nearest_point(configurator, mapping, pointer, nearest):
    answer = _live(configurator, mapping, pointer=pointer)
    assert answer.context["trouble"].where == "pointer"
    assert answer.context["nearest"] == nearest


def test_a_draft_that_does_not_end_is_stopped_and_said_so(configurator, mapping):
    answer = _live(configurator, mapping, expression="($f := function($n){$f($n)}; $f(1))")
    said = answer.context["trouble"].text
    assert "did not end within" in said or "used more than" in said


def test_a_source_the_base_cannot_map_is_the_bases_trouble(configurator, db):
    mapping = factories.MappingFactory(expression='{"sum": 1 +\n accountId}')
    page = configurator.post(_to(mapping, "studio_try"), _draft())
    assert page.context["trouble"].where == "base"
    assert "st-line-marked" in text_of(page)


def test_another_extension_that_fails_is_named(configurator, mapping):
    other = factories.MappingExtensionFactory(mapping=mapping, pointer="/gone", position=1)
    answer = _live(configurator, mapping)
    assert answer.context["trouble"].where == "other"
    assert f"extension {other.pk}" in answer.context["trouble"].text


@pytest.mark.parametrize("pasted", ["{", "", "[" * 100 + "]" * 100, '"' + "x" * 300_000 + '"'])
def test_a_pasted_source_that_cannot_be_taken_is_said(configurator, mapping, pasted):
    answer = _live(configurator, mapping, pasted=pasted)
    assert answer.status_code == 200
    assert not answer.context["bench"].there
    assert answer.context["bench"].note


# -- saving ----------------------------------------------------------------------------------------------


def test_saving_keeps_the_reason_and_the_base_it_was_tried_with(configurator, mapping):
    configurator.post(_to(mapping, "studio_save"), _draft(reason="The site sends its region"))
    row = models.MappingExtension.objects.get()
    assert (row.reason, row.base_digest) == ("The site sends its region", mapping.digest)
    assert models.AuditEntry.objects.filter(action="extension_create", actor="conny").count() == 1


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "why", "expression": "{"}, "expression"),
        ({"reason": "why", "pointer": "/nowhere"}, "pointer"),
        ({"reason": "why", "position": "first"}, "position"),
        ({"reason": "why", "sample": "{"}, "sample"),
        ({"reason": "why", "sample": '{"devices": []}', "pointer": "/location/devices/*"}, "pointer"),
    ],
)
def test_what_would_not_work_is_not_saved_and_said_at_its_field(configurator, mapping, more, field):
    answer = configurator.post(_to(mapping, "studio_save"), _draft(**more))
    assert field in answer.context["form"].errors
    assert not models.MappingExtension.objects.exists()


def test_two_who_edit_at_once_do_not_overwrite_each_other(configurator, mapping):
    row = factories.MappingExtensionFactory(mapping=mapping)
    seen = row.history.first().history_id
    row.reason = "meanwhile"
    row.save()
    answer = configurator.post(
        _to(mapping, "studio_save"), _draft(extension=row.pk, seen=seen, reason="mine")
    )
    assert "another version" in answer.context["form"].errors["reason"]
    row.refresh_from_db()
    assert row.expression == '{"region": "north"}'


def test_a_version_seen_that_is_no_number_is_passed_over(configurator, mapping):
    row = factories.MappingExtensionFactory(mapping=mapping)
    sent = _draft(extension=row.pk, seen="²", reason="mine")
    assert configurator.post(_to(mapping, "studio_save"), sent).status_code == 302


# -- recorded messages -----------------------------------------------------------------------------------


def test_a_recorded_message_is_chosen_and_each_look_at_it_is_in_the_audit_trail(reader, mapping):
    line = _recorded(mapping, SOURCE)
    page = reader.get(_to(mapping, "studio"))
    assert page.context["form"].source == f"line-{line.pk}"
    assert "north" in text_of(page)
    _live(reader, mapping, source=f"line-{line.pk}")
    looks = models.AuditEntry.objects.filter(action="read_payload", subject=f"instance:{line.instance_id}")
    assert looks.count() == 1  # one line for all key presses of ten minutes


def test_a_message_that_the_flow_stores_is_a_source_without_tracing(reader, db):
    mapping = factories.MappingFactory(name="enroll_sync", expression='{"id": accountId}')
    instance = factories.InstanceFactory(flow=mapping.flow, content=b'{"accountId": "4711"}')
    factories.ActivityFactory(
        instance=instance, kind="mapped", text="Mapped with enroll_sync, 1 extension(s)"
    )
    factories.InstanceFactory(flow=mapping.flow, content=b'{"accountId": "not mapped"}')
    page = reader.get(_to(mapping, "studio"))
    assert [one.key for one in page.context["sources"]] == [f"message-{instance.pk}"]
    assert page.context["tried"].before == {"id": "4711"}


def test_a_message_of_another_flow_is_not_shown(reader, mapping):
    other = _recorded(factories.MappingFactory(name=mapping.name), {"accountId": "secret"})
    page = reader.get(_to(mapping, "studio") + f"?source=line-{other.pk}")
    assert "secret" not in text_of(page)
    assert "not on record" in page.context["bench"].note


def test_masked_fields_are_dots_also_under_another_name(reader, mapping):
    models.MaskedField.objects.create(name="zone")
    line = _recorded(mapping, {**SOURCE, "zone": "hidden"})
    page = text_of(
        _live(reader, mapping, source=f"line-{line.pk}", expression='{"a": $substring(source.zone, 0, 5)}')
    )
    assert "hidde" not in page
    assert "•••" in page


def test_who_may_not_read_payloads_sees_no_contents(configurator, viewer, mapping):
    line = _recorded(mapping, {**SOURCE, "zone": "secret"})
    factories.MappingExtensionFactory(mapping=mapping, sample={"accountId": "in the sample"})
    for browser in (configurator, viewer):
        for query in (f"?extension=new&source=line-{line.pk}", f"?source=line-{line.pk}"):
            assert "secret" not in text_of(browser.get(_to(mapping, "studio") + query))
    assert "in the sample" not in text_of(viewer.get(_to(mapping, "studio") + "?source=sample"))
    assert "secret" not in text_of(_live(configurator, mapping, source=f"line-{line.pk}"))
    assert "in the sample" not in text_of(viewer.get(page_of(models.MappingExtension.objects.get())))
    assert not models.AuditEntry.objects.filter(action="read_payload").exists()


# -- who may ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["studio_try", "studio_save", "studio_shadow"])
def test_a_viewer_is_refused_and_that_is_audited(viewer, mapping, name):
    assert viewer.post(_to(mapping, name), _draft(reason="why")).status_code == 403
    assert models.AuditEntry.objects.get(action="refused").detail["action"] == name
    assert viewer.get(_to(mapping, name)).status_code == 405


def test_a_viewer_reads_the_extension_without_a_form(viewer, mapping):
    row = factories.MappingExtensionFactory(mapping=mapping)
    page = text_of(viewer.get(_to(mapping, "studio")))
    assert "studio-form" not in page
    assert row.pointer in page


# -- a newer base ----------------------------------------------------------------------------------------


def test_the_lists_say_that_the_base_changed_since_the_extension_was_saved(configurator, mapping):
    configurator.post(_to(mapping, "studio_save"), _draft(reason="why"))
    assert "base changed" not in text_of(configurator.get(list_of(models.Mapping)))
    models.Mapping.objects.filter(pk=mapping.pk).update(expression='{"key": accountId}', digest="1" * 64)
    row = models.MappingExtension.objects.get()
    page = text_of(configurator.get(list_of(models.Mapping)))
    assert "since the extension was saved" in page
    assert f'href="{_to(mapping, "studio")}?extension={row.pk}"' in page
    assert "changed since" in text_of(configurator.get(list_of(models.MappingExtension)))
    assert "The base has changed" in text_of(configurator.get(_to(mapping, "studio")))
    configurator.post(_to(mapping, "studio_save"), _draft(extension=row.pk, reason="Still right"))
    assert "base changed" not in text_of(configurator.get(list_of(models.Mapping)))
