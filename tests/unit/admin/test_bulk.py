"""Bulk resubmissions in the console: previewed, rehearsed, started, approved by another, paused, cancelled."""

import pytest
from django.urls import reverse

from integrations import models
from integrations.services.bulk_work import bulk_work
from tests import factories
from tests.unit.admin.conftest import page_of, text_of

FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
Order = models.BulkResubmission


def at(name):
    return reverse(f"admin:integrations_bulkresubmission_{name}")


@pytest.fixture
def errors(db):
    """Two open errors that can be resubmitted, and one whose instance is at work."""
    flow = models.Flow.objects.get(identifier=FLOW)
    made = [factories.InstanceFactory(flow=flow, status=status) for status in ("failed", "failed", "running")]
    return [factories.ErrorInstanceFactory(instance=instance) for instance in made]


@pytest.fixture
def ids(errors):
    return ",".join(str(row.pk) for row in errors)


@pytest.fixture
def start(operator, ids):
    def start(browser=operator, **more):
        browser.post(at("start"), {"ids": ids, "rate": "60", **more}, follow=True)
        return Order.objects.order_by("pk").last()

    return start


def test_the_preview_says_how_many_where_to_and_which_cannot(operator, ids):
    page = text_of(operator.get(at("preview"), {"ids": ids}))
    for said in ("<strong>2</strong> of 3", FLOW, "OU FTP CCS for CCS-DACS", "at work", "60 a minute: 2.0 s"):
        assert said in page
    assert not Order.objects.exists()


def test_a_preview_of_nothing_leads_back_and_says_so(operator):
    for asked in ({}, {"ids": "x"}, {"family": "999"}, {"ids": ",".join(["1"] * 1001)}):
        answer = operator.get(at("preview"), asked, follow=True)
        assert answer.redirect_chain
        assert any(
            word in text_of(answer) for word in ("Nothing is chosen", "does not say", "no error family")
        )


def test_filters_that_mean_nothing_are_said_to(operator):
    answer = operator.get(at("preview"), {"filters": "family__flow__id__exact=x"}, follow=True)
    assert answer.status_code == 200
    assert not Order.objects.exists()


def test_a_dry_run_changes_nothing_and_is_audited(operator, ids):
    page = text_of(operator.post(at("dry_run"), {"ids": ids}))
    assert "cannot be told without asking the target" in page
    assert models.AuditEntry.objects.get(action="dry_run").detail == {"of": 2, "rehearsed": 2, "past": 0}
    assert models.Instance.objects.filter(status="failed").count() == 2


def test_an_order_is_worked_off_and_its_page_says_how_far_it_is(operator, start):
    order = start(reason="mended")
    assert (order.total, order.state, order.reason, order.actor) == (2, "running", "mended", "olga")
    bulk_work()
    assert "<strong>1 of 2</strong> done" in text_of(operator.get(page_of(order)))
    part = text_of(operator.get(page_of(order, "progress")))
    assert 'data-moving="yes"' in part
    assert "<html" not in part


def test_it_is_paused_goes_on_and_is_cancelled(operator, start):
    order = start()
    for name, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        operator.post(page_of(order, name))
        order.refresh_from_db()
        assert order.state == state
    assert set(order.items.values_list("outcome", flat=True)) == {"dropped"}
    assert "has ended already" in text_of(operator.post(page_of(order, "cancel"), follow=True))


def test_a_large_one_waits_for_another_person(operator, start, settings, admin):
    settings.HUB_APPROVE_ABOVE = 1
    order = start()
    assert order.state == "awaiting"
    bulk_work()
    assert models.Instance.objects.filter(status="failed").count() == 2
    assert "You asked for this" in text_of(operator.post(page_of(order, "approve"), follow=True))
    admin.post(page_of(order, "approve"))
    order.refresh_from_db()
    assert (order.state, order.approved_by) == ("running", "root")


@pytest.mark.parametrize("rate", ["", "0", "6001", "x", "9999999"])
def test_a_rate_that_cannot_be_starts_nothing(start, rate):
    assert start(rate=rate) is None


def test_a_viewer_can_neither_preview_nor_start_nor_steer(viewer, ids, start):
    order = start()
    for name in ("dry_run", "start"):
        assert viewer.post(at(name), {"ids": ids, "rate": "60"}).status_code == 403
    for name in ("approve", "pause", "resume", "cancel"):
        assert viewer.post(page_of(order, name)).status_code == 403
    assert viewer.get(at("preview"), {"ids": ids}).status_code == 403
    assert models.AuditEntry.objects.filter(action="refused", actor="vera").count() == 7
    assert "Pause" not in text_of(viewer.get(page_of(order)))
    assert Order.objects.count() == 1


def test_a_get_starts_nothing(operator, ids):
    assert operator.get(at("start"), {"ids": ids, "rate": "60"}).status_code == 405
    assert not Order.objects.exists()
