"""Expected files: saved only where they can be looked for, late until they have come, each file for one time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.urls import reverse

from integrations import models
from integrations.models.ids import time_ordered_key
from integrations.services.expected_file_save import coming_checks
from integrations.services.expected_files_check import expected_files_check
from tests import factories
from tests.unit.admin.conftest import list_of, page_of, text_of

ADD = "admin:integrations_expectedfile_add"
DUE = datetime(2026, 3, 2, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def flow(db):
    return factories.FlowFactory(identifier="X-FILES", pattern="file", active=True)


@pytest.fixture
def expected(flow):
    """C1-DCTEX*, daily by six, within 24 hours; due at DUE."""
    return models.ExpectedFile.objects.create(
        flow=flow, name="extract", pattern="C1-DCTEX*.csv", cron="0 6 * * *", next_check_at=DUE
    )


def _posted(flow, **more):
    values = {
        "flow": flow.pk,
        "name": "extract",
        "pattern": "C1-DCTEX*",
        "cron": "0 6 * * 1-5",
        "time_zone": "Europe/London",
        "within_hours": "24",
        "enabled": "on",
    }
    return {**values, **more}


def moved(flow, at, name="C1-DCTEX_1.csv", state="done", **more):
    """A file that the flow moved at that time."""
    more.setdefault("instance", factories.InstanceFactory(flow=flow))
    key = UUID(time_ordered_key(int(at.timestamp() * 1000)))
    factories.FileTransferFactory(id=key, source_name=name, state=state, **more)
    models.FileTransfer.objects.filter(pk=key).update(updated_at=at)


def checked(expected, at):
    """The row after a check at that time."""
    expected_files_check(at=at)
    expected.refresh_from_db()
    return expected


def test_a_good_one_is_saved_with_its_next_time_history_and_audited(configurator, flow):
    configurator.post(reverse(ADD), _posted(flow))
    row = models.ExpectedFile.objects.get(name="extract")
    assert row.next_check_at is not None
    assert row.history.first().history_user.username == "conny"
    assert models.AuditEntry.objects.get(action="expected_file_create").actor == "conny"


@pytest.mark.parametrize(
    ("more", "field", "said"),
    [
        ({"cron": "0 6 * *"}, "cron", "has 5 fields"),
        ({"cron": "61 6 * * *"}, "cron", "no cron expression"),
        ({"cron": "0 0 31 2 *"}, "cron", "never be looked for"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "no time zone"),
        ({"pattern": "in/C1*"}, "pattern", "without a directory"),
        ({"within_hours": "0"}, "within_hours", "From 1 to"),
    ],
)
def test_one_that_could_not_be_looked_for_is_refused_at_its_field(configurator, flow, more, field, said):
    answer = configurator.post(reverse(ADD), _posted(flow, **more))
    assert said in str(answer.context["adminform"].form.errors[field])
    assert not models.ExpectedFile.objects.exists()


def test_a_flow_that_moves_no_files_has_none(configurator, flow):
    other = factories.FlowFactory(pattern="sync")
    answer = configurator.post(reverse(ADD), _posted(other))
    assert "flow" in answer.context["adminform"].form.errors


def test_switched_off_it_is_neither_looked_for_nor_late(configurator, flow, expected):
    models.ExpectedFile.objects.update(late_since=DUE)
    configurator.post(page_of(expected), {**_posted(flow), "enabled": ""})
    expected.refresh_from_db()
    assert (expected.next_check_at, expected.late_since) == (None, None)


def test_a_new_name_of_the_row_does_not_make_it_less_late(configurator, flow, expected):
    models.ExpectedFile.objects.update(late_since=DUE)
    same = {"pattern": expected.pattern, "cron": expected.cron, "time_zone": "UTC"}
    configurator.post(page_of(expected), _posted(flow, name="bills", **same))
    expected.refresh_from_db()
    assert (expected.name, expected.late_since) == ("bills", DUE)


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_who_may_not_is_refused_and_audited(request, role, flow, expected):
    browser = request.getfixturevalue(role)
    for address in (reverse(ADD), page_of(expected), page_of(expected, "delete")):
        assert browser.post(address, _posted(flow, cron="0 7 * * *")).status_code == 403
    assert models.AuditEntry.objects.filter(action="refused").count() == 3
    expected.refresh_from_db()
    assert expected.cron == "0 6 * * *"


def test_deleting_one_is_audited(configurator, expected):
    configurator.post(page_of(expected, "delete"), {"post": "yes"})
    assert not models.ExpectedFile.objects.exists()
    assert models.AuditEntry.objects.get(action="expected_file_delete").detail["pattern"] == "C1-DCTEX*.csv"


def test_before_its_time_nothing_is_late(expected):
    assert checked(expected, DUE - HOUR).late_since is None
    assert expected.next_check_at == DUE


def test_a_file_that_came_in_time_is_seen(expected, flow):
    moved(flow, DUE - HOUR)
    row = checked(expected, DUE)
    assert (row.late_since, row.last_seen_at, row.next_check_at) == (None, DUE - HOUR, DUE + 24 * HOUR)


@pytest.mark.parametrize(
    "other",
    [
        {"name": "C1-OTHER_1.csv"},
        {"name": "C1-DCTEX_1.zip"},
        {"state": "copying"},
        {"at": DUE - 25 * HOUR},
        {"of": "another"},
    ],
)
def test_a_file_that_is_not_the_one_does_not_count(expected, flow, other):
    of = factories.FlowFactory() if other.pop("of", "") else flow
    moved(of, **{"at": DUE - HOUR, **other})
    assert checked(expected, DUE).late_since == DUE


def test_a_run_the_flow_began_counts_as_its_own(expected, flow):
    parent = factories.InstanceFactory(flow=flow)
    moved(flow, DUE - HOUR, instance=factories.InstanceFactory(parent=parent))
    assert checked(expected, DUE).late_since is None


def test_it_is_late_from_its_first_time_until_it_comes(expected, flow):
    assert checked(expected, DUE).late_since == DUE
    assert checked(expected, DUE + 24 * HOUR).late_since == DUE
    moved(flow, DUE + 26 * HOUR)
    row = checked(expected, DUE + 27 * HOUR)
    assert (row.late_since, row.last_seen_at) == (None, DUE + 26 * HOUR)


def test_a_late_file_does_not_count_for_the_next_time_too(expected, flow):
    checked(expected, DUE)
    moved(flow, DUE + HOUR)
    assert checked(expected, DUE + 2 * HOUR).late_since is None
    assert checked(expected, DUE + 24 * HOUR).late_since == DUE + 24 * HOUR


def test_a_late_rename_at_the_source_does_not_make_a_file_count_again(expected, flow):
    moved(flow, DUE - HOUR)
    assert checked(expected, DUE).late_since is None
    models.FileTransfer.objects.update(updated_at=DUE + 2 * HOUR)
    assert checked(expected, DUE + 24 * HOUR).late_since == DUE + 24 * HOUR
    moved(flow, DUE + 25 * HOUR)
    assert checked(expected, DUE + 26 * HOUR).late_since is None


def test_a_bad_row_says_so_and_stops_no_other(expected, flow):
    bad = models.ExpectedFile.objects.create(flow=flow, name="bad", cron="no cron", next_check_at=DUE)
    assert checked(expected, DUE).late_since == DUE
    bad.refresh_from_db()
    assert "no cron expression" in bad.trouble


def test_the_list_and_page_say_how_it_stands(viewer, expected, flow):
    models.ExpectedFile.objects.create(flow=flow, name="other", cron="0 6 * * *")
    moved(flow, DUE - 30 * HOUR)
    checked(expected, DUE)
    answer = viewer.get(list_of(models.ExpectedFile), {"late": "yes"})
    assert [row.name for row in answer.context["cl"].result_list] == ["extract"]
    html = text_of(viewer.get(page_of(expected)))
    assert "It has been late for" in html
    assert "C1-DCTEX_1.csv" in html
    assert len(coming_checks(expected)) == 5


def test_late_schedules_are_a_filter_of_their_list(viewer, flow):
    late = factories.ScheduleFactory(flow=flow, name="late one")
    models.Schedule.objects.filter(pk=late.pk).update(next_due_at=DUE)
    factories.ScheduleFactory(flow=flow)
    models.Schedule.objects.exclude(pk=late.pk).update(next_due_at=None)
    answer = viewer.get(list_of(models.Schedule), {"late": "yes"})
    assert [row.name for row in answer.context["cl"].result_list] == ["late one"]
    assert "late or missed" in text_of(answer)
    assert "no beat is ticking" in text_of(viewer.get(page_of(late)))
