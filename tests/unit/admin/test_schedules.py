"""Schedules: what would never fire is refused when saved, with the reason at its field."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from integrations import models
from integrations.services.schedule_save import next_times, schedule_problems
from tests import factories
from tests.unit.admin.conftest import page_of, text_of

ADD = "admin:integrations_schedule_add"


@pytest.fixture
def flow(db):
    return models.Flow.objects.get(identifier="OUTL-BA-CCS_DACS_CUST_SYNC_FTP")


def _posted(flow, **more):
    values = {
        "flow": flow.pk,
        "name": "nightly",
        "cron": "0 2 * * *",
        "time_zone": "Europe/London",
        "parameters": '{"extractedFileNamePrefix": "C1-DCTEX"}',
        "enabled": "on",
    }
    return {**values, **more}


def test_a_good_schedule_is_saved_with_its_next_time_and_audited(configurator, flow):
    configurator.post(reverse(ADD), _posted(flow))
    row = models.Schedule.objects.get(name="nightly")
    assert row.next_due_at is not None
    assert models.AuditEntry.objects.get(action="schedule_create").actor == "conny"


@pytest.mark.parametrize(
    ("more", "field", "said"),
    [
        ({"cron": "0 2 * *"}, "cron", "has 5 fields"),
        ({"cron": "* * * * * *"}, "cron", "has 5 fields"),
        ({"cron": "61 * * * *"}, "cron", "minute"),
        ({"cron": "0 0 31 2 *"}, "cron", "Nothing would ever be started"),
        ({"cron": ""}, "cron", "Give a cron or an interval"),
        ({"interval_seconds": "600"}, "cron", "Give a cron or an interval"),
        ({"cron": "", "interval_seconds": "1"}, "interval_seconds", "shortest interval"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "no time zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone", "no time zone"),
        ({"parameters": "[1]"}, "parameters", "JSON object"),
        ({"parameters": "{"}, "parameters", "valid JSON"),
        ({"parameters": "{}"}, "parameters", "extractedFileNamePrefix"),
        ({"parameters": '{"extractedFileNamePrefix": "x", "other": "y"}'}, "parameters", "other"),
    ],
)
def test_a_schedule_that_would_not_work_is_refused_at_its_field(configurator, flow, more, field, said):
    before = models.Schedule.objects.count()
    answer = configurator.post(reverse(ADD), _posted(flow, **more))
    assert said in str(answer.context["adminform"].form.errors[field])
    assert models.Schedule.objects.count() == before


def test_a_flow_started_by_a_message_has_no_schedule(configurator, flow):
    other = models.Flow.objects.get(identifier="OUTL-BA-DACS_CCS_CUST_SYNC_ACK")
    answer = configurator.post(reverse(ADD), _posted(other))
    assert "flow" in answer.context["adminform"].form.errors


@pytest.fixture(autouse=True)
def _travelled_clock(monkeypatch):
    """Some tests move the process's clock; a database server keeps its own, so it is not asked."""
    monkeypatch.setattr("integrations.engine.schedule.db_now", timezone.now)


@time_machine.travel(datetime(2025, 3, 29, 12, tzinfo=UTC), tick=False)
def test_times_are_shown_in_the_schedules_own_zone(db):
    row = factories.ScheduleFactory.build(cron="30 3 * * *", time_zone="Europe/London", flow=None)
    assert [f"{time:%d %H:%M %Z}" for time in next_times(row, count=2)] == ["30 03:30 BST", "31 03:30 BST"]


@time_machine.travel(datetime(2025, 3, 1, tzinfo=UTC), tick=False)
def test_a_leap_day_fires_in_three_years(db):
    row = factories.ScheduleFactory.build(cron="0 0 29 2 *", flow=None)
    assert schedule_problems(row) == {}
    assert next_times(row, count=1)[0].year == 2028


def test_the_page_shows_the_next_five_times(admin, flow):
    row = factories.ScheduleFactory(flow=flow, parameters={"extractedFileNamePrefix": "C1-DCTEX"})
    assert len(admin.get(page_of(row)).context["times"]) == 5


def test_a_schedule_that_is_off_is_due_never(configurator, flow):
    configurator.post(reverse(ADD), {key: value for key, value in _posted(flow).items() if key != "enabled"})
    assert models.Schedule.objects.get(name="nightly").next_due_at is None


def test_deleting_one_is_audited(configurator, flow):
    row = factories.ScheduleFactory(flow=flow, name="old")
    configurator.post(page_of(row, "delete"), {"post": "yes"})
    assert not models.Schedule.objects.filter(pk=row.pk).exists()
    assert models.AuditEntry.objects.filter(action="schedule_delete").exists()


def test_who_changed_what_is_in_its_history(configurator, flow):
    configurator.post(reverse(ADD), _posted(flow))
    row = models.Schedule.objects.get(name="nightly")
    configurator.post(page_of(row), _posted(flow, cron="0 3 * * *"))
    assert [past.cron for past in row.history.all()] == ["0 3 * * *", "0 2 * * *"]
    assert row.history.first().history_user.username == "conny"
    assert "nightly" in text_of(configurator.get(page_of(row)))
