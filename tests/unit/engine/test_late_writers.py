"""A holder that comes late writes nothing; what only looks like a stall is left alone."""

import os
import socket
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.engine import outcome, recovery, wake
from integrations.engine.cluster import Cluster
from integrations.engine.context import Run
from integrations.engine.faults import LeaseLost
from integrations.engine.leases import Claim, claim
from integrations.engine.registry import spec_for
from integrations.engine.runner import perform
from integrations.engine.spec import SYNCHRONOUS
from integrations.models import Attempt, Instance, Notification


def waiting(flow, seconds: int = 0, **more) -> Instance:
    """An instance that has been due for so many seconds."""
    due = timezone.now() - timedelta(seconds=seconds)
    return Instance.objects.create(flow=flow, cause="inbound", due_at=due, woken_at=due, **more)


def late(instance: Instance) -> Claim:
    """The claim of a holder that was frozen until another took over."""
    held = claim(instance.pk)
    assert held is not None
    Instance.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert claim(instance.pk) is not None
    return held


def test_a_late_holder_begins_no_transaction(make_flow):
    held = late(waiting(make_flow(lambda run, message: None)))
    with pytest.raises(LeaseLost), held.writing():
        raise AssertionError("it was let in")


def test_a_child_is_late_with_its_parent(make_flow):
    flow = make_flow(lambda run, message: None)
    parent = late(waiting(flow))
    child = claim(waiting(flow).pk)
    child.under = parent
    with pytest.raises(LeaseLost), child.writing():
        raise AssertionError("it was let in")


def test_a_late_holder_queues_no_mail(make_flow):
    instance = waiting(make_flow(lambda run, message: None))
    run = Run(instance, spec_for("TEST-FLOW"), late(instance), perform=perform)
    with pytest.raises(LeaseLost):
        run.notify("process-complete", recipients="to", subject="Late", lines=[])
    assert not Notification.objects.exists()


def test_a_replay_given_back_at_shutdown_is_ready_again(make_flow):
    flow = make_flow(lambda run, message: None, pattern=SYNCHRONOUS)
    instance = waiting(flow)
    Instance.objects.update(cause="replay")
    held = claim(instance.pk)
    instance.refresh_from_db()
    outcome.released(Run(instance, spec_for("TEST-FLOW"), held, perform=perform))
    instance.refresh_from_db()
    assert (instance.status, instance.woken_at) == ("ready", None)


def test_what_the_queue_did_not_take_is_woken_in_the_next_round(make_flow, monkeypatch):
    waiting(make_flow(lambda run, message: None), seconds=120)
    monkeypatch.setattr(wake, "enqueue", lambda pk: False)
    assert recovery.sweep() == 0
    monkeypatch.undo()
    assert recovery.sweep() == 1


class Started(Cluster):
    """A cluster that was started a while ago and is this process's group."""

    def __init__(self) -> None:
        super().__init__()
        self._process = type("Process", (), {"pid": os.getpgid(0)})()
        self._started = time.monotonic() - 60


@pytest.fixture
def probes(monkeypatch) -> list:
    asked: list = []

    def enqueue(pk) -> bool:
        asked.append(pk)
        return True

    monkeypatch.setattr(wake, "enqueue", enqueue)
    return asked


def test_a_cluster_that_does_not_claim_the_probe_is_stalled(make_flow, probes):
    instance = waiting(make_flow(lambda run, message: None), seconds=20)
    cluster = Started()
    assert not cluster._stalled()
    assert probes == [instance.pk]
    cluster._probe = instance.pk, timezone.now() - timedelta(seconds=16)
    assert cluster._stalled()
    assert probes == [instance.pk]


def test_a_cluster_that_claims_is_not_stalled(make_flow, probes):
    waiting(make_flow(lambda run, message: None), seconds=20)
    other = waiting(Instance.objects.get().flow)
    Attempt.objects.create(instance=other, number=1, holder=f"{socket.gethostname()}:{os.getpid()}:1")
    assert not Started()._stalled()
    assert probes == []


def test_workers_whose_leases_ran_out_are_not_busy(make_flow, probes):
    flow = make_flow(lambda run, message: None)
    here = f"{socket.gethostname()}:{os.getpid()}:1"
    over = timezone.now() - timedelta(seconds=20)
    for _ in range(2):
        Instance.objects.create(flow=flow, cause="inbound", status="running", holder=here, lease_until=over)
    assert not Started()._stalled()
    assert len(probes) == 1


def test_a_queue_that_is_down_is_not_the_clusters_fault(make_flow, monkeypatch, settings):
    waiting(make_flow(lambda run, message: None), seconds=20)
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "redis": "redis://127.0.0.1:1"}
    settings.Q_CLUSTER.pop("orm", None)
    monkeypatch.setattr(wake, "enqueue", lambda pk: False)
    cluster = Started()
    assert not cluster._stalled()
    assert cluster._probe is None
