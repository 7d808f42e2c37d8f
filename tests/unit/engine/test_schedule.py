"""Schedules: each due time once, summer time both ways, bad rows alone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from integrations.engine import schedule as schedule_module
from integrations.engine.recovery import sweep
from integrations.engine.schedule import BadSchedule, coming_times, next_due, tick
from integrations.models import DueRun, Instance, Schedule
from integrations.services.flow_run import flow_run, schedule_start

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _travelled_clock(monkeypatch) -> None:
    """The tests move the process's clock; a database server keeps its own, so it is not asked."""
    monkeypatch.setattr(schedule_module, "db_now", timezone.now)


@pytest.fixture
def flow_row(make_flow):
    return make_flow(lambda run, message: None, pattern="file")


def schedule(flow, **more) -> Schedule:
    return Schedule.objects.create(flow=flow, **{"name": "nightly", "cron": "0 2 * * *", **more})


def ticked_at(moment: datetime) -> int:
    with time_machine.travel(moment, tick=False):
        return tick(schedule_start)


def test_a_due_time_is_taken_once_whoever_ticks(flow_row):
    row = schedule(flow_row)
    ticked_at(START)
    stale = Schedule.objects.get(pk=row.pk).next_due_at
    assert ticked_at(START + timedelta(hours=15)) == 1
    Schedule.objects.update(next_due_at=stale)  # another beat that read the row before
    Instance.objects.update(status="succeeded")
    assert ticked_at(START + timedelta(hours=15)) == 0
    assert Instance.objects.count() == 1


def test_what_was_missed_runs_once(flow_row):
    schedule(flow_row, cron="*/5 * * * *")
    ticked_at(START)
    assert ticked_at(START + timedelta(hours=24)) == 1
    assert ticked_at(START + timedelta(hours=24, seconds=1)) == 0
    assert DueRun.objects.count() == 1


def test_one_bad_row_says_why_and_stops_no_other(flow_row):
    schedule(flow_row, name="bad", cron="0 0 31 2 *")
    schedule(flow_row, name="good", cron="*/5 * * * *")
    ticked_at(START)
    assert ticked_at(START + timedelta(minutes=6)) == 1
    assert "Bad day-of-month" in Schedule.objects.get(name="bad").trouble


def test_an_overlapping_run_is_said_and_not_doubled(flow_row):
    row = schedule(flow_row, cron="*/5 * * * *")
    ticked_at(START)
    ticked_at(START + timedelta(minutes=6))
    ticked_at(START + timedelta(minutes=11))
    assert Instance.objects.count() == 1
    assert "running already" in row.due_runs.order_by("due_at").last().outcome


def test_a_clock_set_back_runs_nothing_twice(flow_row):
    schedule(flow_row)
    ticked_at(START)
    assert ticked_at(START + timedelta(hours=15)) == 1
    Instance.objects.update(status="succeeded")
    assert ticked_at(START + timedelta(hours=5)) == 0
    assert ticked_at(START + timedelta(hours=15, minutes=1)) == 0


# Where clocks go forward and back: the day, and times of day that are skipped or come twice then.
SUMMER_TIME = [
    ("America/New_York", datetime(2026, 3, 8, tzinfo=UTC), "30 2 * * *"),
    ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC), "30 1 * * *"),
    ("Europe/Berlin", datetime(2026, 3, 29, tzinfo=UTC), "30 2 * * *"),
    ("Europe/Berlin", datetime(2026, 10, 25, tzinfo=UTC), "30 2 * * *"),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, tzinfo=UTC), "45 1 * * *"),  # half an hour
    ("America/Santiago", datetime(2026, 9, 6, tzinfo=UTC), "0 0 * * *"),  # midnight itself is skipped
]


@pytest.mark.parametrize(("zone", "day", "cron"), SUMMER_TIME)
def test_summer_time_fires_a_daily_schedule_once_a_day(flow_row, zone: str, day: datetime, cron: str):
    row = schedule(flow_row, cron=cron, time_zone=zone)
    moment = day - timedelta(days=2)
    while moment < day + timedelta(days=2):
        ticked_at(moment)
        Instance.objects.update(status="succeeded")
        moment += timedelta(minutes=15)
    local = [due.astimezone(ZoneInfo(zone)).date() for due in row.due_runs.values_list("due_at", flat=True)]
    assert len(local) == len(set(local))
    assert (max(local) - min(local)).days == len(local) - 1 >= 3
    assert Instance.objects.count() == len(local)


@pytest.mark.parametrize(("days", "runs"), [(0.5, 0), (1, 1), (9, 1)])
def test_a_clock_that_jumps_ahead_runs_a_daily_schedule_once(flow_row, days: float, runs: int):
    schedule(flow_row)
    ticked_at(START)
    for seconds in range(5):
        ticked_at(START + timedelta(days=days, seconds=seconds))
        Instance.objects.update(status="succeeded")
    assert Instance.objects.count() == runs


def test_a_clock_that_jumps_to_and_fro_over_a_due_time_runs_it_once(flow_row):
    schedule(flow_row)
    ticked_at(START)
    for hours in (15, 13, 15, 1, 20, 13.9, 14.1, 24):
        ticked_at(START + timedelta(hours=hours))
        Instance.objects.update(status="succeeded")
    assert Instance.objects.count() == 1
    assert ticked_at(START + timedelta(hours=38, minutes=1)) == 1


def test_a_changed_cron_forgets_the_old_due_time(flow_row):
    row = schedule(flow_row)
    ticked_at(START)
    row.refresh_from_db()
    row.cron = "0 5 * * *"
    row.save()
    assert row.next_due_at is None


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"cron": "x"}, "no cron"),
        ({"time_zone": "Mars/Base"}, "no time zone"),
        ({"cron": "0 0 31 2 *"}, "day-of-month"),
    ],
)
def test_what_cannot_be_scheduled_is_named(flow_row, more: dict, said: str):
    with pytest.raises(BadSchedule, match=said):
        next_due(schedule(flow_row, **more), START)


def test_an_interval_keeps_its_beat(flow_row):
    row = schedule(flow_row, cron="", interval_seconds=600, last_due_at=START)
    assert next_due(row, START + timedelta(seconds=1201)) == START + timedelta(seconds=1800)
    with time_machine.travel(START, tick=False):
        assert [int((one - START).total_seconds()) for one in coming_times(row, 3)] == [600, 1200, 1800]


def test_the_sweep_wakes_a_ready_row_once_until_its_time_comes_again(flow_row):
    flow_run(flow=flow_row, parameters={}, actor="test")
    Instance.objects.update(woken_at=None, due_at=datetime.now(UTC) - timedelta(hours=1))
    assert sweep() == 1
    assert sweep() == 0
    Instance.objects.update(woken_at=datetime.now(UTC) - timedelta(seconds=61), wakes=0)
    assert sweep() == 1
    Instance.objects.update(woken_at=datetime.now(UTC) - timedelta(seconds=61))
    assert sweep() == 0
