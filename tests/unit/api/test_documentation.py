"""The OpenAPI document and docs/faults.md say what the code does."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request

from integrations.api import documents
from integrations.api.design_shapes import connection_shape, integration_shape
from integrations.api.instance_detail import instance_detail
from integrations.api.shapes import activity_shape, error_shape, instance_shape
from integrations.engine.registry import spec_for
from integrations.models import Activity, Connection
from tests.unit.api.conftest import ACK

ROOT = Path(__file__).resolve().parents[3]
CODE = re.compile(r"\bHUB-[A-Z]+(?:-[A-Z]+)*\b")


@pytest.fixture(scope="module")
def schema():
    return SchemaGenerator().get_schema(request=None, public=True)


def test_the_document_is_valid_and_made_without_warnings(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "openapi.yaml"))
    assert (tmp_path / "openapi.yaml").stat().st_size > 10_000


def test_the_document_describes_every_endpoint(schema):
    ours = {path for path in schema["paths"] if path.startswith("/ic/api/integration/")}
    assert len(ours) == 55
    assert "/ic/api/integration/v1/flows/{adapter}/{identifier}/{version}/{resource}" in ours
    for operations in (schema["paths"][path] for path in ours):
        for operation in operations.values():
            assert operation["summary"]
            assert {"401", "403", "503"} <= set(operation["responses"])
            assert any(code.startswith("2") for code in operation["responses"])


def test_the_document_names_the_ways_to_log_in(schema):
    kinds = {
        (one["type"], one.get("scheme", one.get("in")))
        for one in schema["components"]["securitySchemes"].values()
    }
    assert {("http", "basic"), ("http", "bearer"), ("apiKey", "header")} <= kinds


def fields(document):
    """What is always there: a field that has to be asked for is not required."""
    return {name for name, field in document().fields.items() if field.required}


@pytest.mark.django_db
def test_answers_have_the_documented_fields(rf, make_error, flow):
    request, error = Request(rf.get("/")), make_error()
    request.user = None
    connection = Connection(name="x", adapter="sftp")
    assert set(instance_shape(request, error.instance)) == fields(documents.InstanceDocument)
    assert set(instance_detail(request, error.instance)) == fields(documents.InstanceDetail)
    assert set(error_shape(request, error)) == fields(documents.ErrorDocument)
    assert set(integration_shape(request, flow, spec_for(ACK))) == fields(documents.IntegrationDocument)
    assert set(connection_shape(request, connection)) == fields(documents.ConnectionDocument)
    line = activity_shape(Activity(instance=error.instance), {})
    assert set(line) == fields(documents.ActivityDocument)


def codes_in_code():
    folders = ("integrations", "lookups", "hub", "crm")
    files = [
        path for folder in folders for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts
    ]
    return {code for path in files for code in CODE.findall(path.read_text())}


def test_every_fault_code_is_in_the_documentation_and_the_reverse():
    documented = set(re.findall(r"^\| (HUB-[A-Z-]+) \|", (ROOT / "docs/faults.md").read_text(), re.MULTILINE))
    assert documented == codes_in_code()
