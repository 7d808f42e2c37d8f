"""The beat's tasks, each once among many beats."""

import socket
import subprocess
import sys
from datetime import timedelta

from django.utils import timezone

from integrations.engine.cluster import end_orphans
from integrations.engine.leadership import lead, step_down
from integrations.models import Flow, Heartbeat, Lease
from integrations.services.beat import tracing_reverts
from integrations.services.flow_switch import flow_trace


def test_one_of_two_leads_until_it_falls_silent(transactional_db):
    assert lead("tick", "one")
    assert not lead("tick", "two")
    assert lead("tick", "one")
    Lease.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert lead("tick", "two")


def test_who_steps_down_is_followed_at_once(transactional_db):
    lead("tick", "one")
    step_down("one")
    assert lead("tick", "two")


def test_debug_tracing_reverts_by_itself(make_flow):
    flow = make_flow(lambda run, message: None)
    flow_trace(flow=flow, level="debug", actor="op", minutes=5)
    assert tracing_reverts() == 0
    Flow.objects.update(tracing_until=timezone.now() - timedelta(seconds=1))
    assert tracing_reverts() >= 1
    flow.refresh_from_db()
    assert (flow.tracing, flow.tracing_until) == ("production", None)


def test_the_cluster_of_a_killed_beat_is_ended_by_the_next_one(transactional_db):
    orphan = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)", "qcluster"], start_new_session=True
    )
    now = timezone.now()
    Heartbeat.objects.create(
        name="beat of old",
        role="beat",
        host=socket.gethostname(),
        pid=2**22 + 1,
        started_at=now,
        at=now,
        detail={"cluster": orphan.pid},
    )
    end_orphans()
    assert orphan.wait(5) == -9
    end_orphans()
