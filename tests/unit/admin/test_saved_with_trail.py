"""What a person decides of an error family and of a flow is in the audit trail."""

import pytest

from integrations import models
from tests import factories
from tests.unit.admin.conftest import page_of


def _entries(action):
    return [entry.detail for entry in models.AuditEntry.objects.filter(action=action).order_by("id")]


def test_a_familys_owner_is_set_with_an_entry_and_only_where_it_changes(operator):
    family = factories.ErrorFamilyFactory()
    owner = factories.UserFactory(username="otto")
    for _ in range(2):
        operator.post(page_of(family), {"owner": owner.pk})
    family.refresh_from_db()
    assert family.owner == owner
    assert _entries("family_assign") == [{"owner": "otto", "was": ""}]


def test_a_flows_hours_and_days_are_saved_with_an_entry_and_history(configurator):
    flow = models.Flow.objects.filter(present=True).first()
    sent = {"retention_days": "30", "acknowledgement_hours": str(flow.acknowledgement_hours)}
    for _ in range(2):
        configurator.post(page_of(flow), sent)
    flow.refresh_from_db()
    assert flow.retention_days == 30
    assert _entries("flow_adjust") == [{"retention_days": 30, "was": {"retention_days": None}}]
    assert flow.history.first().retention_days == 30


@pytest.mark.parametrize("name", ["errorfamily", "flow"])
def test_a_viewer_saves_neither(viewer, name):
    row = factories.ErrorFamilyFactory() if name == "errorfamily" else models.Flow.objects.first()
    assert viewer.post(page_of(row), {}).status_code == 403
    assert models.AuditEntry.objects.filter(action="refused", subject__startswith=name).exists()
