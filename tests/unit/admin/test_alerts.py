"""Alert rules, alerts and webhooks in the console: who may, what is shown, what is really sent."""

import pytest
from django.core.serializers import deserialize, serialize
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from demo.mail import MailServer
from integrations.models import Alert, AlertRule, AuditEntry, Notification, WebhookDelivery
from tests import factories
from tests.unit.admin.conftest import list_of, page_of, text_of

ADD = "/admin/integrations/alertrule/add/"


def entered(**more) -> dict[str, object]:
    return {
        "name": "New errors",
        "event": "family",
        "threshold": 1,
        "minutes": 60,
        "recipients": "ops@example.com",
        "digest_minutes": 15,
        "repeat_hours": 24,
        "time_zone": "Europe/London",
        "enabled": "on",
    } | more


@pytest.fixture
def rule(db):
    return AlertRule.objects.create(name="New errors", event="family", recipients="ops@example.com")


@pytest.fixture
def mail_server(settings):
    with MailServer() as running:
        settings.EMAIL_HOST, settings.EMAIL_PORT = running.host, running.port
        yield running


def an_alert(rule, **more) -> Alert:
    return Alert.objects.create(rule=rule, **{"subject": "flow:1", "title": "DACS does not answer"} | more)


def a_delivery(rule, **more) -> WebhookDelivery:
    return WebhookDelivery.objects.create(
        rule=rule, **{"message_id": "msg_1", "body": {"text": "Hello"}} | more
    )


def test_a_rule_is_made_with_its_flows_and_audited(configurator):
    flow = factories.FlowFactory()
    configurator.post(ADD, entered(flows=[flow.pk], quiet_from="22:00", quiet_until="06:00"))
    rule = AlertRule.objects.get()
    assert list(rule.flows.all()) == [flow]
    assert rule.quiet_from.hour == 22
    entry = AuditEntry.objects.get(action="alert_rule_create")
    assert (entry.actor, entry.detail["flows"]) == ("conny", [flow.identifier])


def test_what_is_wrong_stands_at_its_field(configurator):
    answer = configurator.post(ADD, entered(recipients="not an address", time_zone="Moon"))
    errors = answer.context["adminform"].errors
    assert set(errors) == {"recipients", "time_zone"}
    assert not AlertRule.objects.exists()


def test_a_webhooks_secret_is_shown_once_and_kept_encrypted(configurator):
    answer = configurator.post(ADD, entered(webhook_url="https://chat.example.org/hook/T0KEN"))
    rule = AlertRule.objects.get()
    secret = rule.webhook_secret["key"]
    assert secret in text_of(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    again = configurator.post(page_of(rule), entered(webhook_url=rule.webhook_url), follow=True)
    assert secret not in text_of(again)
    assert secret not in text_of(configurator.get(page_of(rule)))
    rule.refresh_from_db()
    assert rule.webhook_secret["key"] == secret


def test_a_webhooks_address_is_kept_encrypted_and_in_no_history(configurator):
    address = "https://chat.example.org/hook/T0KEN"
    configurator.post(ADD, entered(webhook_url=address))
    rule = AlertRule.objects.get()
    assert rule.webhook_url == address
    assert AlertRule.objects.filter(pk=rule.pk).update(webhook_url=rule.webhook_url) == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM integrations_alertrule")
        assert "chat.example" not in str(cursor.fetchall())
    dumped = serialize("json", [rule])
    assert "chat.example" not in dumped
    assert next(deserialize("json", dumped)).object.webhook_url == address
    assert not hasattr(rule.history.get(), "webhook_url")
    assert address in text_of(configurator.get(page_of(rule)))  # who may change it


def test_what_is_no_address_is_refused_as_a_webhook(configurator):
    answer = configurator.post(ADD, entered(webhook_url="not an address"))
    assert set(answer.context["adminform"].errors) == {"webhook_url"}


def test_a_new_secret_is_shown_and_the_old_one_signs_for_a_day(configurator, rule):
    rule.webhook_url, rule.webhook_secret = "https://chat.example.org/x", {"key": "whsec_b2xk"}
    rule.save()
    answer = configurator.post(page_of(rule, "rotate_secret"))
    rule.refresh_from_db()
    assert rule.webhook_secret["key"] in text_of(answer)
    assert rule.webhook_secret["old"] == "whsec_b2xk"


def test_a_test_is_really_sent_by_mail_and_webhook(configurator, rule, mail_server, httpserver):
    httpserver.expect_request("/hook").respond_with_data("ok")
    rule.webhook_url, rule.webhook_secret = httpserver.url_for("/hook"), {"key": "whsec_b2xk"}
    rule.save()
    said = text_of(configurator.post(page_of(rule, "test"), follow=True))
    assert "Mail to ops@example.com: sent." in said
    assert "Webhook: sent." in said
    assert mail_server.received()[0]["subject"] == "Busbar: A test of the alert rule New errors"
    assert httpserver.log[0][0].json["text"].startswith("New errors: A test of the alert rule")
    assert AuditEntry.objects.filter(action="alert_rule_test").exists()


def test_a_test_that_fails_says_why_and_is_not_tried_again(configurator, rule, mail_server, httpserver):
    mail_server.fail("500")
    httpserver.expect_request("/hook").respond_with_data("no such channel", status=404)
    rule.webhook_url = httpserver.url_for("/hook")
    rule.save()
    said = text_of(configurator.post(page_of(rule, "test"), follow=True))
    assert "550" in said
    assert "answered 404 Not Found" in said
    assert "no such channel" not in said  # what others write is not shown: it may have the path in it
    assert Notification.objects.get().state == WebhookDelivery.objects.get().state == "given up"


def test_a_rules_page_shows_what_it_would_say_now(configurator, rule):
    error = factories.ErrorInstanceFactory(family__message="<b>DERMS</b> says no")
    said = text_of(configurator.get(page_of(rule)))
    assert "What it would say now" in said
    assert error.family.flow.identifier in said
    assert "&lt;b&gt;DERMS&lt;/b&gt; says no" in said
    assert "<b>DERMS</b>" not in said


def test_a_rule_in_trouble_says_so_and_its_page_still_opens(configurator, rule):
    AlertRule.objects.update(trouble="There is no such zone", time_zone="Moon")
    said = text_of(configurator.get(page_of(rule)))
    assert "could not be followed last time: There is no such zone" in said
    assert "trouble" in text_of(configurator.get(list_of(AlertRule)))


def test_a_viewer_sees_a_rule_without_the_webhooks_address(viewer, rule):
    AlertRule.objects.update(webhook_url="https://chat.example.org/hook/T0KEN")
    said = text_of(viewer.get(page_of(rule)))
    assert "ops@example.com" in said
    assert "T0KEN" not in said
    assert "Send a test" not in said


@pytest.mark.parametrize("who", ["viewer", "operator"])
@pytest.mark.parametrize("action", ["test", "rotate_secret"])
def test_only_who_configures_may_test_and_change_secrets(who, action, rule, request):
    answer = request.getfixturevalue(who).post(page_of(rule, action))
    assert answer.status_code == 403
    assert AuditEntry.objects.get(action="refused").detail["action"] == action
    assert not Notification.objects.exists()


def test_a_viewer_can_neither_make_change_nor_delete_a_rule(viewer, rule):
    answers = [
        viewer.post(ADD, entered(name="Mine")),
        viewer.post(page_of(rule), entered(name="Mine")),
        viewer.post(page_of(rule, "delete"), {"post": "yes"}),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert AuditEntry.objects.filter(action="refused").count() == 3
    assert AlertRule.objects.get().name == "New errors"


def test_a_get_sends_nothing(configurator, rule):
    assert configurator.get(page_of(rule, "test")).status_code == 405
    assert not Notification.objects.exists()


def test_deleting_a_rule_takes_its_alerts_and_is_audited(configurator, rule):
    an_alert(rule)
    configurator.post(page_of(rule, "delete"), {"post": "yes"})
    assert not Alert.objects.exists()
    assert AuditEntry.objects.get(action="alert_rule_delete").detail["name"] == "New errors"


def test_the_list_shows_open_alerts_and_others_when_asked(viewer, rule):
    still = an_alert(rule)
    over = an_alert(rule, subject="flow:2", ended_at=timezone.now())

    def shown(**asked):
        return [row.pk for row in viewer.get(list_of(Alert), asked).context["cl"].result_list]

    assert shown() == [still.pk]
    assert shown(state="over") == [over.pk]
    assert shown(state="all", rule__id__exact=rule.pk) == [over.pk, still.pk]


def test_an_alert_links_to_what_it_is_about(viewer, rule):
    alert = an_alert(rule, link="/admin/integrations/flow/7/change/", text="Since noon.")
    said = text_of(viewer.get(page_of(alert)))
    assert 'href="/admin/integrations/flow/7/change/"' in said
    assert "It ends by itself" in said


def test_a_webhook_given_up_is_sent_again_by_an_operator(operator, rule):
    row = a_delivery(rule, state="given up", tries=5, trouble="503")
    assert "Send now" in text_of(operator.get(page_of(row)))
    operator.post(page_of(row, "resend"))
    row.refresh_from_db()
    assert (row.state, row.tries) == ("pending", 0)
    assert AuditEntry.objects.get(action="webhook_resend").detail["message_id"] == "msg_1"


def test_several_webhooks_are_sent_again_from_the_list(operator, rule):
    rows = [a_delivery(rule, state="given up", message_id=f"msg_{number}") for number in range(2)]
    rows.append(a_delivery(rule, state="sent", message_id="msg_9"))
    chosen = {"action": "resend_selected", "_selected_action": [row.pk for row in rows]}
    said = text_of(operator.post(list_of(WebhookDelivery), chosen, follow=True))
    assert "2 due now." in said
    assert "1 sent already" in said


def test_a_viewer_cannot_send_a_webhook_again(viewer, rule):
    row = a_delivery(rule, state="given up")
    assert viewer.post(page_of(row, "resend")).status_code == 403
    row.refresh_from_db()
    assert row.state == "given up"


@pytest.mark.parametrize("model", ["alertrule", "alert", "webhookdelivery"])
def test_the_menu_leads_to_the_lists(viewer, model, db):
    address = reverse(f"admin:integrations_{model}_changelist")
    assert address in text_of(viewer.get("/admin/"))
