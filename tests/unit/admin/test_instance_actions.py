"""An instance's page: sent again, aborted or discarded where it has no error; its relatives, each list in full."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations import models
from integrations.models import BulkItem
from integrations.services.instance_abort import instance_abort
from tests import factories
from tests.unit.admin.conftest import list_of, page_of, text_of

Status = models.Instance.Status
UNDER_WAY = (Status.READY, Status.RUNNING, Status.WAITING)


def _aborted(pattern):
    flow = models.Flow.objects.filter(pattern=pattern, present=True).first()
    instance = factories.InstanceFactory(status=Status.RUNNING, flow=flow)
    instance_abort(instance=instance, actor="api")
    return instance


def test_an_aborted_instance_without_an_error_is_resubmitted_from_its_page(operator):
    instance = _aborted("async")
    page = operator.get(page_of(instance))
    assert page.context["can_resubmit"]
    assert page_of(instance, "resubmit") in text_of(page)
    operator.post(page_of(instance, "resubmit"), {"from": "checkpoint"})
    instance.refresh_from_db()
    assert (instance.status, instance.round) == (Status.READY, 2)


def test_who_may_not_resubmit_sees_no_form_but_who_does_it(viewer):
    instance = _aborted("async")
    page = text_of(viewer.get(page_of(instance)))
    assert "It takes an operator." in page
    assert page_of(instance, "resubmit") not in page


def test_an_aborted_instance_whose_caller_is_gone_says_why_it_cannot_be_replayed(operator):
    instance = _aborted("sync")
    page = text_of(operator.get(page_of(instance)))
    assert "Cannot be resubmitted: its caller is gone, and it has no error" in page
    assert page_of(instance, "resubmit") not in page


def test_with_an_error_the_form_is_on_the_errors_page(operator):
    error = factories.ErrorInstanceFactory(instance__status=Status.FAILED)
    form = page_of(error.instance, "resubmit")
    assert form not in text_of(operator.get(page_of(error.instance)))
    assert form in text_of(operator.get(page_of(error)))


@pytest.mark.parametrize("status", UNDER_WAY)
def test_what_is_under_way_is_aborted_with_a_reason(operator, status):
    instance = factories.InstanceFactory(status=status)
    assert page_of(instance, "abort") in text_of(operator.get(page_of(instance)))
    operator.post(page_of(instance, "abort"), {"reason": " "})
    instance.refresh_from_db()
    assert instance.status == status
    operator.post(page_of(instance, "abort"), {"reason": "sent twice"})
    instance.refresh_from_db()
    assert instance.status == Status.DISCARDED
    entry = models.AuditEntry.objects.get(action="abort")
    assert (entry.actor, entry.detail["reason"]) == ("olga", "sent twice")


def test_a_viewer_aborts_nothing(viewer):
    instance = factories.InstanceFactory(status=Status.RUNNING)
    assert page_of(instance, "abort") not in text_of(viewer.get(page_of(instance)))
    assert viewer.post(page_of(instance, "abort"), {"reason": "x"}).status_code == 403
    assert models.AuditEntry.objects.filter(action="refused", detail__action="abort").exists()


def test_what_has_ended_is_not_aborted(operator):
    instance = factories.InstanceFactory(status=Status.SUCCEEDED)
    assert page_of(instance, "abort") not in text_of(operator.get(page_of(instance)))
    answer = operator.post(page_of(instance, "abort"), {"reason": "x"}, follow=True)
    assert "cannot be aborted" in text_of(answer)


def test_a_failed_instance_without_an_error_is_discarded_on_its_page(operator):
    instance = factories.InstanceFactory(status=Status.FAILED)
    assert page_of(instance, "discard") in text_of(operator.get(page_of(instance)))
    operator.post(page_of(instance, "discard"), {"reason": "of no use"})
    instance.refresh_from_db()
    assert instance.status == Status.DISCARDED


# -- relatives ---------------------------------------------------------------------------------------------


def test_a_resubmission_leads_to_its_bulk_order_and_its_attempt(viewer):
    instance = factories.InstanceFactory(status=Status.SUCCEEDED, round=3)
    for number in (1, 2, 3):
        factories.AttemptFactory(instance=instance, number=number, round=min(number, 2))
    made = [
        models.Resubmission.objects.create(instance=instance, round=number, actor="otto") for number in (2, 3)
    ]
    models.Resubmission.objects.filter(pk=made[0].pk).update(created_at=timezone.now() - timedelta(hours=1))
    order = factories.BulkResubmissionFactory(actor="otto", title="All of them")
    sent = {"outcome": BulkItem.Outcome.RESUBMITTED, "at": timezone.now()}
    BulkItem.objects.create(order=order, position=1, instance=instance, **sent)
    page = viewer.get(page_of(instance))
    first, second = page.context["resubmissions"]
    assert (first.order, first.attempt) == (None, 2)
    assert (second.order, second.attempt) == (order, 0)
    assert reverse("admin:integrations_bulkresubmission_change", args=[order.pk]) in text_of(page)
    assert "?attempt=2#stream" in text_of(page)


@pytest.mark.parametrize("way", ["parent", "handed_on_by", "replay_of"])
def test_of_many_relatives_the_list_has_all(viewer, monkeypatch, way):
    monkeypatch.setattr("integrations.admin.instance_page.ROWS", 1)
    instance = factories.InstanceFactory()
    theirs = {factories.InstanceFactory(**{way: instance}).pk for _ in range(2)}
    query = f"{way}__id__exact={instance.pk}"
    assert f"{list_of(models.Instance)}?{query}" in text_of(viewer.get(page_of(instance)))
    listed = viewer.get(f"{list_of(models.Instance)}?{query}").context["cl"].result_list
    assert {row.pk for row in listed} == theirs
