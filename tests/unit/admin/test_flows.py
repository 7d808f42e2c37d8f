"""Flows: what they need and lack, the switch, the tracing level, a run by hand."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from integrations import models
from integrations.admin.flow_counters import COUNTERS
from tests import factories
from tests.unit.admin.conftest import list_of, page_of, text_of

FILE_FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
PREFIX = {"parameter_extractedFileNamePrefix": "C1-DCTEX"}


@pytest.fixture
def flow(db):
    return models.Flow.objects.get(identifier=FILE_FLOW)


@pytest.fixture
def active(flow):
    models.Flow.objects.filter(pk=flow.pk).update(active=True)
    flow.refresh_from_db()
    return flow


def test_the_page_says_what_the_flow_needs(viewer, flow):
    page = text_of(viewer.get(page_of(flow)))
    for said in (
        "OU FTP CCS for CCS-DACS",
        "OUTL-BRT-CCS_DACS_ConfigProps",
        "OUTL-BRT-CCS_DACS_Email_ID",
        "seed 001",
    ):
        assert said in page


def test_an_inbound_flow_shows_the_address_to_enter_at_the_edge_system(viewer, settings):
    settings.HUB_URL = "https://hub.example.com/"
    flow = models.Flow.objects.get(identifier="OUTL-BA-DACS_CCS_CUST_SYNC_ACK")
    address = f"/flows/oracleutilities/{flow.identifier}/1.0/sendCustomerSyncAck"
    assert f"POST https://hub.example.com/ic/api/integration/v1{address}" in text_of(
        viewer.get(page_of(flow))
    )


def counters(browser, flow):
    """A flow's columns in the list: what each says, and how many instances are in the list it links to."""
    listed = browser.get(list_of(models.Flow), {"q": flow.identifier}).context["cl"]
    (row,) = listed.result_list
    cells = [str(getattr(listed.model_admin, name)(row)) for name in COUNTERS]
    links = [unescape(link[1]) if (link := re.search('href="([^"]+)"', cell)) else "" for cell in cells]
    behind = [browser.get(link).context["cl"].result_count if link else 0 for link in links]
    return [re.sub("<[^>]+>", "", cell) for cell in cells], behind


def test_the_list_counts_the_last_day_and_links_to_it(admin, flow):
    for status in ("succeeded", "succeeded", "skipped", "failed", "held", "discarded", "running"):
        factories.InstanceFactory(flow=flow, status=status)
    factories.InstanceFactory(flow=flow, created_at=timezone.now() - timedelta(hours=25))
    factories.InstanceFactory(status="failed")
    assert counters(admin, flow) == (["7", "6", "3", "2", "1"], [7, 6, 3, 2, 1])


def test_the_list_says_where_it_could_not_count_all(admin, flow, monkeypatch):
    monkeypatch.setattr("integrations.services.flow_counts.UNCOUNTED", 2)
    made = timezone.now() - timedelta(hours=10)
    factories.InstanceFactory.create_batch(4, flow=flow, created_at=made)
    factories.InstanceFactory(flow=flow, status="failed")
    said, _ = counters(admin, flow)
    assert said[3] == "1+"


def test_activating_lists_everything_that_is_missing(configurator, flow):
    models.Connection.objects.all().delete()
    page = text_of(configurator.post(page_of(flow, "activate"), follow=True)).replace("&#x27;", "'")
    flow.refresh_from_db()
    assert not flow.active
    assert "Not activated: there is no connection 'OU FTP CCS for CCS-DACS'" in page


def test_a_flow_is_switched_off_and_audited(configurator, active):
    configurator.post(page_of(active, "deactivate"))
    active.refresh_from_db()
    assert not active.active
    assert models.AuditEntry.objects.get(action="deactivate").actor == "conny"


def test_debug_goes_back_by_itself(configurator, flow):
    configurator.post(page_of(flow, "trace"), {"level": "debug", "minutes": "5"})
    flow.refresh_from_db()
    assert flow.tracing == "debug"
    assert flow.tracing_until is not None


@pytest.mark.parametrize(
    "posted",
    [
        {"level": "loud"},
        {"level": "audit", "minutes": "soon"},
        {"level": "audit", "minutes": "²"},
        {"level": "audit", "minutes": "0"},
        {},
    ],
)
def test_a_wrong_level_is_said_and_changes_nothing(configurator, flow, posted):
    answer = configurator.post(page_of(flow, "trace"), posted, follow=True)
    flow.refresh_from_db()
    assert flow.tracing == "production"
    assert "errornote" in text_of(answer)


def test_run_now_is_watched_on_the_flow_s_page(operator, active):
    answer = operator.post(page_of(active, "run"), PREFIX)
    instance = models.Instance.objects.get()
    assert answer.headers["Location"] == f"{page_of(active)}?run={instance.pk}#run"
    assert (instance.cause, instance.parameters) == ("manual", {"extractedFileNamePrefix": "C1-DCTEX"})


@pytest.mark.parametrize(
    "posted", [{}, {"parameter_extractedFileNamePrefix": " "}, {**PREFIX, "parameter_other": "x"}]
)
def test_a_run_with_wrong_parameters_is_said(operator, active, posted):
    answer = operator.post(page_of(active, "run"), posted, follow=True)
    assert "arameter" in text_of(answer)
    assert not models.Instance.objects.exists()


def test_a_flow_that_is_off_is_not_run(operator, flow):
    models.Flow.objects.filter(pk=flow.pk).update(active=False)
    assert "is not active" in text_of(operator.post(page_of(flow, "run"), PREFIX, follow=True))


def test_what_is_code_cannot_be_changed(configurator, flow):
    configurator.post(
        page_of(flow), {"retention_days": "30", "acknowledgement_hours": "48", "name": "x", "active": "on"}
    )
    changed = models.Flow.objects.get(pk=flow.pk)
    assert (changed.retention_days, changed.acknowledgement_hours) == (30, 48)
    assert (changed.name, changed.active) == (flow.name, flow.active)


def test_a_flow_the_code_has_no_more_still_has_its_page(admin):
    assert "not installed" in text_of(admin.get(page_of(factories.FlowFactory(present=False))))


def test_flows_are_not_added_by_hand(admin):
    assert admin.get("/admin/integrations/flow/add/").status_code == 403
