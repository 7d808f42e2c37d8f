"""/metrics: what is counted, and who may read it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from integrations.models import Breaker, Connection, Flow, Heartbeat, Instance, Notification

pytestmark = pytest.mark.django_db


def read(client, **headers) -> dict[str, float]:
    text = client.get("/metrics", **headers).content.decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {f"{sample.name}{sorted(sample.labels.values())}": sample.value for sample in samples}


@pytest.fixture
def flow(db) -> Flow:
    return Flow.objects.create(identifier="X-FLOW", name="X", package="x", pattern="async")


def test_instances_are_counted_by_flow_and_status(client, flow):
    for status in ["ready", "ready", "succeeded"]:
        Instance.objects.create(flow=flow, status=status, cause="inbound")
    found = read(client)
    assert found["busbar_instances_live['X-FLOW', 'ready']"] == 2
    assert found["busbar_instances_last_hour['X-FLOW', 'succeeded']"] == 1
    assert "busbar_instances_live['X-FLOW', 'succeeded']" not in found


def test_the_backlog_is_what_is_due_and_how_long(client, flow):
    now = timezone.now()
    Instance.objects.create(flow=flow, status="waiting", cause="inbound", due_at=now + timedelta(hours=1))
    Instance.objects.create(flow=flow, status="ready", cause="inbound", due_at=now - timedelta(minutes=5))
    found = read(client)
    assert found["busbar_queue_backlog[]"] == 1
    assert found["busbar_queue_oldest_due_seconds[]"] == pytest.approx(300, abs=5)


def test_an_idle_hub_has_zeros_not_gaps(client):
    found = read(client)
    for name in [
        "queue_backlog",
        "queue_oldest_due_seconds",
        "errors_open",
        "outbox_backlog",
        "acknowledgements_overdue",
    ]:
        assert found[f"busbar_{name}[]"] == 0


def test_outbox_breakers_and_heartbeats(client):
    now = timezone.now()
    Notification.objects.create(kind="error", dedupe="1", message_id="1", sender="a@b", subject="s", body="b")
    ccs = Connection.objects.create(name="CCS", adapter="sftp")
    Breaker.objects.create(connection=ccs, open_until=now + timedelta(seconds=30))
    Heartbeat.objects.create(
        name="beat", role="beat", host="a", pid=1, started_at=now, at=now - timedelta(seconds=9)
    )
    found = read(client)
    assert found["busbar_outbox_backlog[]"] == 1
    assert found["busbar_breaker_open['CCS']"] == 1
    assert found["busbar_heartbeat_age_seconds['beat']"] == pytest.approx(9, abs=2)


@pytest.mark.parametrize("caller", [{"REMOTE_ADDR": "203.0.113.9"}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}])
def test_without_a_token_only_the_machine_itself_reads_them(client, caller):
    answer = client.get("/metrics", **caller)
    assert answer.status_code == 403
    assert answer.json()["o:errorCode"] == "HUB-FORBIDDEN"


def test_with_a_token_who_shows_it_reads_them_from_anywhere(client, settings):
    settings.HUB_METRICS_TOKEN = "a-long-token"
    caller = {"REMOTE_ADDR": "203.0.113.9"}
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer a-long-token", **caller).status_code == 200
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer another", **caller).status_code == 403
    assert client.get("/metrics").status_code == 403
