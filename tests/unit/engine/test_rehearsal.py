"""Rehearsing an instance: what stops it now is found without any effect."""

from dataclasses import replace

import pytest
from django.db import connection

from integrations import models
from integrations.engine.registry import spec_for
from integrations.engine.rehearsal import FURTHER, STOPS, UNKNOWN, ComesTo, _reading_only, rehearse
from integrations.engine.spec import SYNCHRONOUS
from integrations.services.bulk_dry_run import bulk_dry_run
from lookups.models import Lookup, Row
from tests import factories

pytestmark = pytest.mark.django_db
CODES = "Test_Codes"


@pytest.fixture
def rehearsed(monkeypatch):
    """Rehearse a body over a message, with what earlier attempts recorded."""

    def rehearsed(body, message=b'{"code": "AC"}', **steps):
        flow = models.Flow.objects.get(identifier="OUTL-BA-DACS_DRMS_ENROLL_SYNC")
        spec = spec_for(flow.identifier)
        monkeypatch.setattr("integrations.engine.rehearsal.spec_for", lambda _: _with_body(spec, body))
        instance = factories.InstanceFactory(flow=flow, status="failed", content=message)
        for key, state in steps.items():
            factories.StepFactory(
                instance=instance, key=key, state=state, result={"status": 200, "data": {"id": 7}}
            )
        return rehearse(instance)

    return rehearsed


def _with_body(spec, body):
    assert spec.pattern == SYNCHRONOUS
    return replace(spec, body=body)


@pytest.fixture
def codes(db):
    return Lookup.objects.create(name=CODES, columns=["A", "B"])


def _translate(run, message):
    run.key("code", message["code"])
    run.invoke("OU REST DERMS", "send", {"b": run.lookup(CODES, "A", message["code"], "B")}, key="send")
    return {}


def test_a_missing_value_stops_it_until_it_is_there(rehearsed, codes):
    seen = rehearsed(_translate)
    assert (seen.outcome, "has no B for A 'AC'" in seen.text) == (STOPS, True)
    Row.objects.create(lookup=codes, cells=["AC", "D1AC"])
    seen = rehearsed(_translate)
    assert (seen.outcome, seen.text) == (FURTHER, "the call send at OU REST DERMS")
    assert not models.BusinessKey.objects.exists()


def test_a_call_that_failed_before_is_not_known_to_go_well(rehearsed, codes):
    Row.objects.create(lookup=codes, cells=["AC", "D1AC"])
    assert rehearsed(_translate, send="failed").outcome == UNKNOWN


def test_a_call_that_was_made_gives_its_recorded_answer(rehearsed):
    def body(run, message):
        answer = run.invoke("OU REST DERMS", "send", key="send")
        return run.lookup(CODES, "A", str(answer.data["id"]), "B")

    seen = rehearsed(body, send="done")
    assert (seen.outcome, CODES in seen.text) == (STOPS, True)


def test_what_needs_a_real_run_ends_it(rehearsed):
    assert rehearsed(lambda run, message: run.files("OU FTP")).outcome == UNKNOWN
    assert rehearsed(lambda run, message: run.ask("OU REST", "x")).outcome == UNKNOWN


def test_a_skip_and_the_end_are_further_than_a_fault(rehearsed):
    assert rehearsed(lambda run, message: run.skip("nothing to do")).outcome == FURTHER
    assert rehearsed(lambda run, message: {}).outcome == FURTHER


def test_a_statement_that_would_write_ends_it(rehearsed):
    def body(run, message):
        models.Flow.objects.update(active=False)

    assert (seen := rehearsed(body)).outcome == UNKNOWN
    assert "writing" in seen.text
    with pytest.raises(ComesTo), _reading_only(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM integrations_flow")


def test_a_message_that_cannot_be_read_stops_it(rehearsed):
    assert rehearsed(lambda run, message: {}, message=b"{").outcome == STOPS


def test_a_dry_run_tells_what_would_get_past_its_fault(rehearsed, codes):
    rehearsed(_translate)
    rehearsed(_translate)
    for instance, code in zip(models.Instance.objects.all(), ("HUB-LOOKUP", "HUB-TARGET-DOWN"), strict=True):
        factories.ErrorInstanceFactory(instance=instance, fault_code=code)
    told = bulk_dry_run(errors=models.ErrorInstance.objects.all(), actor="olga")
    assert (told.rehearsed, told.stopped, len(told.faults)) == (2, 2, 1)
    Row.objects.create(lookup=codes, cells=["AC", "D1AC"])
    told = bulk_dry_run(errors=models.ErrorInstance.objects.all(), actor="olga")
    assert (told.past, told.unknown) == (1, 1)
