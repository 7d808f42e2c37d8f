"""Alert rules: one alert a thing while it lasts, one message for an outage, nothing in quiet hours."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.utils import timezone

from integrations.models import Alert, AlertRule, Notification, WebhookDelivery
from integrations.services.alert_findings import Finding
from integrations.services.alert_rule_save import AlertRuleProblems, alert_rule_preview, alert_rule_save
from integrations.services.alert_waiting import FIND
from integrations.services.alerts_evaluate import alerts_evaluate
from integrations.services.alerts_send import alerts_send
from integrations.services.alerts_watch import alerts_forget, alerts_watch
from tests import factories

pytestmark = pytest.mark.django_db
NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved; the database's too."""
    with time_machine.travel(NOON, tick=False) as traveller:
        for module in ("alerts_evaluate", "alerts_send", "alerts_watch", "alert_rule_save"):
            monkeypatch.setattr(f"integrations.services.{module}.db_now", timezone.now)
        yield traveller


def a_rule(event: str = "family", **more) -> AlertRule:
    values = {"name": f"Rule {event}", "recipients": "ops@example.com", "digest_minutes": 0} | more
    return AlertRule.objects.create(event=event, **values)


def an_error(family=None, **more):
    if family is None:
        return factories.ErrorInstanceFactory(**more)
    return factories.ErrorInstanceFactory(family=family, instance__flow=family.flow, **more)


def open_alerts() -> list[Alert]:
    return list(Alert.objects.filter(ended_at__isnull=True).order_by("pk"))


def test_a_thousand_errors_of_one_kind_are_one_alert_and_one_mail(clock):
    a_rule()
    family = factories.ErrorFamilyFactory()
    for _ in range(3):
        an_error(family)
        alerts_watch()
        clock.shift(20)
    (alert,) = open_alerts()
    assert alert.count == 3
    assert Notification.objects.count() == 1


def test_an_alert_ends_when_no_error_of_the_kind_is_open(clock):
    a_rule()
    error = an_error()
    alerts_evaluate()
    error.state = "recovered"
    error.save()
    alerts_evaluate()
    assert open_alerts() == []
    assert Alert.objects.get().ended_at == timezone.now()


def test_what_is_back_within_the_hour_is_the_same_alert_and_later_a_new_one(clock):
    a_rule()
    error = an_error()

    def comes_and_goes() -> None:
        for state in ("open", "recovered"):
            error.state = state
            error.save()
            error.family.last_seen = timezone.now()
            error.family.save()
            alerts_watch()

    comes_and_goes()
    comes_and_goes()
    assert Alert.objects.count() == Notification.objects.count() == 1
    clock.shift(timedelta(hours=2))
    comes_and_goes()
    assert Alert.objects.count() == Notification.objects.count() == 2


def test_an_alert_lasts_though_its_family_falls_silent(clock):
    a_rule(minutes=10)
    an_error()
    alerts_evaluate()
    clock.shift(timedelta(hours=5))
    alerts_evaluate()
    assert len(open_alerts()) == 1


def test_what_comes_within_the_digest_goes_out_together(clock):
    a_rule(digest_minutes=15)
    an_error(factories.ErrorFamilyFactory(message="One"))
    alerts_watch()
    clock.shift(timedelta(minutes=14))
    an_error(factories.ErrorFamilyFactory(message="Two"))
    alerts_watch()
    assert Notification.objects.count() == 0
    clock.shift(timedelta(minutes=1))
    alerts_watch()
    mail = Notification.objects.get()
    assert mail.subject == "Busbar: 2 alerts: Rule family"
    assert "One" in mail.body
    assert "Two" in mail.body


@pytest.mark.parametrize(
    ("begin", "end", "zone", "quiet"),
    [
        (time(22), time(6), "UTC", False),
        (time(11), time(13), "UTC", True),
        (time(12), time(13), "UTC", True),
        (time(11), time(12), "UTC", False),
        (time(22), time(6), "Asia/Tokyo", False),  # 21:00 there
        (time(20), time(6), "Asia/Tokyo", True),
        (time(4), time(8), "America/New_York", True),  # 07:00 there
    ],
)
def test_quiet_hours_are_read_in_the_rules_zone(clock, begin, end, zone, quiet):
    a_rule(quiet_from=begin, quiet_until=end, time_zone=zone)
    an_error()
    alerts_watch()
    assert Notification.objects.exists() is not quiet


def test_what_came_in_quiet_hours_is_told_when_they_end(clock):
    a_rule(quiet_from=time(11), quiet_until=time(13))
    an_error()
    alerts_watch()
    clock.shift(timedelta(hours=1))
    alerts_watch()
    assert Notification.objects.count() == 1


def test_what_is_still_so_is_said_again_after_the_hours_chosen(clock):
    a_rule(repeat_hours=24)
    an_error()
    alerts_watch()
    clock.shift(timedelta(hours=23))
    alerts_watch()
    assert Notification.objects.count() == 1
    clock.shift(timedelta(hours=1))
    alerts_watch()
    assert "Told before" in Notification.objects.order_by("pk").last().body


def test_one_bad_rule_says_so_and_stops_no_other(clock):
    bad, good = a_rule(name="Bad", time_zone="No/Where", quiet_from=time(1), quiet_until=time(2)), a_rule()
    an_error()
    alerts_watch()
    bad.refresh_from_db()
    assert "No/Where" in bad.trouble
    assert [mail.headers["X-Busbar-Rule"] for mail in Notification.objects.all()] == [str(good.pk)]


def test_a_finder_that_breaks_is_its_rules_trouble_and_is_forgotten_when_it_works(clock, monkeypatch):
    rule, other = a_rule("breaker"), a_rule()
    an_error()

    def breaks(*_):
        raise RuntimeError("the table is gone")

    with monkeypatch.context() as patch:
        patch.setitem(FIND, "breaker", breaks)
        alerts_evaluate()
    rule.refresh_from_db()
    assert rule.trouble == "the table is gone"
    assert other.alerts.count() == 1
    alerts_evaluate()
    rule.refresh_from_db()
    assert rule.trouble == ""


def test_two_beats_tell_once(clock):
    rule = a_rule()
    an_error()
    alerts_evaluate()
    late_reader = AlertRule.objects.get(pk=rule.pk)
    alerts_send()
    Alert.objects.update(told_at=None)  # as the other beat had read it
    from integrations.services.alerts_send import rule_send  # noqa: PLC0415

    assert rule_send(late_reader, timezone.now()) is False
    assert Notification.objects.count() == 1


def test_a_rule_switched_off_ends_its_alerts_and_tells_nobody(clock):
    rule = a_rule(digest_minutes=5)
    an_error()
    alerts_watch()
    AlertRule.objects.filter(pk=rule.pk).update(enabled=False)
    clock.shift(timedelta(minutes=6))
    alerts_watch()
    assert open_alerts() == []
    assert Notification.objects.count() == 0


def test_what_was_over_while_the_rule_was_off_is_not_told_when_it_is_on_again_and_what_is_still_so_is(clock):
    rule = a_rule(digest_minutes=5)
    over, lasting = an_error(factories.ErrorFamilyFactory(message="Over")), an_error()
    alerts_watch()
    AlertRule.objects.filter(pk=rule.pk).update(enabled=False)
    clock.shift(timedelta(minutes=6))
    alerts_watch()
    over.state = "recovered"
    over.save()
    AlertRule.objects.filter(pk=rule.pk).update(enabled=True)
    clock.shift(timedelta(minutes=6))
    alerts_watch()
    mail = Notification.objects.get()
    assert lasting.family.message in mail.body
    assert "Over" not in mail.body


def test_a_refused_run_is_told_with_the_time_it_was_due(clock):
    a_rule("late", threshold=10)
    due = NOON - timedelta(hours=1)
    row = factories.ScheduleFactory(last_due_at=due, next_due_at=NOON + timedelta(hours=1))
    row.due_runs.create(due_at=due, outcome="the last run is still at work")
    alerts_evaluate()
    assert "It was due Tue 04 Mar 2025 11:00" in open_alerts()[0].text


def test_a_mail_says_what_since_when_how_many_and_where(clock, settings):
    settings.HUB_URL = "https://hub.example.org"
    a_rule(time_zone="Europe/London", digest_minutes=0)
    family = factories.ErrorFamilyFactory(
        message="DACS refuses\nconnections", first_seen=NOON - timedelta(minutes=5), last_seen=NOON
    )
    an_error(family)
    alerts_watch()
    mail = Notification.objects.get()
    assert mail.subject == f"Busbar: {family.flow.identifier}: DACS refuses connections"
    assert "1 error open. First seen Tue 04 Mar 2025 11:55 GMT" in mail.body
    assert f"https://hub.example.org/admin/integrations/errorfamily/{family.pk}/change/" in mail.body
    assert (mail.kind, mail.headers["X-Busbar-Kind"]) == ("alert", "alert")


def test_a_webhook_body_is_what_the_documentation_says(clock):
    rule = a_rule(webhook_url="https://chat.example.org/hook")
    an_error(factories.ErrorFamilyFactory(message="<!channel> look, @all"))
    alerts_watch()
    body = WebhookDelivery.objects.get().body
    assert set(body) == {"id", "sentAt", "hub", "rule", "event", "text", "alerts"}
    (alert,) = body["alerts"]
    assert set(alert) == {"subject", "title", "text", "link", "count", "firstAt", "lastAt", "endedAt"}
    assert body["text"].startswith(f"{rule.name}: ")
    assert "<!channel>" not in body["text"]
    assert "@all" not in body["text"]


def test_more_errors_than_the_threshold_in_the_span(clock):
    a_rule("threshold", threshold=2, minutes=30)
    family = factories.ErrorFamilyFactory()
    for minutes in (5, 10, 45):
        an_error(family, last_failed_at=NOON - timedelta(minutes=minutes), state="recovered")
    alerts_evaluate()
    assert open_alerts() == []
    an_error(family)
    alerts_evaluate()
    assert open_alerts()[0].title == f"{family.flow.identifier}: 3 errors in 30 minutes"


def test_a_rule_for_some_flows_says_nothing_of_others(clock):
    flow = factories.FlowFactory()
    for event in ("family", "threshold"):
        a_rule(event, threshold=1).flows.add(flow)
    for one in (factories.FlowFactory(), flow):
        family = factories.ErrorFamilyFactory(flow=one)
        an_error(family)
        an_error(family)
    alerts_evaluate()
    assert all(flow.identifier in alert.title for alert in open_alerts())
    assert len(open_alerts()) == 2


def test_overdue_acknowledgements_are_one_alert_a_package(clock):
    a_rule("overdue", threshold=2)
    for package, number in (("ccs", 2), ("ouai", 1)):
        factories.SyncRequestFactory.create_batch(
            number, package=package, overdue_at=NOON - timedelta(hours=1)
        )
    factories.SyncRequestFactory(package="ccs", overdue_at=NOON + timedelta(hours=1))
    alerts_evaluate()
    assert [alert.title for alert in open_alerts()] == ["ccs: 2 overdue acknowledgements"]


def test_late_schedules_and_files_that_have_not_come(clock):
    a_rule("late", threshold=10)
    late = factories.ScheduleFactory(next_due_at=NOON - timedelta(minutes=15))
    factories.ScheduleFactory(next_due_at=NOON - timedelta(minutes=5))
    factories.ScheduleFactory(next_due_at=NOON + timedelta(hours=1), trouble="There is no time zone 'Moon'")
    late.flow.expected_files.create(name="extract", cron="0 6 * * *", late_since=NOON - timedelta(hours=6))
    alerts_evaluate()
    titles = [alert.title for alert in open_alerts()]
    assert len(titles) == 3
    assert f"Late: {late.flow.identifier}, file extract" in titles


def test_a_breaker_is_told_until_a_call_goes_through(clock):
    a_rule("breaker")
    breaker = factories.BreakerFactory(open_until=NOON - timedelta(seconds=5))
    factories.BreakerFactory(failures=2, open_until=None)
    alerts_evaluate()
    assert [alert.subject for alert in open_alerts()] == [f"connection:{breaker.connection_id}"]
    breaker.failures, breaker.open_until = 0, None
    breaker.save()
    alerts_evaluate()
    assert open_alerts() == []


def test_certificates_and_secrets_that_expire(clock):
    a_rule("expiry", threshold=30)
    soon = NOON + timedelta(days=10)
    factories.TrustCertificateFactory(alias="derms", not_after=soon)
    factories.TrustCertificateFactory(not_after=NOON + timedelta(days=31))
    factories.ConnectionFactory(name="OUAI", secrets_expire_on=NOON.date())
    factories.ClientFactory(client_id="ccs", secret_expires_on=NOON.date() - timedelta(days=1))
    alerts_evaluate()
    assert {alert.title for alert in open_alerts()} == {
        "Certificate derms expires in 10 days",
        "The secret of OUAI expires today",
        "The secret of client ccs has expired",
    }


def test_a_queue_whose_oldest_has_waited_too_long(clock):
    a_rule("backlog", threshold=5)
    factories.InstanceFactory(status="ready", due_at=NOON - timedelta(minutes=4))
    alerts_evaluate()
    assert open_alerts() == []
    factories.InstanceFactory(status="waiting", due_at=NOON - timedelta(minutes=6))
    alerts_evaluate()
    assert open_alerts()[0].count == 2


def test_an_evaluation_asks_a_bounded_number_of_times(clock, django_assert_max_num_queries):
    for event in AlertRule.Event.values:
        a_rule(event)
    for _ in range(3):
        an_error()
    alerts_evaluate()
    with django_assert_max_num_queries(60):
        alerts_evaluate()


def test_what_is_long_over_is_forgotten(clock, settings):
    rule = a_rule()
    old = NOON - timedelta(days=settings.HUB_RETENTION_DAYS + 1)
    for ended in (old, NOON, None):
        Alert.objects.create(rule=rule, subject="flow:1", title="x", ended_at=ended)
    for number, state in enumerate(("sent", "pending")):
        WebhookDelivery.objects.create(rule=rule, message_id=str(number), state=state, created_at=old)
    alerts_forget()
    assert Alert.objects.count() == 2
    assert WebhookDelivery.objects.get().state == "pending"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"recipients": "nobody"}, "recipients"),
        ({"recipients": "a@example.com\r\nBcc: b@example.com"}, "recipients"),
        ({"recipients": ""}, "recipients"),
        ({"recipients": "\n".join(f"a{n}@example.com" for n in range(51))}, "recipients"),
        ({"webhook_url": "ftp://example.com/x"}, "webhook_url"),
        ({"webhook_url": "http://example.com/x"}, "webhook_url"),
        ({"webhook_url": "https://169.254.169.254/latest"}, "webhook_url"),
        ({"webhook_url": "https://[::ffff:169.254.169.254]/"}, "webhook_url"),
        ({"webhook_url": "https://user:secret@example.com/"}, "webhook_url"),
        ({"time_zone": "Moon/Sea"}, "time_zone"),
        ({"quiet_from": time(22)}, "quiet_until"),
        ({"quiet_from": time(22), "quiet_until": time(22)}, "quiet_until"),
        ({"event": "threshold", "threshold": 0}, "threshold"),
        ({"minutes": 0}, "minutes"),
        ({"digest_minutes": 5000}, "digest_minutes"),
    ],
)
def test_a_rule_that_could_not_be_followed_is_refused_by_field(values, field):
    rule = AlertRule(**{"name": "R", "event": "family", "recipients": "ops@example.com"} | values)
    with pytest.raises(AlertRuleProblems) as caught:
        alert_rule_save(rule=rule, flows=[], actor="conny")
    assert list(caught.value.problems) == [field]


@pytest.mark.parametrize(
    ("url", "networks", "good"),
    [
        ("https://chat.example.org/x?token=1", [], True),
        ("http://127.0.0.1:9/x", [], True),
        ("http://10.1.2.3/x", [], False),
        ("http://10.1.2.3/x", ["10.0.0.0/8"], True),
        ("https://10.1.2.3/x", ["192.168.0.0/16"], False),
        ("http://chat.local/x", ["10.0.0.0/8"], True),  # looked at when it is reached
    ],
)
def test_a_webhook_goes_where_connections_may(settings, url, networks, good):
    settings.HUB_ALLOWED_NETWORKS = networks
    rule = AlertRule(name="R", event="family", webhook_url=url)
    if good:
        assert alert_rule_save(rule=rule, flows=[], actor="conny").startswith("whsec_")
    else:
        with pytest.raises(AlertRuleProblems, match="may"):
            alert_rule_save(rule=rule, flows=[], actor="conny")


def test_a_preview_changes_nothing(clock):
    rule = a_rule()
    an_error()
    subject, text = alert_rule_preview(rule)
    assert subject.startswith("Busbar: TEST-FLOW")
    assert "1 error open" in text
    assert not Alert.objects.exists()


def test_a_finding_longer_than_its_column_is_cut(clock, monkeypatch):
    a_rule("backlog")
    monkeypatch.setitem(FIND, "backlog", lambda *_: [Finding("queue:due", "x" * 400, "", "")])
    alerts_evaluate()
    assert len(open_alerts()[0].title) == 300
