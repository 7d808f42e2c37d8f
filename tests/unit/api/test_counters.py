"""monitoring/integrations: each flow's counters, from counted hours and from what is newer."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import HourCount, Instance
from tests.unit.api.conftest import ACK, MONITORING


@pytest.fixture
def get(client, person):
    headers = person("view_instance").headers
    return lambda url: client.get(url, headers=headers)


def test_the_counters_of_a_flow_are_received_processed_succeeded_errored_aborted(get, flow, make_instance):
    for status in ("succeeded", "skipped", "failed", "held", "discarded", "running", "succeeded"):
        make_instance(status=status)
    url = f"{MONITORING}/integrations?q={{code:'{ACK}'"
    for window in ("1h", "6h", "3d", "RETENTIONPERIOD"):
        body = get(f"{url}, timewindow:'{window}'}}").json()
        (item,) = body["items"]
        names = ("noOfMsgsReceived", "noOfMsgsProcessed", "noOfSuccess", "noOfErrors", "noOfAborted")
        assert [item[name] for name in names] == [7, 6, 3, 2, 1], window
        assert (body["timeWindow"], body["isDataAccurate"]) == (window, True)
    assert item["successRate"] == 50


def test_counted_hours_are_not_counted_again(get, flow, make_instance):
    hour = (timezone.now() - timedelta(hours=4)).replace(minute=0, second=0, microsecond=0)
    old = make_instance(status="succeeded")
    Instance.objects.filter(pk=old.pk).update(created_at=hour + timedelta(minutes=5))
    HourCount.objects.create(hour=hour, counts={str(flow.pk): {"succeeded": 40, "failed": 2}})
    waiting = make_instance(status="waiting")
    Instance.objects.filter(pk=waiting.pk).update(created_at=hour + timedelta(minutes=6))
    (item,) = get(f"{MONITORING}/integrations?q={{code:'{ACK}', timewindow:'6h'}}").json()["items"]
    assert (item["noOfMsgsReceived"], item["noOfSuccess"], item["noOfErrors"]) == (43, 40, 2)


def test_hours_that_are_too_many_to_count_now_are_said_to_be_missing(get, flow, make_instance, monkeypatch):
    monkeypatch.setattr("integrations.services.flow_counts.UNCOUNTED", 2)
    for _ in range(4):
        old = make_instance(status="succeeded")
        at = timezone.now() - timedelta(hours=30)
        Instance.objects.filter(pk=old.pk).update(created_at=at)
    body = get(f"{MONITORING}/integrations?q={{code:'{ACK}', timewindow:'2d'}}").json()
    assert body["isDataAccurate"] is False
