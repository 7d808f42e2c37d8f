"""Versions of a mapping extension: compared, taken back, switched off."""

import pytest
from django.urls import reverse

from integrations import models
from tests import factories
from tests.unit.admin.conftest import text_of


@pytest.fixture
def row(db):
    """An extension with two versions."""
    mapping = factories.MappingFactory(expression='{"id": accountId}')
    row = factories.MappingExtensionFactory(
        mapping=mapping, sample={"accountId": "1", "zone": "east"}, expression='{"region": "north"}'
    )
    row.expression, row.reason = '{"region": source.zone}', "By message"
    row.save()
    return row


def _to(row, name):
    return reverse(f"admin:integrations_mapping_studio_{name}", args=[row.mapping_id, row.pk])


def _first(row):
    return row.history.order_by("history_id").first().history_id


def test_two_versions_are_compared_by_lines_and_by_effect(configurator, row):
    page = configurator.get(_to(row, "versions"))
    assert page.context["effect"] == [("/region", "changed", '"north"', '"east"')]
    assert [line["kind"] for line in page.context["lines"]] == ["drop", "add"]
    assert "By message" in text_of(page)


def test_an_older_version_comes_back_as_a_new_one(configurator, row):
    configurator.post(_to(row, "revert"), {"version": _first(row), "reason": "The zone is wrong"})
    row.refresh_from_db()
    assert (row.expression, row.reason) == ('{"region": "north"}', "The zone is wrong")
    assert row.history.count() == 3
    assert models.AuditEntry.objects.get(action="extension_revert").actor == "conny"


@pytest.mark.parametrize("given", [{"reason": ""}, {"version": "0"}, {"version": "x"}])
def test_a_revert_without_reason_or_to_no_version_changes_nothing(configurator, row, given):
    configurator.post(_to(row, "revert"), {"version": _first(row), "reason": "why", **given})
    assert row.history.count() == 2


def test_a_version_that_does_not_work_with_the_base_of_now_is_not_taken_back(configurator, row):
    models.MappingExtension.history.filter(history_id=_first(row)).update(pointer="/gone")
    answer = configurator.post(_to(row, "revert"), {"version": _first(row), "reason": "why"}, follow=True)
    assert "It does not work" in text_of(answer)
    assert row.history.count() == 2


def test_it_is_deactivated_with_a_reason_even_where_it_is_broken_and_activated_where_it_works(
    configurator, row
):
    models.MappingExtension.objects.update(expression="{")
    configurator.post(_to(row, "switch"), {"reason": ""})
    row.refresh_from_db()
    assert row.active
    configurator.post(_to(row, "switch"), {"reason": "It fails"})
    row.refresh_from_db()
    assert not row.active
    configurator.post(_to(row, "switch"), {"reason": "On again"})
    row.refresh_from_db()
    assert not row.active
    models.MappingExtension.objects.update(expression='{"a": 1}')
    configurator.post(_to(row, "switch"), {"reason": "On again"})
    row.refresh_from_db()
    assert row.active


@pytest.mark.parametrize("name", ["revert", "switch"])
def test_a_viewer_is_refused_and_that_is_audited(viewer, row, name):
    answer = viewer.post(_to(row, name), {"version": _first(row), "reason": "why"})
    assert answer.status_code == 403
    assert models.AuditEntry.objects.get(action="refused").detail["action"] == f"studio_{name}"
    assert row.history.count() == 2


def test_a_viewer_sees_the_versions_without_the_samples_contents(viewer, row):
    page = text_of(viewer.get(_to(row, "versions")))
    assert "By message" in page
    assert '"east"' not in page
