"""What the beat counts: an hour is counted again when something in it has changed, and only then."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import models
from integrations.services import hours_count as service
from integrations.services.chores import chores
from integrations.services.hours_count import HOUR, hour_of, hours_count, hours_known
from integrations.services.lateness import late_schedules, why_late, with_refusal
from tests import factories


@pytest.fixture
def old(db):
    """Two hours ago, something succeeded and something failed; all has been counted."""
    then = timezone.now() - 2 * HOUR
    made = {"flow": factories.FlowFactory(), "created_at": then}
    failed = factories.InstanceFactory(status="failed", **made)
    factories.InstanceFactory(**made)
    hours_count(budget=60)
    models.Tally.objects.update(counted_at=timezone.now() - timedelta(minutes=5))
    return failed


def counts(instance) -> dict[str, int]:
    """The counts of the instance's flow in its hour."""
    return models.HourCount.objects.get(hour=hour_of(instance.created_at)).counts.get(
        str(instance.flow_id), {}
    )


def test_the_first_time_counts_a_week_of_hours(old):
    assert models.HourCount.objects.count() == service.COUNTED_HOURS
    assert counts(old) == {"failed": 1, "succeeded": 1}


def test_what_has_not_ended_is_not_counted(db):
    factories.InstanceFactory(status="waiting")
    hours_count()
    assert not any(row.counts for row in models.HourCount.objects.all())


def test_where_nothing_has_changed_nothing_is_counted(old):
    assert hours_count() == 0


@pytest.mark.parametrize("status", ["succeeded", "discarded"])
def test_an_hour_is_counted_again_where_one_of_its_instances_ends(old, status):
    models.Instance.objects.filter(pk=old.pk).update(status=status, ended_at=timezone.now())
    assert hours_count() == 1
    assert counts(old).get("failed", 0) == 0


def test_an_hour_is_counted_again_where_one_of_its_instances_is_sent_again(old):
    models.Instance.objects.filter(pk=old.pk).update(status="ready", ended_at=None)
    models.Resubmission.objects.create(instance=old, round=2, actor="olga")
    hours_count()
    assert counts(old) == {"succeeded": 1}


def test_what_the_time_did_not_suffice_for_is_counted_next(db):
    assert hours_count(budget=0) == 1
    assert hours_known(since=timezone.now() - 23 * HOUR, until=timezone.now()).missing == 23
    hours_count(at=timezone.now())
    assert hours_known(since=timezone.now() - 23 * HOUR, until=timezone.now()).missing == 0


def test_counting_that_took_long_waits_before_it_counts_again(old):
    models.Tally.objects.update(took_seconds=60)
    models.Instance.objects.filter(pk=old.pk).update(status="discarded", ended_at=timezone.now())
    assert hours_count() == 0


def test_old_hours_are_let_go(db):
    models.HourCount.objects.create(hour=hour_of(timezone.now() - service.KEPT - HOUR))
    hours_count()
    assert models.HourCount.objects.filter(hour__lt=timezone.now() - service.KEPT).count() == 0


def test_the_beat_counts_and_looks_for_files():
    assert {"figures", "expected files"} <= {one.name for one in chores()}


def _schedule(active=True, **more):
    row = factories.ScheduleFactory(flow__active=active, flow__pattern="file")
    models.Schedule.objects.filter(pk=row.pk).update(**more)
    return row


def test_a_schedule_is_late_when_its_time_is_past_and_nothing_has_started_it(db):
    now = timezone.now()
    late = _schedule(next_due_at=now - timedelta(minutes=10))
    _schedule(next_due_at=now - timedelta(seconds=30))
    _schedule(next_due_at=now - timedelta(minutes=10), enabled=False)
    _schedule(next_due_at=now - timedelta(minutes=10), active=False)
    assert list(late_schedules(now)) == [late]


def test_a_schedule_was_missed_when_its_last_due_time_was_refused(db):
    now = timezone.now()
    row = _schedule(last_due_at=now)
    models.DueRun.objects.create(schedule=row, due_at=now, outcome="It is still running")
    started = _schedule(last_due_at=now)
    models.DueRun.objects.create(schedule=started, due_at=now, outcome="started")
    assert list(late_schedules(now)) == [row]
    assert "It is still running" in why_late(with_refusal(models.Schedule.objects.all()).get(pk=row.pk), now)
