"""Bulk resubmissions in the console: previewed, rehearsed, started, approved by another, paused, cancelled."""

import re
from html import unescape

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


def test_each_figure_of_the_progress_leads_to_its_errors(viewer, db, monkeypatch):
    monkeypatch.setattr("integrations.admin.bulk_resubmission.SHOWN", 1)
    order = factories.BulkResubmissionFactory(total=7)
    kinds = {"recovered": 1, "open": 3, "resubmitted": 1, "refused": 2}
    for position, kind in enumerate(kind for kind, number in kinds.items() for _ in range(number)):
        state = "discarded" if kind == "refused" else kind
        instance = factories.ErrorInstanceFactory(state=state).instance
        outcome = "refused" if kind == "refused" else "resubmitted"
        order.items.create(instance=instance, position=position, outcome=outcome)
    factories.ErrorInstanceFactory.create_batch(2)
    page = text_of(viewer.get(page_of(order)))
    found = re.findall(r'<a href="([^"]+)"><strong>(\d+)</strong><span>([^<]+)<', page)
    assert [int(said) for _, said, _ in found] == [1, 1, 3, 2, 0]
    for link, said, what in found:
        assert viewer.get(unescape(link)).context["cl"].result_count == int(said), what
    assert "The first 1 of <a" in page


@pytest.mark.parametrize("asked", ["bulk=1-resubmitted", "missing_values__id__exact=1"])
def test_the_errors_of_an_order_are_found_without_walking_all_of_their_state(admin, asked):
    listed = admin.get(f"{reverse('admin:integrations_errorinstance_changelist')}?{asked}&state__exact=open")
    plan = listed.context["cl"].queryset.order_by("-last_failed_at", "-pk")[:51].explain()
    assert "error_by_state" not in plan


@pytest.mark.parametrize("asked", ["x", "1-x", "9" * 19, "-", "99"])
def test_errors_of_an_order_there_is_not_are_none(operator, errors, asked):
    answer = operator.get(reverse("admin:integrations_errorinstance_changelist"), {"bulk": asked})
    assert answer.status_code == 302 or not answer.context["cl"].result_list
    again = text_of(operator.get(at("preview"), {"filters": f"bulk={asked}"}, follow=True))
    assert "can be resubmitted, in the order" not in again


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
