"""The instances' list: its columns, a text within a time span, filters under a name."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations import models
from tests import factories
from tests.unit.admin.conftest import list_of, text_of

HERE = "integrations.admin.instance"


def _listed(browser, **asked):
    return {row.pk for row in browser.get(list_of(models.Instance), asked).context["cl"].result_list}


def test_a_row_says_what_failed_and_leads_to_its_family_and_its_objects(admin):
    error = factories.ErrorInstanceFactory(instance__fault_step="call the billing system")
    factories.BusinessKeyFactory(instance=error.instance, name="servicePoint", value="SP 4711")
    page = text_of(admin.get(list_of(models.Instance)))
    assert "call the billing system" in page
    assert reverse("admin:integrations_errorfamily_change", args=[error.family_id]) in page
    assert f"{reverse('business-object')}?name=servicePoint&amp;value=SP+4711" in page


def test_of_many_business_keys_a_few_are_shown(admin):
    instance = factories.InstanceFactory()
    for number in range(20):
        factories.BusinessKeyFactory(instance=instance, name=f"key{number:02}", value=f"value{number:02}")
    page = text_of(admin.get(list_of(models.Instance)))
    assert "value00" in page
    assert "value09" not in page
    assert "and more" in page


def test_keys_of_a_list_come_behind_the_single_ones(admin):
    instance = factories.InstanceFactory()
    factories.BusinessKeyFactory(instance=instance, name="servicePointId", value="SP-1")
    for number in range(20):
        factories.BusinessKeyFactory(instance=instance, name="deviceId", value=f"device{number:02}")
    assert "SP-1" in text_of(admin.get(list_of(models.Instance)))


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"flow__package": "one"}, 2),
        ({"flow__package": "one", "status__exact": "failed"}, 1),
        ({"flow__package": "nothing"}, 0),
        ({"status__in": "failed,held"}, 2),
        ({"flow__package": "one", "status__in": "failed,held"}, 1),
    ],
)
def test_filters_of_several_flows_and_statuses_fit_together(admin, asked, count):
    for package in ("one", "two"):
        for status in ("failed", "succeeded"):
            factories.InstanceFactory(flow__package=package, status=status)
    assert len(_listed(admin, **asked)) == count


# -- a text ------------------------------------------------------------------------------------------------


@pytest.fixture
def said(db):
    """One whose fault says it, one whose stream does, one of last week, and others."""
    factories.InstanceFactory.create_batch(2)
    fault = factories.InstanceFactory(status="failed", fault_text="The GATEWAY was asleep")
    line = factories.ActivityFactory(text="Waited for the gateway").instance
    old = factories.InstanceFactory(fault_text="gateway", created_at=timezone.now() - timedelta(days=5))
    return fault.pk, line.pk, old.pk


def test_a_text_is_found_in_faults_and_streams_of_the_last_day(admin, said):
    fault, line, _ = said
    assert _listed(admin, text="gateway") == {fault, line}


def test_a_text_is_found_within_the_time_chosen(admin, said):
    assert _listed(admin, text="gateway", within="7d") == set(said)
    week = {"since": f"{timezone.now() - timedelta(days=6):%Y-%m-%dT%H:%M}"}
    assert _listed(
        admin, text="gateway", until=f"{timezone.now() - timedelta(days=4):%Y-%m-%dT%H:%M}", **week
    ) == {said[2]}
    assert _listed(admin, text="gateway", within="1h", status__exact="failed") == {said[0]}


def test_a_search_says_how_far_it_looked(admin, said, monkeypatch):
    monkeypatch.setattr(f"{HERE}.LOOKED_AT", 1)
    answer = admin.get(list_of(models.Instance), {"text": "gateway"})
    assert "Looked at 1 instances" in text_of(answer)
    assert answer.context["cl"].pager["next"]


def test_a_text_that_is_too_short_is_not_looked_for(admin, said):
    answer = admin.get(list_of(models.Instance), {"text": "ga"})
    assert "at least 3 letters" in text_of(answer)
    assert len(answer.context["cl"].result_list) == 5


@pytest.mark.parametrize(
    "asked", [{"since": "x"}, {"until": "2024-99-99T00:00"}, {"within": "9y", "text": "<b>x"}]
)
def test_a_time_that_is_none_is_no_error(admin, asked):
    assert admin.get(list_of(models.Instance), asked).status_code == 200


# -- saved filters -----------------------------------------------------------------------------------------


def _save(browser, **more):
    address = reverse("admin:integrations_instance_filter_save")
    sent = {"name": "Failed today", "query": "status__exact=failed&within=24h&after=x", **more}
    return browser.post(address, sent, follow=True)


def test_a_filter_is_saved_under_a_name_without_the_place_in_the_list(viewer):
    answer = _save(viewer)
    row = models.SavedFilter.objects.get()
    assert (row.page, row.name) == ("integrations.instance", "Failed today")
    assert row.query == "status__exact=failed&within=24h"
    assert row.query.replace("&", "&amp;") in text_of(answer)
    assert models.AuditEntry.objects.filter(action="filter_save", actor="vera").exists()


def test_saving_again_replaces_it(viewer):
    _save(viewer)
    _save(viewer, query="status__exact=held")
    assert models.SavedFilter.objects.get().query == "status__exact=held"


@pytest.mark.parametrize(
    ("more", "said"), [({"name": " "}, "needs a name"), ({"query": "after=x"}, "no filter to save")]
)
def test_what_is_no_filter_is_said(viewer, more, said):
    assert said in text_of(_save(viewer, **more))
    assert not models.SavedFilter.objects.exists()


def test_others_see_what_is_shared_and_nothing_else(viewer, operator):
    _save(viewer, name="Mine alone")
    _save(viewer, name="Ours", shared="1")
    page = text_of(operator.get(list_of(models.Instance)))
    assert "Ours" in page
    assert "Mine alone" not in page


def test_one_deletes_ones_own_and_an_administrator_what_is_shared(viewer, operator, admin):
    _save(viewer, shared="1")
    row = models.SavedFilter.objects.get()
    address = reverse("admin:integrations_instance_filter_delete", args=[row.pk])
    assert viewer.get(address).status_code == 405
    assert operator.post(address).status_code == 403
    assert models.AuditEntry.objects.filter(action="refused", actor="olga").exists()
    admin.post(address)
    assert not models.SavedFilter.objects.exists()


def test_nobody_keeps_filters_of_a_list_they_may_not_see(viewer):
    assert viewer.post(reverse("admin:integrations_auditentry_filter_save"), {"name": "x"}).status_code == 403


def test_a_filter_of_another_list_is_not_deleted_here(viewer):
    _save(viewer)
    key = models.SavedFilter.objects.get().pk
    viewer.post(reverse("admin:integrations_filetransfer_filter_delete", args=[key]))
    assert models.SavedFilter.objects.exists()
