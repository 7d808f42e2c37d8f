"""Cloning on the console: the form, who may, what is said, what becomes of it."""

import pytest

from integrations import models
from tests import factories
from tests.unit.admin.conftest import list_of, page_of, text_of

FILE_FLOW, OTHER = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP", "OUTL-BRT-DACS_DRMS_ConfigProps"
CONFIG = "own.lookups.OUTL-BRT-CCS_DACS_ConfigProps"


@pytest.fixture
def flow(db):
    return models.Flow.objects.get(identifier=FILE_FLOW)


@pytest.fixture
def clone(configurator, flow):
    configurator.post(page_of(flow, "clone"), {"identifier": "NORTH-SYNC", "schedules": "on", CONFIG: OTHER})
    return models.Flow.objects.get(identifier="NORTH-SYNC")


def test_the_form_offers_what_can_stand_for_each_name(configurator, flow):
    page = text_of(configurator.get(page_of(flow, "clone_form")))
    assert 'name="own.connections.OU FTP CCS for CCS-DACS"' in page
    assert f'value="{OTHER}"' in page
    assert "OU REST CCS for CCS-DACS" not in page  # calls, and holds no files


def test_a_clone_is_made_off_with_its_own_names(clone, flow):
    assert not clone.active
    assert clone.clone_of == flow
    assert clone.stands_for == {"lookups": {"OUTL-BRT-CCS_DACS_ConfigProps": OTHER}}
    assert not clone.clients.exists()
    assert models.AuditEntry.objects.get(action="flow_clone").actor == "conny"


def test_its_page_says_whose_clone_it_is_and_draws_its_own_names(viewer, clone):
    page = text_of(viewer.get(page_of(clone)))
    assert f">{FILE_FLOW}</a>" in page
    assert OTHER in page


def test_the_base_s_page_lists_its_clones(viewer, clone, flow):
    assert "NORTH-SYNC" in text_of(viewer.get(page_of(flow)))


def test_a_wrong_identifier_is_said_with_what_was_entered(configurator, flow):
    answer = configurator.post(page_of(flow, "clone"), {"identifier": FILE_FLOW.lower(), "name": "North one"})
    page = text_of(answer)
    assert "is taken by" in page
    assert 'value="North one"' in page


def test_names_are_changed_on_the_clone_s_page(configurator, clone):
    configurator.post(page_of(clone, "clone_change"), {"name": "North", CONFIG: ""})
    clone.refresh_from_db()
    assert (clone.name, clone.stands_for) == ("North", {})


def test_a_clone_is_deleted_only_without_instances(configurator, clone):
    instance = factories.InstanceFactory(flow=clone)
    page = configurator.post(page_of(clone, "clone_delete"), follow=True)
    assert "switch it off instead" in text_of(page)
    instance.delete()
    configurator.post(page_of(clone, "clone_delete"))
    assert not models.Flow.objects.filter(identifier="NORTH-SYNC").exists()


def test_a_clone_answers_at_its_own_address(admin, flow, settings):
    settings.HUB_URL = "https://hub.example.com"
    base = models.Flow.objects.get(identifier="OUTL-BA-DACS_CCS_CUST_SYNC_ACK")
    admin.post(page_of(base, "clone"), {"identifier": "NORTH-ACK"})
    page = text_of(admin.get(page_of(models.Flow.objects.get(identifier="NORTH-ACK"))))
    assert "/flows/oracleutilities/NORTH-ACK/1.0/sendCustomerSyncAck" in page


@pytest.mark.parametrize("action", ["clone", "clone_change", "clone_delete"])
@pytest.mark.parametrize("who", ["viewer", "operator"])
def test_who_may_not_clone_is_refused_and_audited(request, flow, who, action):
    browser = request.getfixturevalue(who)
    answer = browser.post(page_of(flow, action), {"identifier": "NORTH-SYNC"})
    assert answer.status_code == 403
    assert models.AuditEntry.objects.get(action="refused").detail["action"] == action
    assert not models.Flow.objects.filter(identifier="NORTH-SYNC").exists()


def test_the_form_is_for_who_may_clone(operator, configurator, flow):
    assert operator.get(page_of(flow, "clone_form")).status_code == 403
    assert "Clone …" not in text_of(operator.get(page_of(flow)))
    assert configurator.post(page_of(flow, "clone_form")).status_code == 405


def test_a_flow_of_the_code_is_not_deleted_as_a_clone(configurator, flow):
    configurator.post(page_of(flow, "clone_delete"))
    assert models.Flow.objects.filter(pk=flow.pk).exists()


def test_clones_are_in_the_list(viewer, clone):
    assert "NORTH-SYNC" in text_of(viewer.get(list_of(models.Flow)))
