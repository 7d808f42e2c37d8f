"""Where the studio finds what a mapping got: each installed flow's message, file, or debug line."""

import inspect
import re
import sys
from pathlib import Path

import pytest

from integrations.engine.faults import InvalidMessage
from integrations.engine.registry import specs
from integrations.models import Flow, Mapping
from integrations.services.studio_derive import (
    DEBUG,
    FILE,
    FROM_FILE,
    FROM_MESSAGE,
    MESSAGE,
    NEVER,
    RECORD_BY_RECORD,
    way_of,
)
from integrations.services.studio_sources import document_of, find_recorded, recorded, sources_of
from integrations.storage import payload_put
from tests import factories

SAMPLES = Path(__file__).parents[2] / "samples"


def _mapping(name, identifier="TEST"):
    return Mapping(name=name, flow=Flow(identifier=identifier))


def test_each_mapping_that_a_flow_calls_with_its_message_is_known_as_such(db):
    called = {
        name
        for spec in specs()
        for name in re.findall(
            r'run\.map\(\s*"(\w+)", message\)', inspect.getsource(sys.modules[spec.body.__module__])
        )
    }
    assert called == set(FROM_MESSAGE) - {"asset_location", "enroll_request"}


def test_all_that_is_said_of_mappings_is_of_installed_ones(db):
    installed = {(spec.identifier, name) for spec in specs() for name in spec.mapping_names}
    assert {*FROM_MESSAGE, *FROM_FILE} <= {name for _, name in installed}
    assert installed >= RECORD_BY_RECORD


@pytest.mark.parametrize(
    ("name", "flow", "way"),
    [
        ("enroll_sync", "any", MESSAGE),
        ("reserve_devices", "any", FILE),
        ("message_ack", "any", DEBUG),
        ("sync_request_update", "OUTL-BA-OUAI_DACS_OS_ENROLL_ACK", NEVER),
        ("sync_request_update", "any", DEBUG),
    ],
)
def test_where_a_mappings_sources_are(name, flow, way):
    assert way_of(_mapping(name, flow)) == way


def test_a_files_first_records_are_the_source_with_its_message(db):
    mapping = factories.MappingFactory(name="reserve_devices")
    content = (SAMPLES / "cpmcs_derms/device_reservation.csv").read_bytes()
    instance = factories.InstanceFactory(flow=mapping.flow, content=b'{"eventId": "E1"}')
    instance.attachment = payload_put(content, content_type="text/csv")
    instance.save()
    (found,) = recorded(mapping, 5).sources
    (source,) = sources_of(mapping, found)
    assert source["message"] == {"eventId": "E1"}
    assert {"nicId", "headEndSystemId"} <= set(source["records"][0])
    assert len(source["records"]) <= 100


def test_a_message_that_is_mapped_in_parts_gives_each_of_them(db):
    mapping = factories.MappingFactory(name="asset_location")
    message = b'{"premiseId": "P", "servicePoints": [{"spId": "1"}, {"spId": "2"}]}'
    instance = factories.InstanceFactory(flow=mapping.flow, content=message)
    factories.ActivityFactory(instance=instance, kind="mapped", text="Mapped with asset_location: it failed")
    (found,) = recorded(mapping, 5).sources
    assert [source["point"]["spId"] for source in sources_of(mapping, found)] == ["1", "2"]


def test_what_debug_kept_is_taken_before_the_message(db):
    mapping = factories.MappingFactory(name="enroll_sync")
    instance = factories.InstanceFactory(flow=mapping.flow, content=b'{"from": "message"}')
    kept = payload_put(b'{"from": "debug"}', content_type="application/json")
    factories.ActivityFactory(
        instance=instance, kind="mapped", text="Mapped with enroll_sync", payload_out=kept
    )
    factories.ActivityFactory(instance=instance, kind="mapped", text="Mapped with enroll_sync_other")
    (found,) = recorded(mapping, 5).sources
    assert sources_of(mapping, found) == [{"from": "debug"}]


def test_a_message_that_is_too_large_is_refused_before_it_is_read(db):
    mapping = factories.MappingFactory(name="enroll_sync")
    instance = factories.InstanceFactory(flow=mapping.flow, content=b'"' + b"x" * 300_000 + b'"')
    factories.ActivityFactory(instance=instance, kind="mapped", text="Mapped with enroll_sync")
    (found,) = recorded(mapping, 5).sources
    assert found.large
    with pytest.raises(InvalidMessage, match="can be tried here"):
        sources_of(mapping, found)


@pytest.mark.parametrize("key", ["", "line-", "line-x", "line-99999999999999999999", "message-x", "other-1"])
def test_a_key_of_nothing_is_refused(db, key):
    with pytest.raises(InvalidMessage, match="not on record"):
        find_recorded(factories.MappingFactory(name="enroll_sync"), key)


def test_a_document_nested_too_deep_is_refused():
    with pytest.raises(InvalidMessage, match="nested deeper"):
        document_of(b"[" * 61 + b"]" * 61)
