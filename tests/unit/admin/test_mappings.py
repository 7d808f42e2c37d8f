"""Mapping extensions: what does not compile, or fails on its sample, is not saved."""

import json

import pytest
from django.urls import reverse

from integrations import models
from tests import factories
from tests.unit.admin.conftest import page_of, text_of

ADD = "admin:integrations_mappingextension_add"


@pytest.fixture
def mapping(db):
    return factories.MappingFactory(expression='{"id": accountId, "items": [{"n": 1}]}')


def _posted(mapping, **more):
    values = {
        "mapping": mapping.pk,
        "pointer": "",
        "expression": '{"region": source.zone}',
        "sample": json.dumps({"accountId": "88", "zone": "north"}),
        "position": "0",
        "active": "on",
        "reason": "The site sends its region",
    }
    return {**values, **more}


def test_one_that_works_is_saved_and_audited(configurator, mapping):
    configurator.post(reverse(ADD), _posted(mapping))
    row = models.MappingExtension.objects.get()
    assert row.expression == '{"region": source.zone}'
    assert (
        models.AuditEntry.objects.get(action="extension_create").detail["reason"]
        == "The site sends its region"
    )


def test_the_page_shows_what_its_sample_becomes(configurator, mapping):
    configurator.post(reverse(ADD), _posted(mapping))
    page = configurator.get(page_of(models.MappingExtension.objects.get()))
    assert json.loads(page.context["preview"])["region"] == "north"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"expression": '{"region": '}, "expression"),
        ({"expression": "$noSuchFunction(source)"}, "expression"),
        ({"expression": "source.zone"}, "expression"),
        ({"expression": '$error("no")'}, "expression"),
        ({"pointer": "items"}, "pointer"),
        ({"reason": ""}, "reason"),
        ({"sample": "{"}, "sample"),
    ],
)
def test_a_broken_one_is_refused_at_its_field(configurator, mapping, more, field):
    answer = configurator.post(reverse(ADD), _posted(mapping, **more))
    assert field in answer.context["adminform"].form.errors
    assert not models.MappingExtension.objects.exists()


def test_a_change_keeps_the_old_one_in_its_history(configurator, mapping):
    configurator.post(reverse(ADD), _posted(mapping))
    row = models.MappingExtension.objects.get()
    configurator.post(page_of(row), _posted(mapping, expression='{"region": "south"}', reason="moved"))
    page = text_of(configurator.get(page_of(row)))
    assert [past.reason for past in row.history.all()] == ["moved", "The site sends its region"]
    assert "source.zone" in page


def test_the_base_is_shown_and_not_changed(configurator, mapping):
    assert "accountId" in text_of(configurator.get(page_of(mapping)))
    assert configurator.post(page_of(mapping), {"expression": "1"}).status_code == 403
