"""Handing a message on to another flow (contract, "Flows": the acknowledgement of a program rule)."""

from typing import Any

import pytest

from integrations.engine.faults import InvalidMessage, TechnicalFault
from integrations.engine.runner import work_on
from integrations.models import Flow, Instance, Step
from integrations.services.instance_resubmit import instance_resubmit
from integrations.services.instance_submit import instance_submit
from integrations.storage import payload_bytes

GIVER, TAKER = "TEST-GIVER", "TEST-TAKER"
SCHEMA = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}


@pytest.fixture
def flows(make_flow: Any) -> dict[str, Any]:
    """A flow that hands on, and one that takes; what happens in each can be set."""
    does: dict[str, Any] = {
        "message": {"id": "7"},
        "after": lambda: None,
        "taker": lambda run, message: {"got": message},
    }

    def giver(run: Any, message: Any) -> Any:
        run.hand_on(does.get("to", TAKER), does["message"])
        does["after"]()
        return {"given": True}

    def taker(run: Any, message: Any) -> Any:
        return does["taker"](run, message)

    make_flow(taker, identifier=TAKER, schema=SCHEMA, keys={"id": "id"})
    make_flow(giver, identifier=GIVER, calls=(TAKER,))
    return does


def give(client: Any) -> Instance:
    """One attempt of the flow that hands on."""
    instance = instance_submit(
        identifier=GIVER, resource="go", version="1.0", message=b"{}", client=client
    ).instance
    return worked(instance)


def worked(instance: Instance) -> Instance:
    work_on(instance.pk)
    instance.refresh_from_db()
    return instance


def test_what_is_handed_on_is_a_queued_instance_of_its_own(flows: dict[str, Any], client: Any):
    giver = give(client)
    assert giver.status == "succeeded"
    taker = giver.handed_on.get()
    assert (taker.status, taker.cause, taker.parent, taker.flow.identifier) == (
        "ready",
        "handed_on",
        None,
        TAKER,
    )
    assert (taker.primary_key_name, taker.primary_key_value) == ("id", "7")
    assert taker.message_payload is not None
    assert payload_bytes(taker.message_payload) == b'{"id":"7"}'
    assert worked(taker).status == "succeeded"
    assert taker.activities.filter(text=f"Handed on by {GIVER}").exists()


def test_a_later_attempt_hands_on_nothing_again(flows: dict[str, Any], client: Any):
    flows["after"] = lambda: 1 / 0
    giver = give(client)
    assert giver.status == "failed"
    flows["after"] = lambda: None
    assert worked(instance_resubmit(instance=giver, actor="op")).status == "succeeded"
    assert giver.handed_on.count() == 1
    assert Step.objects.get(instance=giver).result == {"instance": str(giver.handed_on.get().pk)}


def test_what_the_taker_meets_is_its_own(flows: dict[str, Any], client: Any):
    flows["taker"] = lambda run, message: 1 / 0
    giver = give(client)
    taker = worked(giver.handed_on.get())
    assert (taker.status, taker.error.state) == ("failed", "open")
    giver.refresh_from_db()
    assert giver.status == "succeeded"
    assert not hasattr(giver, "error")


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"message": {"no": "id"}}, InvalidMessage, "'id' is a required property"),
        ({"to": GIVER}, TechnicalFault, "does not declare that it calls"),
    ],
)
def test_what_nobody_could_take_is_the_givers_fault(
    flows: dict[str, Any], client: Any, change: dict[str, Any], kind: type[Exception], said: str
):
    flows.update(change)
    giver = give(client)
    assert giver.status == "failed"
    assert giver.fault_code == kind.code  # type: ignore[attr-defined]  # all of them are faults
    assert said in giver.fault_text
    assert Instance.objects.filter(cause="handed_on").count() == 0


def test_what_was_done_is_handed_on_to_an_inactive_taker_too(flows: dict[str, Any], client: Any):
    # Whoever asks before (`run.expect_taken`) is told; after the effect there is no way back.
    Flow.objects.filter(identifier=TAKER).update(active=False)
    giver = give(client)
    assert giver.status == "succeeded"
    assert giver.handed_on.count() == 1
