"""What operators do with callbacks in the console."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from crm.models import Callback, Incident
from crm.services.callback_close import callback_close
from crm.services.callbacks_automatic import callbacks_automatic
from crm.services.callbacks_release import callbacks_release
from integrations.engine.faults import Conflict, InvalidMessage
from integrations.models import AuditEntry
from tests.crm.conftest import Crm, Plain
from tests.crm.scene import State, add_callback, assigned, restored_incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident(db: None) -> Incident:
    """A restored one, whose callbacks these are."""
    return restored_incident()


def pulled(crm: Crm, csr: str = "csr7", **wanted: Any) -> list[str]:
    return [one["mRID"] for one in crm.pull(csr, **wanted).callbacks]


def keys(*rows: Callback) -> list[str]:
    return [str(row.pk) for row in rows]


def result(row: Callback, csr: str = "csr7", value: str = "Restored", **more: Any) -> Plain:
    return {"mRID": str(row.pk), "csrId": csr, "status": {"value": value}, **more}


def fresh(row: Any) -> Any:
    row.refresh_from_db()
    return row


def test_operators_move_waiting_callbacks_to_the_ivr_and_back(crm: Crm, incident: Incident):
    waiting, over = add_callback(incident), assigned(add_callback(incident))
    over = assigned(over, release_at=timezone.now() - timedelta(seconds=1))
    held, closed = assigned(add_callback(incident)), add_callback(incident, state=State.CLOSED)
    rows = [waiting.pk, over.pk, held.pk, closed.pk]
    assert callbacks_automatic(callbacks=rows, automatic=True, actor="op") == 2
    assert callbacks_automatic(callbacks=rows, automatic=True, actor="op") == 0
    assert set(Callback.objects.filter(automatic=True)) == {waiting, over}
    assert pulled(crm, count=9) == []
    assert callbacks_automatic(callbacks=[waiting.pk], automatic=False, actor="op") == 1
    assert pulled(crm, count=9) == keys(waiting)
    entries = AuditEntry.objects.filter(actor="op").order_by("pk").values_list("action", "subject")
    assert list(entries) == [
        ("callbacks_automatic", "callback:list"),
        ("callbacks_manual", f"callback:{waiting.pk}"),
    ]


def test_operators_put_held_callbacks_back_into_the_queue(crm: Crm, incident: Incident):
    held, sent = assigned(add_callback(incident), "csr1"), assigned(add_callback(incident), "CrmAdapter")
    closed, waiting = add_callback(incident, state=State.CLOSED), add_callback(incident)
    rows = [held.pk, sent.pk, closed.pk, waiting.pk]
    assert callbacks_release(callbacks=rows, actor="op") == 2
    assert callbacks_release(callbacks=rows, actor="op") == 0
    for row in (held, sent):
        assert (fresh(row).state, row.assigned_to, row.assigned_at, row.release_at) == (
            "queued",
            "",
            None,
            None,
        )
        assert row.last_update_user == "op"
    assert fresh(closed).state == State.CLOSED
    assert crm.report(result(held, "csr1")).reasons == ["DifferentCsrId"]
    assert set(pulled(crm, "csr2", count=9)) == set(keys(held, sent, waiting))
    entry = AuditEntry.objects.get(actor="op")
    assert (entry.detail["count"], set(entry.detail["callbacks"])) == (2, set(keys(held, sent)))


def test_nothing_to_do_leaves_no_trace(incident: Incident):
    assert callbacks_release(callbacks=[], actor="op") == 0
    assert callbacks_automatic(callbacks=iter(()), automatic=True, actor="op") == 0
    assert not AuditEntry.objects.exists()


def test_an_operator_records_a_result_whoever_has_it(incident: Incident):
    first, last = assigned(add_callback(incident, comment="Before"), "csr1"), add_callback(incident)
    callback_close(callback=first, result="restored", comment=" Neighbour said so ", actor="op")
    assert (first.state, first.result, first.last_update_user) == (State.CLOSED, "Restored", "op")
    assert (first.comment, first.closed_at) == ("Before\nNeighbour said so", first.result_at)
    assert fresh(incident).stage == "restored"
    callback_close(callback=last, result="RESTORED", comment="", actor="op")
    assert (fresh(incident).stage, incident.status) == ("closed", "Closed")
    entry = AuditEntry.objects.order_by("pk")[0]
    assert (entry.action, entry.subject) == ("callback_close", f"callback:{first.pk}")
    assert entry.detail == {"result": "Restored", "closed": True}


def test_a_result_by_hand_that_does_not_close_lets_it_be_called_again(crm: Crm, incident: Incident):
    waiting, held = add_callback(incident), assigned(add_callback(incident), "csr1")
    for row in (waiting, held):
        callback_close(callback=row, result="No Answer", comment="", actor="op")
    assert (waiting.state, held.state, held.assigned_to) == (State.QUEUED, State.ASSIGNED, "csr1")
    assert fresh(incident).stage == "restored"
    assert pulled(crm, count=9) == keys(waiting)
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert pulled(crm, "csr2", count=9) == keys(waiting, held)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"result": "Maybe"}, "'Maybe' is no result of a callback"),
        ({"result": ""}, "'' is no result of a callback"),
        ({"comment": "x" * 501}, "Comment has 501 characters, 500 are the most"),
        ({"comment": "\x08"}, "Comment has a control character"),
    ],
)
def test_a_result_by_hand_that_is_none_is_refused(incident: Incident, given: Plain, said: str):
    row = add_callback(incident)
    with pytest.raises(InvalidMessage, match=said):
        callback_close(callback=row, actor="op", **{"result": "Restored", "comment": "", **given})
    assert fresh(row).state == State.QUEUED


def test_a_comment_by_hand_fits_with_the_one_before_or_is_refused(incident: Incident):
    row = add_callback(incident, comment="x" * 490)
    with pytest.raises(InvalidMessage, match="Comment has 10 characters, 9 are the most"):
        callback_close(callback=row, result="Busy", comment="y" * 10, actor="op")
    callback_close(callback=row, result="Busy", comment="y" * 9, actor="op")
    assert len(row.comment) == 500


def test_a_second_click_records_nothing(incident: Incident):
    row = add_callback(incident)
    callback_close(callback=row, result="Restored", comment="", actor="op")
    with pytest.raises(Conflict, match="is closed already, with result Restored"):
        callback_close(callback=row, result="Busy", comment="", actor="op")
    Callback.objects.all().delete()
    with pytest.raises(Conflict, match="There is no callback"):
        callback_close(callback=row, result="Busy", comment="", actor="op")
