"""The beat's tasks, each once among many beats."""

from datetime import timedelta

from django.utils import timezone

from integrations.engine.leadership import lead, step_down
from integrations.models import Flow, Lease
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
