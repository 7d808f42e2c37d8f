"""Every page: shown to who may see it, refused to who may not, and nothing changes by GET."""

import pytest
from django.contrib import admin as stock
from django.urls import reverse

from integrations import models
from tests import factories
from tests.unit.admin.conftest import list_of, page_of

ROWS = {
    models.AgentGroup: factories.AgentGroupFactory,
    models.Alert: factories.AlertFactory,
    models.AlertRule: factories.AlertRuleFactory,
    models.AuditEntry: factories.AuditEntryFactory,
    models.Breaker: factories.BreakerFactory,
    models.BulkResubmission: factories.BulkResubmissionFactory,
    models.Client: factories.ClientFactory,
    models.Connection: factories.ConnectionFactory,
    models.ErrorFamily: factories.ErrorFamilyFactory,
    models.ErrorInstance: factories.ErrorInstanceFactory,
    models.ExpectedFile: factories.ExpectedFileFactory,
    models.FileTransfer: factories.FileTransferFactory,
    models.Flow: factories.FlowFactory,
    models.Heartbeat: factories.HeartbeatFactory,
    models.Instance: factories.InstanceFactory,
    models.Mapping: factories.MappingFactory,
    models.MappingExtension: factories.MappingExtensionFactory,
    models.MaskedField: factories.MaskedFieldFactory,
    models.MissingValue: factories.MissingValueFactory,
    models.NetworkLocation: factories.NetworkLocationFactory,
    models.Notification: factories.NotificationFactory,
    models.PackageImport: factories.PackageImportFactory,
    models.Schedule: factories.ScheduleFactory,
    models.SyncRequest: factories.SyncRequestFactory,
    models.TrustCertificate: factories.TrustCertificateFactory,
    models.WebhookDelivery: factories.WebhookDeliveryFactory,
}
FORMS = [
    models.AgentGroup,
    models.AlertRule,
    models.Client,
    models.Connection,
    models.ExpectedFile,
    models.MappingExtension,
    models.MaskedField,
    models.Schedule,
    models.TrustCertificate,
]
each_model = pytest.mark.parametrize("model", list(ROWS), ids=lambda model: model.__name__)


def test_every_page_of_the_console_is_in_these_tests():
    ours = {model for model in stock.site._registry if model._meta.app_label == "integrations"}
    assert ours == set(ROWS)


@each_model
def test_an_administrator_sees_the_list(admin, model):
    ROWS[model]()
    assert admin.get(list_of(model)).status_code == 200


@each_model
def test_an_administrator_sees_the_page(admin, model):
    assert admin.get(page_of(ROWS[model]())).status_code == 200


@pytest.mark.parametrize("model", FORMS, ids=lambda model: model.__name__)
def test_an_administrator_sees_the_form_for_a_new_one(admin, model):
    address = reverse(f"admin:integrations_{model._meta.model_name}_add")
    assert admin.get(address).status_code == 200


@each_model
def test_a_viewer_sees_the_page_but_no_button(viewer, model):
    answer = viewer.get(page_of(ROWS[model]()))
    if model in (models.AuditEntry, models.PackageImport):
        assert answer.status_code == 403
    else:
        assert answer.status_code == 200
        page = answer.content.decode()
        assert 'class="bb-button' not in page.replace('<a class="bb-button', "")
        assert 'name="_save"' not in page


@each_model
def test_a_post_of_a_viewer_is_refused_and_audited(viewer, model):
    row = ROWS[model]()
    before = models.AuditEntry.objects.count()
    assert viewer.post(page_of(row), {"name": "x"}).status_code == 403
    if model is not models.AuditEntry:
        assert models.AuditEntry.objects.filter(action="refused", actor="vera").count() == 1
        assert models.AuditEntry.objects.count() == before + 1


@each_model
def test_nobody_without_log_in_sees_anything(client, db, model):
    answer = client.get(page_of(ROWS[model]()))
    assert answer.status_code == 302
    assert "login" in answer.headers["Location"]


@pytest.mark.parametrize(
    "model", [models.Instance, models.Activity, models.AuditEntry], ids=lambda m: m.__name__
)
def test_records_cannot_be_added_or_deleted(admin, model):
    if model in ROWS:
        row = ROWS[model]()
        assert admin.post(page_of(row, "delete"), {"post": "yes"}).status_code == 403
        assert model.objects.filter(pk=row.pk).exists()
    else:
        assert model not in stock.site._registry


def _actions():
    for model, page in stock.site._registry.items():
        for action in getattr(page, "post_actions", ()) if model in ROWS else ():
            yield pytest.param(model, action, id=f"{model.__name__}-{action.name}")


@pytest.mark.parametrize(("model", "action"), list(_actions()))
def test_an_action_answers_post_alone(admin, model, action):
    row = ROWS[model]()
    before = models.AuditEntry.objects.count()
    assert admin.get(page_of(row, action.name)).status_code == 405
    assert models.AuditEntry.objects.count() == before


@pytest.mark.parametrize(("model", "action"), list(_actions()))
def test_an_action_is_refused_to_a_viewer_and_audited(viewer, model, action):
    row = ROWS[model]()
    assert viewer.post(page_of(row, action.name)).status_code == 403
    entry = models.AuditEntry.objects.get(action="refused")
    assert (entry.actor, entry.detail["action"]) == ("vera", action.name)


def test_a_page_that_is_not_there_leads_to_the_list(admin):
    address = reverse("admin:integrations_instance_change", args=["0190b7f2-0000-7000-8000-000000000000"])
    answer = admin.get(address, follow=True)
    assert answer.status_code == 200
    assert "There is no instance 0190b7f2" in answer.content.decode()


def test_a_network_location_is_found_by_its_transformer(admin):
    factories.NetworkLocationFactory(service_point_id="8100000001", transformer_id="TX-7")
    factories.NetworkLocationFactory(service_point_id="8100000002", transformer_id="TX-8")
    page = admin.get(f"{list_of(models.NetworkLocation)}?q=TX-7").content.decode()
    assert "8100000001" in page
    assert "8100000002" not in page


def test_a_sync_request_shows_its_parts_and_every_instance_that_had_to_do_with_it(admin):
    row = factories.SyncRequestFactory(
        package="test.package",
        parts={"SP1": {"positive": False, "text": "No such street", "key": ""}, "SP2": None},
    )
    flow = factories.FlowFactory(package="test.package")
    sent, answered = (factories.InstanceFactory(flow=flow) for _ in range(2))
    for instance in (sent, answered):
        models.BusinessKey.objects.create(instance=instance, name="syncRequestId", value=row.sync_request_id)
    other = factories.InstanceFactory(flow=flow)
    page = admin.get(page_of(row)).content.decode()
    assert "No such street" in page
    assert "not yet" in page
    assert all(str(instance.pk) in page for instance in (sent, answered))
    assert str(other.pk) not in page
