"""Bulk resubmission: what is taken, in which order, how fast, and never twice."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations import models
from integrations.engine.faults import Conflict
from integrations.models import BulkResubmission, ErrorInstance, Instance
from integrations.services import bulk_work as work
from integrations.services.bulk_cancel import bulk_cancel
from integrations.services.bulk_dry_run import bulk_dry_run
from integrations.services.bulk_pause import bulk_pause
from integrations.services.bulk_preview import bulk_preview
from integrations.services.bulk_progress import bulk_progress
from integrations.services.bulk_start import bulk_start
from integrations.services.instance_discard import instance_discard
from integrations.services.instance_resubmit import instance_resubmit
from tests import factories

pytestmark = pytest.mark.django_db
FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"


def failed(number=1, *, state="open", minutes=0, **given):
    """Errors of a file flow; each instance came a minute after the one before."""
    flow = models.Flow.objects.get(identifier=FLOW)
    begin = timezone.now() - timedelta(minutes=1000 - minutes)
    return [
        factories.ErrorInstanceFactory(
            state=state,
            instance=factories.InstanceFactory(
                flow=flow,
                **{"status": "failed", "created_at": begin + timedelta(minutes=place), **given},
            ),
        )
        for place in range(number)
    ]


def order_of(rate=6_000, **more):
    """An order for all errors."""
    return bulk_start(
        errors=ErrorInstance.objects.all(),
        **{"selection": {}, "title": "All", "rate": rate, "actor": "olga", **more},
    )


def due(order, seconds=60):
    """As if the order's turn had come so long ago."""
    BulkResubmission.objects.filter(pk=order.pk).update(next_at=timezone.now() - timedelta(seconds=seconds))


def test_the_order_is_that_of_arrival():
    late, early = failed(minutes=500), failed(minutes=10)
    order = order_of()
    assert list(order.items.values_list("instance", "position")) == [
        (early[0].instance_id, 1),
        (late[0].instance_id, 2),
    ]


def test_what_cannot_be_resubmitted_is_told_and_not_taken():
    good = failed()
    parent = factories.InstanceFactory()
    failed(state="recovered", status="succeeded")
    failed(state="discarded", status="discarded")
    failed(state="resubmitted", status="running")
    failed(status="waiting")
    failed(purged_at=timezone.now())
    failed(parent=parent)
    failed(replay_of=parent)
    told = bulk_preview(errors=ErrorInstance.objects.all())
    assert (told.chosen, told.count, len(told.refused)) == (8, 1, 7)
    assert all(one.count == 1 and one.examples for one in told.refused)
    assert list(order_of().items.values_list("instance", flat=True)) == [good[0].instance_id]


def test_discarded_ones_are_taken_where_they_are_meant():
    failed(state="discarded", status="discarded")
    assert bulk_preview(errors=ErrorInstance.objects.all(), discarded=True).count == 1


def test_what_is_discarded_after_the_order_was_made_stays_discarded():
    one, other = failed(2)
    due(order := order_of())
    instance_discard(instance=one.instance, actor="dora", reason="not wanted")
    work.bulk_work()
    assert list(order.items.values_list("outcome", "text")) == [
        ("refused", "Left out: dora discarded it after this order was made"),
        ("resubmitted", ""),
    ]
    one.refresh_from_db()
    assert (one.state, Instance.objects.get(pk=one.instance_id).status) == ("discarded", "discarded")
    assert other.instance_id == order.items.get(outcome="resubmitted").instance_id


def test_what_was_discarded_before_the_order_is_resubmitted():
    failed(state="discarded", status="discarded", minutes=1)
    ErrorInstance.objects.update(settled_at=timezone.now() - timedelta(minutes=1))
    due(order_of(discarded=True))
    assert work.bulk_work() == 1


def test_what_waits_in_another_order_is_not_taken_again():
    failed(2)
    order_of()
    told = bulk_preview(errors=ErrorInstance.objects.all())
    assert (told.count, told.refused[0].reason) == (0, "It waits in another bulk resubmission.")
    with pytest.raises(Conflict, match="None of these"):
        order_of()


def test_a_later_success_with_the_same_key_is_found_and_left_out():
    one, other = failed(2)
    factories.InstanceFactory(flow=one.instance.flow, primary_key_value=one.instance.primary_key_value)
    told = bulk_preview(errors=ErrorInstance.objects.all())
    assert (told.overtaken.found, told.overtaken.checked) == (1, 2)
    due(order := order_of(selection={"leave_out": True}))
    work.bulk_work()
    assert dict(order.items.values_list("instance", "outcome")) == {
        one.instance_id: "refused",
        other.instance_id: "resubmitted",
    }


def test_the_rate_says_how_many_are_due():
    failed(5)
    order = order_of(rate=60)
    assert work.bulk_work() == 1
    assert work.bulk_work() == 0
    due(order, seconds=2)
    assert work.bulk_work() == 3


def test_it_ends_when_nothing_waits_and_says_what_became_of_them():
    first, second, third = failed(3)
    due(order := order_of())
    Instance.objects.filter(pk=third.instance_id).update(status="running")
    work.bulk_work()
    order.refresh_from_db()
    ErrorInstance.objects.filter(pk=first.pk).update(state="recovered")
    ErrorInstance.objects.filter(pk=second.pk).update(state="open")
    told = bulk_progress(order=order)
    assert (order.state, told.done, told.recovered, told.failed_again, told.refused) == (
        "finished",
        3,
        1,
        1,
        1,
    )
    assert "it is running" in order.items.get(outcome="refused").text


def test_an_item_is_never_sent_twice_though_two_beats_hold_it():
    failed()
    order = order_of()
    item = order.items.select_related("instance__flow").get()
    assert [work._some(order, [item]), work._some(order, [item])] == [1, 0]
    assert Instance.objects.get().round == 2


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_send_each_once():
    failed(6)
    order = order_of()
    items = list(order.items.select_related("instance__flow"))
    together, sent = threading.Barrier(2), []

    def beat():
        together.wait()
        try:
            sent.extend(work._some(order, items[at : at + 2]) for at in (0, 2, 4))
        finally:
            connection.close()

    threads = [threading.Thread(target=beat) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sent) == 6
    assert set(Instance.objects.values_list("round", flat=True)) == {2}
    assert models.Resubmission.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_of_two_orders_at_once_each_error_is_in_one():
    failed(3)
    together, said = threading.Barrier(2), []

    def order():
        together.wait()
        try:
            said.append(order_of().total)
        except Conflict:
            said.append(0)
        finally:
            connection.close()

    threads = [threading.Thread(target=order) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [0, 3]
    assert models.BulkItem.objects.count() == 3


def test_a_turn_is_taken_once():
    failed(3)
    order = order_of(rate=60)
    now = timezone.now()
    assert [work._turn(order, now), work._turn(order, now)] == [1, 0]


def test_a_beat_that_dies_leaves_the_item_waiting(monkeypatch):
    failed()
    due(order := order_of())

    def die(**given):
        instance_resubmit(**given)
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(work, "instance_resubmit", die)
    work.bulk_work()
    assert (order.items.get().outcome, Instance.objects.get().status) == ("waiting", "failed")
    monkeypatch.setattr(work, "instance_resubmit", instance_resubmit)
    due(order)
    assert work.bulk_work() == 1


def test_what_nobody_foresaw_refuses_one_and_keeps_no_other(monkeypatch):
    failed(2)
    due(order := order_of())
    seen = []

    def stumble(**given):
        seen.append(given["instance"])
        if len(seen) == 1:
            raise ValueError("odd")
        return instance_resubmit(**given)

    monkeypatch.setattr(work, "instance_resubmit", stumble)
    work.bulk_work()
    assert list(order.items.values_list("outcome", "text")) == [
        ("refused", "ValueError: odd"),
        ("resubmitted", ""),
    ]


@pytest.mark.parametrize("end", [bulk_pause, bulk_cancel])
def test_nothing_is_sent_once_it_is_paused_or_cancelled(end):
    failed()
    order = order_of()
    item = order.items.select_related("instance__flow").get()
    end(order=order, actor="olga")
    assert not work._some(order, [item])
    assert work.bulk_work() == 0
    assert Instance.objects.get().status == "failed"


def test_more_than_a_hundred_thousand_are_refused(monkeypatch):
    failed(3)
    for module in ("bulk_choice", "bulk_preview"):
        monkeypatch.setattr(f"integrations.services.{module}.MOST", 2)
    assert bulk_preview(errors=ErrorInstance.objects.all()).too_many
    with CaptureQueriesContext(connection) as asked:
        with pytest.raises(Conflict, match="narrow the choice"):
            order_of()
        with pytest.raises(Conflict, match="narrow the choice"):
            bulk_dry_run(errors=ErrorInstance.objects.all(), actor="olga")
    assert len(asked) == 2  # one bounded count each
    assert all("LIMIT 3" in one["sql"] for one in asked)


def test_an_order_takes_as_many_statements_for_ten_as_for_one(django_assert_max_num_queries):
    failed(10)
    with django_assert_max_num_queries(10):  # two of them PostgreSQL's queue for orders
        order_of()
