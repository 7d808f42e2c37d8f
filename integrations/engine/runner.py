"""Running an instance: claim, body, outcome. One function owns start, run and end."""

import uuid
from functools import partial
from typing import Any

import orjson
import structlog

from integrations.engine import leases, outcome
from integrations.engine.context import Run, Skip
from integrations.engine.faults import Fault, LeaseLost, RemoteFault, TechnicalFault, UnknownFlow, fault_of
from integrations.engine.files import Delivery, Feed, carry_out
from integrations.engine.leases import Claim, Released
from integrations.engine.registry import spec_for
from integrations.engine.spec import FlowSpec
from integrations.models import Instance, Resubmission
from integrations.storage import payload_bytes

log = structlog.get_logger(__name__)


def perform(
    instance: Instance,
    spec: FlowSpec,
    claim: Claim,
    message: Any,
    *,
    feed: Feed | None = None,
    parent: Run | None = None,
) -> Any:
    """Run a claimed instance's body to its end and write down how it ended. `message` may be how to read it.

    Returns the flow's answer. Raises Fault (recorded), LeaseLost (recorded as fenced) or Released.
    """
    run = Run(instance, spec, claim, perform=perform, feed=feed, parent=parent)
    run.person_decided = _person_decided(instance)
    with leases.keeper.keeping(claim):
        try:
            return _body(run, message)
        except LeaseLost:
            outcome.fenced(run)
            raise
        except Released:
            outcome.released(run)
            raise
        finally:
            run.close()


def _person_decided(instance: Instance) -> bool:
    """Whether this round was asked for by a person: a caller's repeated message decides nothing."""
    if instance.round == 1:
        return False
    asked = Resubmission.objects.filter(instance=instance, round=instance.round)
    caller = instance.client.client_id if instance.client else ""
    return asked.exclude(actor=caller).exists()


def _body(run: Run, message: Any) -> Any:
    """The message read, the body run, the answer stored: whatever goes wrong in any of them is the run's fault."""
    try:
        answer, skipped = _answer(run, message() if callable(message) else message)
        kept = outcome.kept_answer(run, answer)
    except Exception as error:
        fault = fault_of(error)
        if fault.code == "HUB-BUG":
            log.exception("flow_failed_unforeseen", flow=run.spec.identifier, instance=str(run.instance.pk))
        outcome.failed(run, fault)
        raise fault from error
    if skipped:
        outcome.skipped(run, skipped, kept)
    else:
        outcome.succeeded(run, kept)
    return answer


def _answer(run: Run, message: Any) -> tuple[Any, str]:
    """What the body returns, and the reason where it skipped."""
    try:
        answer = run.spec.body(run, message)
        return carry_out(run, answer) if isinstance(answer, Delivery) else answer, ""
    except Skip as skip:
        return skip.answer, str(skip)


def message_of(instance: Instance, spec: FlowSpec) -> Any:
    """What the body is called with: the stored message, or a scheduled run's parameters."""
    if instance.message_payload is not None:
        return orjson.loads(payload_bytes(instance.message_payload))
    return dict(instance.parameters) if spec.parameters or instance.parameters else None


def work_on(instance_id: uuid.UUID, most_here: int = 0) -> bool:
    """What a worker does with an id from the queue: claim it and run it; nothing where there is nothing to claim.

    False where its flow has as many workers here as it may (`most_here`), and it is not its turn.
    """
    try:
        claim = leases.claim(instance_id, most_here)
    except leases.Crowded:
        return False
    if claim is None:
        return True
    instance = Instance.objects.select_related("flow", "message_payload", "attachment", "parent").get(
        pk=instance_id
    )
    try:
        _run_claimed(instance, claim)
    except Fault as fault:
        log.info("instance_failed", instance=str(instance_id), code=fault.code)
    except (LeaseLost, Released) as stop:
        log.info("instance_left", instance=str(instance_id), why=type(stop).__name__)
    return True


def _run_claimed(instance: Instance, claim: Claim) -> None:
    try:
        spec = spec_for(instance.flow.identifier)
    except UnknownFlow as gone:
        outcome.without_code(instance, claim, gone)
        return
    fault = _poison(instance, spec, claim)
    if fault is not None:
        run = Run(instance, spec, claim, perform=perform)
        outcome.failed(run, fault)
        run.close()
        return
    perform(instance, spec, claim, partial(message_of, instance, spec))


def _poison(instance: Instance, spec: FlowSpec, claim: Claim) -> Fault | None:
    """What must not be run again: one that killed five workers, or one whose caller no longer waits."""
    if instance.crashes >= leases.MAX_CRASHES:
        return TechnicalFault(
            f"worker died {leases.MAX_CRASHES} times",
            code="HUB-WORKER-DIED",
            hint="Something in this instance kills its worker; see the host's logs, then resubmit or discard.",
        )
    if claim.crashed and spec.waits and instance.cause != Instance.Cause.REPLAY:
        return RemoteFault(
            "The process died while its caller was waiting; whether the target was reached is not known",
            code="HUB-WORKER-DIED",
            hint="The caller's same message, sent again, goes on from here.",
        )
    return None
