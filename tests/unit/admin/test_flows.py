"""Flows: what they need and lack, the switch, the tracing level, a run by hand."""

import pytest

from integrations import models
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


def test_the_list_counts_the_last_days_ends(admin, flow):
    factories.InstanceFactory.create_batch(2, flow=flow, status="succeeded")
    factories.InstanceFactory(flow=flow, status="failed")
    row = next(row for row in admin.get(list_of(models.Flow)).context["cl"].result_list if row.pk == flow.pk)
    assert (row.good, row.bad) == (2, 1)


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
    [{"level": "loud"}, {"level": "audit", "minutes": "soon"}, {"level": "audit", "minutes": "0"}, {}],
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
