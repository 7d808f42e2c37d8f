"""One flow never has all workers of a host: the others' instances are taken in its place."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from integrations.engine import cluster, leases, turns
from integrations.engine.runner import work_on
from integrations.models import Instance
from integrations.services.instance_submit import instance_submit


def submit(client, identifier: str) -> Instance:
    return instance_submit(
        identifier=identifier,
        resource="go",
        version="1.0",
        message=json.dumps({}).encode(),
        client=client,
    ).instance


@pytest.fixture
def two_flows(make_flow):
    """SLOW and QUICK; the list of those that ran."""
    ran: list[str] = []
    for name in ("SLOW", "QUICK"):
        make_flow(lambda run, message, name=name: ran.append(name), identifier=name)
    return ran


@pytest.fixture(autouse=True)
def host_of_two_workers(monkeypatch, settings):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "workers": 2}
    monkeypatch.setattr(turns, "LOOK_EVERY", 0.01)


def test_a_flow_takes_all_workers_but_one(two_flows, client):
    first, second, third = (submit(client, "SLOW") for _ in range(3))
    assert leases.claim(first.pk, 2)
    assert leases.claim(second.pk, 2)
    with pytest.raises(leases.Crowded):
        leases.claim(third.pk, 2)
    assert leases.claim(submit(client, "QUICK").pk, 2)


def test_a_dead_worker_s_instances_crowd_nothing(two_flows, client):
    first, second = submit(client, "SLOW"), submit(client, "SLOW")
    leases.claim(first.pk)
    Instance.objects.filter(pk=first.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert leases.claim(second.pk, 1)


def test_two_that_ask_at_once_do_not_both_find_room(two_flows, client):
    found = []
    together = threading.Barrier(2)

    def ask(instance: Instance) -> None:
        together.wait()
        try:
            found.append(leases.claim(instance.pk, 1))
        except leases.Crowded:
            found.append("crowded")
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(submit(client, "SLOW"),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count("crowded") == 1


def test_a_worker_whose_flow_is_crowded_does_what_others_have_due_and_then_its_own(two_flows, client):
    busy = leases.claim(submit(client, "SLOW").pk)
    mine, others = submit(client, "SLOW"), submit(client, "QUICK")
    looks = []

    def work(instance_id, most):
        looks.append(instance_id)
        if len(looks) == 4:  # the busy one has come to its end meanwhile
            busy.mine().update(status="succeeded", lease_until=None)
        return work_on(instance_id, 1)

    turns.in_turn(mine.pk, work)
    assert two_flows == ["QUICK", "SLOW"]
    others.refresh_from_db()
    assert others.status == "succeeded"


def test_a_worker_that_waits_for_its_turn_ends_when_it_is_asked_to(two_flows, client, monkeypatch, tmp_path):
    leases.claim(submit(client, "SLOW").pk)
    mine = submit(client, "SLOW")
    stop = tmp_path / "stop"
    stop.touch()
    monkeypatch.setenv("HUB_STOP_FILE", str(stop))
    turns.in_turn(mine.pk, lambda instance_id, most: work_on(instance_id, 1))
    mine.refresh_from_db()
    assert mine.status == "ready"


def test_the_watchdog_does_not_take_a_crowded_flow_s_backlog_for_a_stall(two_flows, client):
    leases.claim(submit(client, "SLOW").pk)
    left = submit(client, "SLOW")
    Instance.objects.filter(pk=left.pk).update(due_at=timezone.now() - timedelta(minutes=5))
    now = timezone.now()
    assert cluster.Cluster()._works(now)
    other = submit(client, "QUICK")
    Instance.objects.filter(pk=other.pk).update(due_at=timezone.now() - timedelta(minutes=5))
    assert not cluster.Cluster()._works(now)
