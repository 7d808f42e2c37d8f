"""Masked fields are dots in every form a payload comes in, and what cannot be searched is withheld."""

import json

import pytest

from integrations.engine.masking import DOTS, WITHHELD, CannotMask, mask, mask_value, masked, patterns_of
from integrations.models import MaskedField
from tests import factories

NAMES = ("taxId", "*phone*")


def _masked(content, content_type="application/json"):
    return mask(content, content_type, NAMES).decode()


def test_json_is_masked_at_any_depth_and_keeps_its_structure():
    document = {"a": [{"TAXID": 7, "homePhone": {"numbers": ["1", "2"], "none": None}}], "b": "seen"}
    assert mask_value(document, NAMES) == {
        "a": [{"TAXID": DOTS, "homePhone": {"numbers": [DOTS, DOTS], "none": None}}],
        "b": "seen",
    }


def test_a_document_is_not_changed_where_it_stands():
    document = {"taxId": "7"}
    mask_value(document, NAMES)
    assert document == {"taxId": "7"}


def test_a_name_beside_its_value_is_a_field_too():
    assert mask_value([{"name": "taxId", "value": "7"}], NAMES) == [{"name": "taxId", "value": DOTS}]
    for labels in ({"key": "17", "name": "taxId"}, {"name": "17", "KEY": "taxId"}, {"@name": "taxId"}):
        assert mask_value({**labels, "value": "4711"}, NAMES) == {**labels, "value": DOTS}


@pytest.mark.parametrize("inner", ['{"taxId": "4711"}', "<a><taxId>4711</taxId></a>", "<a><taxId>4711</a>"])
def test_a_document_that_travels_as_text_is_searched(inner):
    assert "4711" not in _masked(json.dumps({"body": inner}).encode())


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b'<x xmlns="urn:x"><TaxId kind="4711">4711</TaxId></x>', "text/xml"),
        (b'<n:x xmlns:n="urn:x"><n:taxId><n:deep n:taxId="4711"/>4711</n:taxId></n:x>', "application/xml"),
        (b'<p taxId="4711"/>', "text/xml"),
        (b'<p name="taxId">4711</p>', "text/xml"),
        (b'<p key="17" name="taxId" value="4711"/>', "text/xml"),
        (b"<p><name> taxId </name><value>4711</value></p>", "text/xml"),
        (b'<n:p xmlns:n="u"><n:key>17</n:key><n:name>taxId</n:name><n:Value><s>4711</s></n:Value></n:p>', ""),
        (b'<p value="4711"><name>taxId</name></p>', "text/xml"),
        (b'<taxId name="4711"/>', "text/xml"),
        (b"id\ttaxId\n1\t4711\n", "text/tab-separated-values"),
        (b"<a><!-- taxId 4711 --><b>1</b></a>", "text/xml"),
        (b'id;taxId;note\r\n1;4711;"a; b"\r\n', "text/csv"),
        (b"id,taxId\n1,2,4711\n", "text/csv"),
        (b"taxId=4711&a=1", "application/x-www-form-urlencoded"),
        (b'{"taxId": "4711"}\n{"taxId": 4711}\n', "application/octet-stream"),
    ],
)
def test_the_value_is_gone_from_xml_csv_forms_and_json_lines(content, content_type):
    shown = _masked(content, content_type)
    assert "4711" not in shown
    assert DOTS in shown or "taxId 4711" in content.decode()


def test_what_is_not_masked_stays():
    assert _masked(b"id,taxId,note\n1,4711,seen\n", "text/csv").splitlines()[1] == f"1,{DOTS},seen"


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"\x00\x01\x02", "application/octet-stream"),
        (b'{"taxId": "47', "application/json"),
        (b"1,4711\n2,4712\n", "text/csv"),
        (b'<!DOCTYPE a [<!ENTITY e "4711">]><a>&e;</a>', "text/xml"),
        (b"a text of somebody with tax id 4711", "text/plain"),
        (b"Dear customer, your bill\nfor 4711, is due\n", "text/plain"),
        (b"id,note\n1,4711\n", ""),
        (b"Dear customer, your taxId\nis, 4711\n", "text/csv"),
        (b"Dear customer, your bill\nfor 4711, Main Street, is due\n", "text/csv"),
        (b"Dear customer, your bill of 4711 is due", "text/csv"),
        (b"Doe,A4711\nMiller,A4712\n", "text/csv"),
        (b"Doe,Mar 4 11\nMiller,Mar 5 11\n", "text/csv"),
        (b"id;;note\n1;4711;x\n", "text/csv"),
        (b"id;id\n1;4711\n", "text/csv"),
        (b"a,active\nb,active\n", "text/csv"),
        (b"id,note\n1,her taxId is 4711\n", "text/csv"),
        (b"4711\n4712\n", "text/csv"),
        (b'"her tax id is 4711"', "application/json"),
    ],
)
def test_what_cannot_be_searched_is_withheld(content, content_type):
    with pytest.raises(CannotMask):
        mask(content, content_type, NAMES)


@pytest.mark.parametrize(
    "content",
    [
        b"Account ID,Meter No.,Usage (kWh),Read_Date,Addr2\n1,M-7,3.5,2024-01-02,x\n",
        b'id;note;customerTaxIdentifier\n1;seen;\n\n2;"a; b";7\n',
    ],
)
def test_an_extract_that_plainly_has_a_header_without_masked_columns_stays_readable(content):
    rows = content.decode().splitlines()
    assert _masked(content, "text/csv; charset=utf-8").splitlines() == rows


def test_a_files_name_may_say_that_it_is_a_csv():
    content = b"id,taxId\n1,4711\n"
    assert mask(content, "application/octet-stream", NAMES, "Extract.CSV").decode() == f"id,taxId\n1,{DOTS}\n"
    with pytest.raises(CannotMask):
        mask(content, "application/octet-stream", NAMES, "extract.dat")


def test_without_masks_nothing_is_changed():
    assert mask(b"\x00 4711", "", ()) == b"\x00 4711"


def test_an_asterisk_alone_stands_for_any_text_and_nothing_else_is_special():
    assert mask_value({"a.b": 1, "axb": 2, "c": 3}, ("a.b",)) == {"a.b": DOTS, "axb": 2, "c": 3}
    assert mask_value({"c": 3}, ("*",)) == {"c": DOTS}


@pytest.mark.django_db
def test_masks_hold_for_their_flow_its_clones_or_for_all():
    flow, other = factories.FlowFactory(), factories.FlowFactory()
    clone = factories.FlowFactory(clone_of=flow)
    MaskedField.objects.create(name="everywhere")
    MaskedField.objects.create(name="here", flow=flow)
    MaskedField.objects.create(name="off", enabled=False)
    assert patterns_of(flow) == patterns_of(clone) == ("everywhere", "here")
    assert patterns_of(other) == patterns_of(None) == ("everywhere",)


@pytest.mark.django_db
def test_a_flows_content_is_masked_or_withheld():
    flow = factories.FlowFactory()
    assert masked(b"\x00", "", flow=flow) == b"\x00"
    MaskedField.objects.create(name="taxId", flow=flow)
    assert masked(b'{"taxId": 1}', "", flow=flow).decode() == f'{{"taxId": "{DOTS}"}}'
    assert masked(b"\x00", "", flow=flow).decode() == WITHHELD
