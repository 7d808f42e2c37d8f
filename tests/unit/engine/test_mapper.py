"""What mappings may call, and a site's extensions on a run's message."""

import pytest

from integrations.engine.mapper import mapping_functions
from integrations.engine.runner import work_on
from integrations.mapping import evaluate
from integrations.models import Mapping, MappingExtension
from integrations.services.instance_submit import _stored_answer
from lookups.errors import LookupFault
from lookups.models import Lookup, Row
from tests.unit.engine.test_running import submit

ASK = '$lookupValue("Types", "DERMS", type, "DACS")'


@pytest.fixture
def types(transactional_db):
    lookup = Lookup.objects.create(name="Types", kind="table", columns=["DERMS", "DACS"])
    Row.objects.create(lookup=lookup, cells=["ECONOMIC", "X1EC"])


def mapped(expression: str, **source):
    return evaluate(expression, source, functions=mapping_functions())


def test_codes_are_translated_in_an_expression(types):
    assert mapped(ASK, type="ECONOMIC") == "X1EC"


def test_a_value_that_is_not_there_names_lookup_column_and_value(types):
    with pytest.raises(LookupFault, match=r"(?s)Types.*TEST"):
        mapped(ASK, type="TEST")


def test_a_field_the_message_lacks_is_said_or_takes_the_default(types):
    with pytest.raises(LookupFault, match="no such field"):
        mapped(ASK)
    assert mapped('$lookupValue("Types", "DERMS", type, "DACS", "X1DT")') == "X1DT"


def test_a_site_s_extension_adds_its_fields_to_the_message(make_flow, client):
    flow = make_flow(lambda run, message: run.map("order", message), mappings=("order",))
    row = Mapping.objects.get(flow=flow, name="order")
    MappingExtension.objects.create(
        mapping=row, pointer="", expression='{"site": "north", "note": source.note}', reason="our own field"
    )
    instance = submit(client, {"id": 7, "note": "n"}).instance
    work_on(instance.pk)
    instance.refresh_from_db()
    assert _stored_answer(instance) == {"id": 7, "site": "north", "note": "n"}
    assert instance.activities.filter(text="Mapped with order, 1 extension(s)").exists()
