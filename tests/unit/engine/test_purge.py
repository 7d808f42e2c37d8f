"""Retention: payloads go, the story stays, what is open stays whole."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from integrations.engine.faults import BusinessFault
from integrations.engine.runner import work_on
from integrations.models import AuditEntry, Instance, Payload
from integrations.services.audit import audit
from integrations.services.instance_discard import instance_discard
from integrations.services.instance_resubmit import resubmit_refusal
from integrations.services.purge import purge
from tests.unit.engine.test_running import submit

NOW = timedelta(0)


@pytest.fixture
def ended(make_flow, client):
    def body(run, message):
        if message.get("bad"):
            raise BusinessFault("no")
        return {"answer": message}

    flow = make_flow(body)
    flow.retention_days = 10
    flow.save()

    def make(days_ago: int, **message) -> Instance:
        instance = submit(client, message).instance
        work_on(instance.pk)
        Instance.objects.filter(pk=instance.pk).update(ended_at=timezone.now() - timedelta(days=days_ago))
        instance.refresh_from_db()
        return instance

    return make


def test_payloads_past_their_retention_go_and_the_story_stays(ended):
    old, fresh = ended(11, n=1), ended(9, n=2)
    gone = purge(unreferenced_after=NOW)
    old.refresh_from_db()
    fresh.refresh_from_db()
    assert gone.instances == 1
    assert (old.message_payload, old.answer, old.status) == (None, None, "succeeded")
    assert old.activities.exists()
    assert fresh.message_payload is not None
    assert Payload.objects.count() == 2


def test_an_open_error_keeps_its_message_until_it_is_settled(ended):
    failed = ended(30, bad=1)
    assert purge(unreferenced_after=NOW).instances == 0
    instance_discard(instance=failed, actor="op", reason="old")
    Instance.objects.update(ended_at=timezone.now() - timedelta(days=30))
    assert purge(unreferenced_after=NOW).instances == 1


def test_a_purged_instance_cannot_be_resubmitted_and_says_why(ended):
    instance = ended(11, bad=1)
    instance_discard(instance=instance, actor="op", reason="old")
    Instance.objects.update(ended_at=timezone.now() - timedelta(days=11))
    purge(unreferenced_after=NOW)
    instance.refresh_from_db()
    assert resubmit_refusal(instance) == "its payloads are purged"


def test_the_command_says_how_much_went(ended, capsys):
    ended(11, n=1)
    call_command("purge")
    assert "1 instance(s) purged" in capsys.readouterr().out


def test_an_audit_entry_is_written_once(transactional_db):
    entry = audit(actor="a", action="b", subject="c:1")
    entry.actor = "someone else"
    with pytest.raises(PermissionError):
        entry.save()
    with pytest.raises(PermissionError):
        entry.delete()
    assert AuditEntry.objects.get().actor == "a"
