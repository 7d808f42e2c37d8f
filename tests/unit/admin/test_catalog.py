"""Refresh: which operations the flows need, and which the target's catalog lacks."""

import pytest

from integrations import models
from integrations.engine.registry import spec_for
from integrations.services.connection_refresh import connection_refresh
from tests.unit.admin.conftest import page_of, text_of

ACK = "OUTL-BA-DACS_CCS_CUST_SYNC_ACK"
NAME = "OU REST CCS for CCS-DACS"
OPERATIONS = {"F1-SyncRequest": {"method": "PATCH", "path": "/F1-SyncRequest/{syncRequestId}"}}


def _document(path, method="patch"):
    return {"openapi": "3.0.0", "info": {}, "paths": {path: {method: {"operationId": "changeSyncRequest"}}}}


@pytest.fixture
def connection(db, httpserver):
    row = models.Connection.objects.get(name=NAME)
    row.settings = {**row.settings, "url": httpserver.url_for(""), "auth": "none", "operations": OPERATIONS}
    row.catalog_url = httpserver.url_for("/openapi.json")
    row.save()
    return row


def test_the_flow_needs_the_operation():
    assert spec_for(ACK).operations[NAME] == ("F1-SyncRequest",)


def test_what_is_offered_under_other_names_of_its_path_values_is_found(connection, httpserver):
    httpserver.expect_request("/openapi.json").respond_with_json(_document("/F1-SyncRequest/{id}"))
    catalog = connection_refresh(connection=connection, actor="conny")
    assert [need.operation for need in catalog.needs] == ["F1-SyncRequest"]
    assert catalog.lacking == []


@pytest.mark.parametrize(("path", "method"), [("/Other/{id}", "patch"), ("/F1-SyncRequest/{id}", "get")])
def test_what_the_target_lacks_is_said(configurator, connection, httpserver, path, method):
    httpserver.expect_request("/openapi.json").respond_with_json(_document(path, method))
    page = text_of(configurator.post(page_of(connection, "refresh")))
    assert "The target lacks 1 of 1 operation the flows need" in page
    assert models.AuditEntry.objects.get(action="connection_refresh").detail["lacking"] == ["F1-SyncRequest"]


def test_a_catalog_that_cannot_be_read_is_said(configurator, connection, httpserver):
    httpserver.expect_request("/openapi.json").respond_with_data("<html>", status=500)
    page = text_of(configurator.post(page_of(connection, "refresh"), follow=True))
    assert "500" in page
    assert not models.AuditEntry.objects.filter(action="connection_refresh").exists()


def test_without_a_catalog_url_it_says_what_to_do(configurator, connection):
    models.Connection.objects.filter(pk=connection.pk).update(catalog_url="")
    page = text_of(configurator.post(page_of(connection, "refresh"), follow=True))
    assert "has no catalog URL" in page
