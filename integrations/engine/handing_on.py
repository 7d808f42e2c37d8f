"""Handing a message on to another flow: an instance of its own, queued with the record of this step, once.

What the other flow meets is its own: it is tried again, fails and is resubmitted by itself (contract, "Flows": the
acknowledgement of a program rule is no part of its synchronisation).
"""

from typing import TYPE_CHECKING, Any

import orjson
from django.utils import timezone

from integrations.engine.clock import db_now
from integrations.engine.faults import Inactive, TechnicalFault
from integrations.engine.intake import extract_keys, flow_row, validate_message
from integrations.engine.registry import spec_for
from integrations.engine.stream import Kind, Stream
from integrations.engine.wake import wake_on_commit
from integrations.models import BusinessKey, Flow, Instance, Step
from integrations.storage import payload_put

if TYPE_CHECKING:
    from integrations.engine.context import Run
    from integrations.engine.spec import FlowSpec


def expect_taken(run: "Run", identifier: str) -> None:
    """Inactive where nobody would take what is to be handed on: asked before anything is done that it is to tell of."""
    _, flow = _taker(run, identifier)
    if not flow.active:
        raise Inactive(f"{identifier} is not active", hint=f"Activate it: {run.spec.identifier} calls it.")


def hand_on(run: "Run", identifier: str, message: Any, *, key: str) -> None:
    """Queue an instance of this flow with this message; nothing where an earlier attempt has.

    Raises InvalidMessage, or Inactive where nobody would take it.
    """
    spec, flow = _taker(run, identifier)
    validate_message(spec, message)
    stored = payload_put(orjson.dumps(message), content_type="application/json")
    with run.claim.writing():
        if Step.objects.filter(instance=run.instance, key=key).exists():
            return
        made = Instance(
            flow=flow,
            flow_version=spec.version,
            cause=Instance.Cause.HANDED_ON,
            handed_on_by=run.instance,
            message_payload=stored,
            created_at=db_now(),
        )
        _save(made, spec, message, run.spec.name)
        Step.objects.create(
            instance=run.instance,
            key=key,
            attempt=run.claim.fence,
            state=Step.State.DONE,
            result={"instance": str(made.pk)},
            ended_at=timezone.now(),
        )
        run.stream.say(Kind.NOTED, f"Handed on to {spec.name} (instance {made.pk})")
        run.stream.flush()


def _taker(run: "Run", identifier: str) -> "tuple[FlowSpec, Flow]":
    spec = spec_for(identifier)
    if identifier not in run.spec.calls:
        raise TechnicalFault(f"{run.spec.identifier} does not declare that it calls {identifier}")
    return spec, flow_row(spec)


def _save(made: Instance, spec: "FlowSpec", message: Any, giver: str) -> None:
    made.due_at = made.woken_at = made.created_at
    keys = extract_keys(made, spec, message)
    made.save(force_insert=True)
    BusinessKey.objects.bulk_create(keys, ignore_conflicts=True)
    stream = Stream(made, made.fence)
    stream.say(Kind.RECEIVED, f"Handed on by {giver}")
    stream.flush()
    wake_on_commit(made.pk)
