"""Sending a failed instance again: a person's resubmission, a replay, or the caller's own repetition."""

from typing import Any

import orjson
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import F

from integrations.engine.clock import db_now
from integrations.engine.faults import Conflict, InvalidMessage
from integrations.engine.intake import validate_message
from integrations.engine.leases import claim
from integrations.engine.registry import spec_for
from integrations.engine.spec import CHILD, WAITED_FOR, FlowSpec
from integrations.engine.stream import Kind, Stream
from integrations.engine.wake import wake_on_commit
from integrations.models import ErrorInstance, FileTransfer, Instance, Payload, Resubmission, Step
from integrations.services.audit import audit
from integrations.storage import payload_put

Status = Instance.Status
REFUSED_STATES = {
    Status.READY: "it is waiting for a worker already",
    Status.RUNNING: "it is running",
    Status.WAITING: "it tries again by itself",
    Status.SUCCEEDED: "it has succeeded",
    Status.SKIPPED: "there was nothing to do",
}


def resubmit_refusal(instance: Instance) -> str:
    """Why this instance cannot be resubmitted, as the end of a sentence; "" where it can."""
    if instance.purged_at is not None:
        return "its payloads are purged"
    if instance.parent_id is not None:
        return f"it is a child: resubmit its parent, {instance.parent_id}"
    if instance.replay_of_id is not None:
        return f"it is a replay: resubmit what it replays, {instance.replay_of_id}"
    state = ErrorInstance.objects.filter(instance=instance).values_list("state", flat=True).first()
    if state == ErrorInstance.State.RECOVERED:
        return "it has recovered"
    refusal = REFUSED_STATES.get(Status(instance.status), "")
    if refusal or instance.flow.pattern not in WAITED_FOR:
        return refusal
    return _replay_refusal(state)


def _replay_refusal(state: str | None) -> str:
    """A replay settles the error of what it replays, so there must be one, and one replay at a time."""
    if state is None:
        return "its caller is gone, and it has no error that a replay could recover"
    return "a replay of it is under way" if state == ErrorInstance.State.RESUBMITTED else ""


def instance_resubmit(
    *,
    instance: Instance,
    actor: str,
    user: AbstractBaseUser | None = None,
    from_start: bool = False,
    message: bytes | None = None,
    reason: str = "",
) -> Instance:
    """Send a failed, held or discarded instance again; returns the instance that does the work.

    The same one in a new round, from its checkpoint or from the start, with its message or an edited one
    (`message`, JSON; a reason is then required). A synchronous flow's caller is gone: its replay is a new
    instance, marked as such. Raises Conflict where it cannot be, InvalidMessage for an edited message that is
    none.
    """
    refusal = resubmit_refusal(instance)
    if refusal:
        raise Conflict(f"Instance {instance.pk} cannot be resubmitted: {refusal}")
    spec = spec_for(instance.flow.identifier)
    if message is not None:
        _check_edited(instance, spec, message, reason)
    edited = payload_put(message, content_type="application/json") if message is not None else None
    if spec.waits:
        return _replay(instance, actor, user, edited, reason)
    with transaction.atomic():
        _next_round(instance, actor, edited, reason, from_start=from_start)
        wake_on_commit(instance.pk)
    return instance


def instance_go_on(*, instance: Instance, actor: str, reason: str) -> None:
    """A failed instance's own caller sent the same message again: a new round from the checkpoint.

    A flow whose caller waits comes back claimed by this process, others are queued. Conflict where another
    took it first.
    """
    spec: FlowSpec = spec_for(instance.flow.identifier)
    with transaction.atomic():
        _next_round(instance, actor, None, reason, from_start=False)
        if not spec.waits:
            wake_on_commit(instance.pk)
    if spec.waits:
        held = claim(instance.pk)
        if held is None:
            raise Conflict(f"Instance {instance.pk} was taken by another caller")
        instance.refresh_from_db()


def _check_edited(instance: Instance, spec: FlowSpec, message: bytes, reason: str) -> None:
    if instance.message_payload_id is None:
        raise InvalidMessage("This instance has no message to edit; it runs with its parameters")
    try:
        data = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise InvalidMessage(f"The edited message is no JSON: {error}") from None
    validate_message(spec, data)
    if not reason.strip():
        raise InvalidMessage("A reason is needed for an edited message")


def _next_round(
    instance: Instance, actor: str, edited: Payload | None, reason: str, *, from_start: bool
) -> None:
    """Ready again, once however often it is asked: the status and round guard it."""
    now = db_now()
    changes: dict[str, Any] = {"message_payload": edited} if edited else {}
    if from_start:
        changes["checkpoint"] = {}
    try:
        with transaction.atomic():
            taken = Instance.objects.filter(
                pk=instance.pk,
                round=instance.round,
                status__in=[Status.FAILED, Status.HELD, Status.DISCARDED],
            ).update(
                status=Status.READY,
                round=F("round") + 1,
                retries=0,
                crashes=0,
                due_at=now,
                woken_at=now,
                wakes=0,
                ended_at=None,
                **changes,
            )
    except IntegrityError:
        raise Conflict(
            f"Instance {instance.pk} cannot be resubmitted: a run with the same parameters is under way"
        ) from None
    if not taken:
        raise Conflict(f"Instance {instance.pk} was resubmitted by somebody else just now")
    if from_start:
        Step.objects.filter(instance=instance).delete()
        FileTransfer.objects.filter(instance=instance, source=None).update(state=FileTransfer.State.NEW)
    _record(instance, actor, edited, reason, from_start=from_start)
    ErrorInstance.objects.filter(instance=instance).update(state=ErrorInstance.State.RESUBMITTED)
    instance.refresh_from_db()


def _record(instance: Instance, actor: str, edited: Payload | None, reason: str, *, from_start: bool) -> None:
    where = "from the start" if from_start else "from its checkpoint"
    what = ", with an edited message" if edited else ""
    Resubmission.objects.create(
        instance=instance,
        round=instance.round + 1,
        from_start=from_start,
        message_before=instance.message_payload if edited else None,
        message_after=edited,
        reason=reason,
        actor=actor,
    )
    stream = Stream(instance, instance.fence)
    stream.say(Kind.NOTED, f"Resubmitted by {actor} {where}{what}" + (f": {reason}" if reason else ""))
    stream.flush()
    audit(
        actor=actor,
        action="resubmit",
        subject=f"instance:{instance.pk}",
        detail={
            "round": instance.round + 1,
            "from_start": from_start,
            "edited": bool(edited),
            "reason": reason,
        },
    )


def _replay(
    instance: Instance, actor: str, user: AbstractBaseUser | None, edited: Payload | None, reason: str
) -> Instance:
    """A new instance with the same message, run by a worker; its success recovers the original's error."""
    if instance.flow.pattern == CHILD and instance.attachment_id is None:
        raise Conflict(f"Instance {instance.pk} cannot be replayed: its file was not kept")
    with transaction.atomic():
        if not ErrorInstance.objects.filter(
            instance=instance, state__in=[ErrorInstance.State.OPEN, ErrorInstance.State.DISCARDED]
        ).update(state=ErrorInstance.State.RESUBMITTED):
            raise Conflict(f"Instance {instance.pk} has a replay under way, or no error to replay")
        replay = Instance.objects.create(
            flow=instance.flow,
            flow_version=instance.flow_version,
            cause=Instance.Cause.REPLAY,
            replay_of=instance,
            client=instance.client,
            user_id=user.pk if user else None,
            parameters=instance.parameters,
            message_payload=edited or instance.message_payload,
            attachment=instance.attachment,
            attachment_name=instance.attachment_name,
            primary_key_name=instance.primary_key_name,
            primary_key_value=instance.primary_key_value,
        )
        if edited is None:
            _copy_steps(instance, replay)
        _record(instance, actor, edited, reason, from_start=edited is not None)
        Instance.objects.filter(pk=instance.pk).update(round=F("round") + 1)
        wake_on_commit(replay.pk)
    return replay


def _copy_steps(instance: Instance, replay: Instance) -> None:
    """What the original did, or may have done, its replay does not do unknowing."""
    done = list(Step.objects.filter(instance=instance))
    for step in done:
        step.pk = None
        step.instance = replay
    Step.objects.bulk_create(done)
