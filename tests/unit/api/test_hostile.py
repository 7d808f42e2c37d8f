"""Whatever is sent, the answer is a documented one and never a 500: the OpenAPI document drives the calls."""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from crm.services.caller import caller_allow
from hub.wsgi import application
from integrations.models import Flow
from integrations.services.client_create import client_create
from tests.unit.api.conftest import SECRET, basic

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]


@pytest.fixture
def kept_connection(db):
    """The test's transaction outlives each call, as in Django's own test client."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def operations(kept_connection, person, make_error):
    """Every operation of the document, called by a client that may do everything."""
    make_error()
    made = client_create(
        client_id="edge", secret=SECRET, flows=Flow.objects.all(), user=person(is_superuser=True)
    )
    caller_allow(client=made.client, actor="test")
    schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
    schema.app = application
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


def test_no_operation_answers_500_or_what_is_not_documented(operations):
    # A project's address leads to the same view as the one without it; its lookups stand for all.
    tried = [one for one in operations if "/projects/{" not in one.path or one.path.endswith("/lookups")]
    statuses = [status for operation in tried for status in _try(operation)]
    assert len(operations) == 69
    assert {200, 400, 404} <= set(statuses)


def _try(operation):
    """The statuses of a few generated calls, each checked against the document."""
    statuses = []

    @settings(
        max_examples=3,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=operation.as_strategy())
    def run(case):
        response = case.call(base_url="http://127.0.0.1/", headers={"Authorization": basic("edge", SECRET)})
        case.validate_response(response, checks=CHECKS)
        statuses.append(response.status_code)

    run()
    return statuses
