"""The home page: each figure is what its list shows; what is many is what the beat counted, with its age."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.utils import timezone

from hub.home import day, families
from hub.home.drawing import spark
from hub.home.queue import Queue, outlook
from integrations import models
from integrations.services.figures_count import figures_count
from integrations.services.standing_count import standing_count
from tests import factories


def shown(console) -> str:
    """The page, counted anew."""
    cache.clear()
    return unescape(console.get("/admin/").content.decode())


def figure(html: str, title: str) -> tuple[int, str]:
    """A figure's number and the address of its list."""
    link, number = re.search(rf'<a href="([^"]+)"><strong>([\d,]+)\+?</strong><span>{title}<', html).groups()
    return int(number.replace(",", "")), link


def listed(console, link: str) -> int:
    """How many rows a list shows."""
    page = console.get(link)
    assert page.status_code == 200, link
    return int(page.context["cl"].result_count)


@pytest.fixture
def beating(db):
    """A beat that has just reported."""
    return factories.HeartbeatFactory(role="beat", name="beat a:1")


@pytest.fixture
def asking(db):
    """One of everything else that asks for a person, and one of each that does not."""
    now, soon = timezone.now(), timezone.localdate() + timedelta(days=3)
    flow = factories.FlowFactory(active=True, pattern="file")
    late = factories.ScheduleFactory(flow=flow, name="nightly")
    models.Schedule.objects.filter(pk=late.pk).update(next_due_at=now - timedelta(hours=1))
    factories.ScheduleFactory(flow=flow, next_due_at=now + timedelta(hours=1))
    expected = {"flow": flow, "cron": "0 6 * * *"}
    models.ExpectedFile.objects.create(name="bills", late_since=now, **expected)
    models.ExpectedFile.objects.create(name="meters", **expected)
    factories.ConnectionFactory(secrets_expire_on=soon)
    factories.ConnectionFactory(secrets_expire_on=soon + timedelta(days=60))
    factories.ClientFactory(secret_expires_on=soon)
    factories.ClientFactory(secret_expires_on=soon, enabled=False)
    models.BulkResubmission.objects.create(title="a", actor="olga", state="awaiting")
    models.BulkResubmission.objects.create(title="b", actor="olga", state="running")
    models.BulkResubmission.objects.create(title="c", actor="olga", state="finished")
    seen = {"lookup": "L", "column": "A", "value": "x", "first_seen": now, "last_seen": now}
    models.MissingValue.objects.create(signature="1", **seen)
    models.MissingValue.objects.create(signature="2", settled_at=now, **seen)
    rule = models.AlertRule.objects.create(name="r", event="family")
    models.Alert.objects.create(rule=rule, subject="family:1", title="t")
    models.Alert.objects.create(rule=rule, subject="family:2", title="t", ended_at=now)
    return flow


@pytest.mark.parametrize(
    ("title", "list_of"),
    [
        ("Late or missed schedules", "schedule"),
        ("Late files", "expectedfile"),
        ("Connection secrets expiring in 30 days", "connection"),
        ("Client secrets expiring in 30 days", "client"),
        ("Bulk resubmissions to approve", "bulkresubmission"),
        ("Bulk resubmissions under way", "bulkresubmission"),
        ("Missing lookup values", "missingvalue"),
        ("Open alerts", "alert"),
    ],
)
def test_a_figure_counts_the_one_that_asks_and_leads_to_it_alone(console, asking, title, list_of):
    html = shown(console)
    if f"/integrations/{list_of}/" not in html:
        assert f"<strong>1</strong><span>{title}<" in html  # its pages are not there: the number alone
        return
    number, link = figure(html, title)
    assert number == 1
    assert listed(console, link) == 1


def test_what_is_late_is_named_with_its_reason(console, asking):
    html = shown(console)
    assert "nightly" in html
    assert "no beat is ticking" in html
    assert "bills" in html


def test_all_is_clear_where_a_beat_reports_and_nothing_asks(console, beating):
    assert "All clear." in shown(console)


def test_without_a_beat_it_is_not_all_clear(console):
    html = shown(console)
    assert "All clear." not in html
    assert "No beat has reported" in html


def test_a_viewer_without_the_right_to_a_model_sees_no_figure_of_it(browser, asking):
    html = shown(browser())
    assert "Late files" not in html
    assert "bills" not in html


def test_a_family_shows_its_trend_owner_and_links(console, beating):
    owner = factories.UserFactory(username="olga")
    family = factories.ErrorFamilyFactory(owner=owner, message="refused by DERMS", count=4)
    now = timezone.now()
    for minutes in (5, 10, 70):
        factories.ErrorInstanceFactory(family=family, last_failed_at=now - timedelta(minutes=minutes))
    factories.ErrorInstanceFactory(family=family, last_failed_at=now, state="recovered")
    html = shown(console)
    hour, number = re.search(
        r'hub-trend-up" href="([^"]+)"[^>]*>(\d+)</a><small>1 the hour before', html
    ).groups()
    assert int(number) == listed(console, hour) == 3
    every, number = re.search(r'<a href="([^"]+)"[^>]*>(\d+) in all<', html).groups()
    assert int(number) == listed(console, every) == 4
    assert "olga" in html
    assert f'href="/admin/integrations/errorfamily/{family.pk}/change/"' in html
    number, link = re.search(r'class="hub-number" href="([^"]+)"[^>]*>(\d+)<', html).group(2, 1)
    assert int(number) == listed(console, link) == 3


def test_families_that_are_not_shown_are_in_their_list(console, beating, monkeypatch):
    monkeypatch.setattr("integrations.services.standing_count.SHOWN", 1)
    factories.ErrorInstanceFactory.create_batch(3)
    factories.ErrorInstanceFactory(state="recovered")
    link, more = re.search(r'<a href="([^"]+)">(\d+) more<', shown(console)).groups()
    assert (int(more), listed(console, link)) == (2, 3)


def test_many_errors_are_what_the_beat_counted_with_its_age(console, beating, monkeypatch):
    monkeypatch.setattr(families, "LIVE", 1)
    family = factories.ErrorFamilyFactory()
    factories.ErrorInstanceFactory.create_batch(3, family=family)
    assert "the beat sorts them into families, and has not yet" in shown(console)
    figures_count()
    html = shown(console)
    assert figure(html, "Open errors")[0] == 3
    assert re.search(r"Open error families <small>counted \d s ago", html)
    models.Tally.objects.update(counted_at=timezone.now() - timedelta(hours=3))
    assert "The error families were counted 3 h ago" in shown(console)


def test_a_busy_day_is_what_the_beat_counted(console, beating, monkeypatch):
    monkeypatch.setattr(day, "LIVE", 2)
    flow = factories.FlowFactory()
    for status in ("succeeded", "succeeded", "failed", "ready"):
        factories.InstanceFactory(flow=flow, status=status)
    assert "24 of these hours wait to be counted" in shown(console)
    figures_count()
    html = shown(console)
    assert "wait to be counted" not in html
    for title, number in (("Succeeded", 2), ("Failed", 1), ("Ready", 1)):
        assert figure(html, title)[0] == listed(console, figure(html, title)[1]) == number


def test_a_flow_s_row_has_its_rate_and_leads_to_its_failures(console, beating):
    flow = factories.FlowFactory(identifier="X-BILLS")
    for status in ("succeeded", "succeeded", "failed"):
        factories.InstanceFactory(flow=flow, status=status)
    factories.InstanceFactory()
    html = shown(console)
    row = re.search(r"<tr>\s*<th[^>]*><a [^>]*>X-BILLS.*?</tr>", html, re.DOTALL).group()
    link = re.search(r'href="([^"]+)"[^>]*>66.6 %<', row).group(1)
    assert listed(console, link) == 3
    assert "2 succeeded, 1 failed" in row
    link, number = re.search(r'class="hub-number hub-bad" href="([^"]+)">(\d+)<', row).groups()
    assert int(number) == listed(console, link) == 1


@pytest.mark.parametrize(
    ("due", "waited", "came", "done", "said"),
    [
        (0, 0, 9, 9, ""),
        (100, 300, 0, 50, "clear in about 10 min"),
        (100, 300, 100, 50, "not clearing: it grows by 10 a minute"),
        (100, 300, 50, 50, "not clearing: as many come as end"),
        (100, 300, 0, 0, "not clearing: nothing has ended in the last 5 min"),
        (2, 5, 2, 0, "being claimed"),
    ],
)
def test_the_queue_s_outlook_is_taken_from_its_pace(due, waited, came, done, said):
    now = timezone.now()
    oldest = now - timedelta(seconds=waited) if due else None
    assert outlook(Queue(now, due, False, oldest, came, done)) == said


def test_a_long_queue_s_length_is_what_the_beat_counted(console, beating, monkeypatch):
    monkeypatch.setattr("hub.home.figures.CAP", 2)
    monkeypatch.setattr("hub.home.figures.capped.__defaults__", (2,))
    factories.InstanceFactory.create_batch(
        4, status="ready", due_at=timezone.now() - timedelta(minutes=9), started_at=None
    )
    html = shown(console)
    assert "<strong>2+</strong><span>Queue backlog" in html
    standing_count()
    html = shown(console)
    assert "<strong>4</strong><span>Queue backlog" in html
    assert "not clearing" in html


@pytest.mark.parametrize(("good", "bad", "rate"), [(0, 0, ""), (5, 0, "100 %"), (99_999, 1, "99.9 %")])
def test_a_success_rate_with_a_failure_is_never_100(good, bad, rate):
    assert day.success_rate(good, bad) == rate


def test_one_failure_among_thousands_is_still_drawn():
    drawn = spark([10_000, 0], [1, 0], "words")
    assert drawn.bad == "M0 1.5v-1.5h4v1.5z"
    assert drawn.good == "M0 24v-22.5h4v22.5z"
