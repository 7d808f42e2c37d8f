"""Webhooks against a real receiver: signed, sent once, tried again with the same id, kept in bounds."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from django.conf import settings as django_settings
from django.utils import timezone
from werkzeug import Response

from integrations.engine.outbox_rows import take
from integrations.models import AlertRule, WebhookDelivery
from integrations.services.alert_rule_save import alert_rule_rotate_secret, alert_rule_save
from integrations.services.webhook_resend import webhook_resend
from integrations.services.webhook_send import webhook_send, webhooks_send

pytestmark = pytest.mark.django_db
DOCUMENT = Path(django_settings.BASE_DIR) / "docs/console/alerts.md"


@pytest.fixture
def rule(httpserver):
    rule = AlertRule(name="R", event="family", webhook_url=httpserver.url_for("/hook/s3cr3t-token?key=12345"))
    rule.told_secret = alert_rule_save(rule=rule, flows=[], actor="conny")
    return rule


def queued(rule: AlertRule, number: int = 1, **more) -> WebhookDelivery:
    body = {"id": f"msg_{number}", "text": "Zoë's flow has failed", "alerts": []}
    return WebhookDelivery.objects.create(rule=rule, message_id=f"msg_{number}", body=body, **more)


def answering(httpserver, status: int = 204, **more) -> None:
    httpserver.expect_request("/hook/s3cr3t-token").respond_with_response(Response(status=status, **more))


def due_again() -> None:
    WebhookDelivery.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))


def verify():
    """The receiver's function, as the documentation prints it."""
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    names: dict = {}
    exec(example, names)  # noqa: S102  (our own documentation)
    return names["verify"]


def test_a_webhook_is_posted_once_and_the_documented_example_verifies_it(rule, httpserver):
    answering(httpserver)
    queued(rule)
    assert webhooks_send() == 1
    assert webhooks_send() == 0
    ((request, _),) = httpserver.log
    assert request.headers["Content-Type"] == "application/json"
    assert request.args["key"] == "12345"
    body = request.get_data()
    assert verify()(rule.told_secret, request.headers, body) is True
    assert verify()(rule.told_secret, request.headers, body + b" ") is False
    row = WebhookDelivery.objects.get()
    assert (row.state, row.status_code, row.trouble) == ("sent", 204, "")


def test_an_old_message_is_not_verified(rule, httpserver):
    answering(httpserver)
    queued(rule)
    webhooks_send()
    request = httpserver.log[0][0]
    old = {**request.headers, "webhook-timestamp": str(int(timezone.now().timestamp()) - 3600)}
    old = {name.lower(): value for name, value in old.items()}
    assert verify()(rule.told_secret, old, request.get_data()) is False


def test_after_a_change_of_the_secret_both_verify(rule, httpserver):
    answering(httpserver)
    new = alert_rule_rotate_secret(rule=rule, actor="conny")
    queued(rule)
    webhooks_send()
    request = httpserver.log[0][0]
    assert verify()(new, request.headers, request.get_data())
    assert verify()(rule.told_secret, request.headers, request.get_data())


def test_a_receiver_that_is_down_gets_it_later_with_the_same_id(rule, httpserver):
    httpserver.expect_oneshot_request("/hook/s3cr3t-token").respond_with_response(
        Response("busy", status=503, headers={"Retry-After": "120"})
    )
    answering(httpserver, 200)
    row = queued(rule)
    assert webhooks_send() == 0
    row.refresh_from_db()
    assert (row.state, row.status_code, row.tries) == ("pending", 503, 1)
    assert row.next_try_at > timezone.now() + timedelta(seconds=100)
    due_again()
    assert webhooks_send() == 1
    assert [request.headers["webhook-id"] for request, _ in httpserver.log] == ["msg_1", "msg_1"]


def test_a_redirect_is_not_followed_and_no_text_shows_the_path(rule, httpserver):
    answering(httpserver, 302, headers={"Location": httpserver.url_for("/hook/s3cr3t-token?key=12345")})
    row = queued(rule)
    webhooks_send()
    row.refresh_from_db()
    assert row.status_code == 302
    assert "redirects are not followed" in row.trouble
    assert "s3cr3t" not in row.trouble
    assert len(httpserver.log) == 1


def test_nothing_the_receiver_writes_is_in_the_trouble(rule, httpserver):
    path = "/hook/%73%33cr3t-token?key=1%32345"
    answering(httpserver, 404, response=f"no hook at {path}, key 12345", headers={"X-Path": path})
    row = queued(rule)
    webhooks_send()
    row.refresh_from_db()
    assert f"POST http://{httpserver.host}:{httpserver.port} answered 404 Not Found: " in row.trouble
    assert "12345" not in row.trouble
    assert "hook at" not in row.trouble
    assert "cr3t" not in row.trouble


def test_a_connection_that_breaks_is_told_by_its_kind_and_host(rule, httpserver, monkeypatch):
    said = "HTTPConnectionPool: Max retries exceeded with url: /hook/%733cr3t-token"

    def breaks(*_, **__):
        raise requests.ConnectionError(said)

    monkeypatch.setattr("requests.Session.post", breaks)
    row = queued(rule)
    webhooks_send()
    row.refresh_from_db()
    assert row.trouble.endswith("the connection broke before the answer was whole: It was a ConnectionError.")
    assert f"http://{httpserver.host}:{httpserver.port}: " in row.trouble
    assert "cr3t" not in row.trouble


def test_one_refused_for_good_is_given_up_and_stops_no_other(rule, httpserver):
    answering(httpserver, 403)
    bad = queued(rule)
    other = AlertRule(name="S", event="family", webhook_url=httpserver.url_for("/other"))
    alert_rule_save(rule=other, flows=[], actor="conny")
    httpserver.expect_request("/other").respond_with_data("ok")
    queued(other, 2)
    assert webhooks_send() == 1
    for _ in range(5):
        due_again()
        webhooks_send()
    bad.refresh_from_db()
    assert (bad.state, bad.tries) == ("given up", 5)


def test_an_address_that_may_not_be_reached_is_not(rule, httpserver, settings):
    settings.HUB_ALLOWED_NETWORKS = ["10.0.0.0/8"]
    row = queued(rule)
    webhooks_send()
    row.refresh_from_db()
    assert "may not reach" in row.trouble
    assert httpserver.log == []


def test_a_webhook_whose_sender_died_after_the_answer_is_sent_again_with_the_same_id(
    rule, httpserver, monkeypatch
):
    answering(httpserver)
    row = queued(rule)

    def dies(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("integrations.services.webhook_send.sent", dies)
        with pytest.raises(KeyboardInterrupt):
            webhooks_send()
    row.refresh_from_db()
    assert row.state == "sending"
    assert webhooks_send() == 0  # its claim still holds
    due_again()
    assert webhooks_send() == 1
    ids = [request.headers["webhook-id"] for request, _ in httpserver.log]
    assert ids == ["msg_1", "msg_1"]


def test_of_two_senders_one_gets_it(rule, httpserver):
    answering(httpserver)
    row = queued(rule)
    other = WebhookDelivery.objects.select_related("rule").get()
    assert take(other)
    assert webhook_send(delivery=row) is False
    assert httpserver.log == []


def test_a_rule_that_lost_its_webhook_says_so(rule):
    row = queued(rule)
    AlertRule.objects.update(webhook_url="")
    row.refresh_from_db()
    webhook_send(delivery=WebhookDelivery.objects.get())
    row.refresh_from_db()
    assert "no webhook any more" in row.trouble


def test_one_given_up_is_sent_again_by_hand_and_one_sent_is_left_alone(rule):
    row = queued(rule, state="given up", tries=5)
    assert webhook_resend(delivery=row, actor="olga") is True
    row.refresh_from_db()
    assert (row.state, row.tries) == ("pending", 0)
    WebhookDelivery.objects.update(state="sent")
    assert webhook_resend(delivery=row, actor="olga") is False
