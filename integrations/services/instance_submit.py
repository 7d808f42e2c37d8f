"""Accepting a message: on disk before anyone is answered, and the same message once (contract, "Message id")."""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from hub.asked import Asked
from integrations.engine.clock import db_now
from integrations.engine.crash import crash
from integrations.engine.faults import Conflict, Inactive, InvalidMessage, UnknownFlow
from integrations.engine.intake import at_path, begin_running, extract_keys, flow_row, validate_message
from integrations.engine.registry import spec_for
from integrations.engine.rows import insert_rows
from integrations.engine.spec import FlowSpec
from integrations.engine.stream import Kind, Stream
from integrations.engine.telling import await_end_of_told
from integrations.engine.wake import wake_on_commit
from integrations.models import Client, Flow, Instance, Payload
from integrations.models.instance import ENDED
from integrations.services.instance_resubmit import instance_go_on
from integrations.storage import payload_bytes, payload_keep

LONGEST_ID = 200
Status = Instance.Status
_same_message = Asked(
    lambda client, flow, message_id: (
        Instance.objects.filter(client=client, flow=flow, message_id=message_id).order_by().only("pk")
    ),
    int,
    int,
    str,
)


@dataclass(frozen=True)
class Submission:
    """What became of a message. `repeated`: nothing new is done; `answer`: the stored one, if it succeeded."""

    instance: Instance
    repeated: bool = False
    answer: Any = None


@dataclass(frozen=True)
class _Arrival:
    """A message that passed all checks, not stored yet."""

    spec: FlowSpec
    flow: Flow
    data: Any
    message: bytes | None
    content_type: str
    attachment: Payload | None
    attachment_name: str
    client: Client | None
    user: AbstractBaseUser | None
    message_id: str | None
    cause: str
    parameters: dict[str, Any]
    digest: str


def instance_submit(
    *,
    identifier: str,
    resource: str,
    version: str,
    message: bytes | None,
    content_type: str = "application/json",
    attachment: Payload | None = None,
    attachment_name: str = "",
    client: Client | None = None,
    user: AbstractBaseUser | None = None,
    message_id: str | None = None,
    cause: str = Instance.Cause.INBOUND,
    parameters: dict[str, Any] | None = None,
    flow: Flow | None = None,
) -> Submission:
    """Take a message for a flow. A synchronous or child flow's instance comes back claimed by this process
    (run it with `instance_execute`); an asynchronous one is queued.

    `message`: the JSON as it came; `message_id`: the Idempotency-Key header, else the flow's own field is used;
    `flow`: its row, where the caller has just asked for it.
    Raises UnknownFlow, Inactive, InvalidMessage, Conflict; the database's own errors where it is down.
    """
    spec, flow = flow_expect(identifier=identifier, resource=resource, version=version, flow=flow)
    data = orjson.loads(message) if message is not None else None
    validate_message(spec, data)
    arrival = _Arrival(
        spec=spec,
        flow=flow,
        data=data,
        message=message,
        content_type=content_type,
        attachment=attachment,
        attachment_name=attachment_name,
        client=client,
        user=user,
        message_id=_message_id(spec, data, message_id),
        cause=cause,
        parameters=parameters or {},
        digest=content_digest(data, attachment),
    )
    return _known(arrival) or _accept(arrival)


def flow_expect(
    *, identifier: str, resource: str, version: str, flow: Flow | None = None
) -> tuple[FlowSpec, Flow]:
    """The flow that takes messages at this address, before any of a body is read: UnknownFlow, Inactive.

    `flow`: its row, where the caller has just asked for it.
    """
    spec = spec_for(identifier)
    if not spec.answers_at(resource, version):
        raise UnknownFlow(
            f"{spec.identifier} does not answer at {version}/{resource}",
            hint=f"It answers at 1.0/{spec.trigger.resource}." if spec.trigger.resource else "",
        )
    flow = flow or flow_row(spec)
    if not flow.active:
        raise Inactive(
            f"{spec.identifier} is not active", hint="An operator has to activate it in the console."
        )
    return spec, flow


def content_digest(data: Any, attachment: Payload | None) -> str:
    """SHA-256 over the parts: canonical JSON and the file's digest, never the raw body with its boundaries."""
    found = hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS))
    found.update(attachment.digest.encode() if attachment else b"")
    return found.hexdigest()


def _message_id(spec: FlowSpec, data: Any, given: str | None) -> str | None:
    found = given or (at_path(data, spec.message_id) if spec.message_id else None)
    if found in (None, ""):
        return None
    text = str(found)
    if len(text) > LONGEST_ID:
        raise InvalidMessage(f"The message id has {len(text)} characters; {LONGEST_ID} are the most")
    return text


def _known(arrival: _Arrival) -> Submission | None:
    """What a repeated message gets: the same instance, the stored answer, or a new attempt of a failed one."""
    if arrival.message_id is None or arrival.client is None:
        return None
    met = _same_message.first(arrival.client.pk, arrival.flow.pk, arrival.message_id)
    if met is None:  # as a rule it is new, and its row with five others beside it costs 1.5 ms to ask for
        return None
    known = Instance.objects.select_related("flow", "answer", "message_payload", "attachment", "parent").get(
        pk=met.pk
    )
    if known.content_digest != arrival.digest:
        raise Conflict(
            f"Message {arrival.message_id} came before with other content, as instance {known.pk}",
            hint="Send changed content under a new id.",
            instance_id=str(known.pk),
        )
    return _repeat(arrival, known)


def _repeat(arrival: _Arrival, known: Instance) -> Submission:
    await_end_of_told(known)
    _refuse_settled(known)
    if known.status in (Status.SUCCEEDED, Status.SKIPPED):
        return Submission(known, repeated=True, answer=_stored_answer(known))
    replay = known.replays.filter(status=Status.SUCCEEDED).select_related("answer").first()
    if replay is not None:
        return Submission(known, repeated=True, answer=_stored_answer(replay))
    under_way = known.replays.exclude(status__in=ENDED).exists()
    if under_way or not known.ended or known.status == Status.HELD:  # what is held waits for a person
        return Submission(known, repeated=True)
    actor = arrival.client.client_id if arrival.client else "caller"
    instance_go_on(instance=known, actor=actor, reason="The same message came again")
    return Submission(known)


def _refuse_settled(known: Instance) -> None:
    """What a person discarded, or retention let go of, is not done again because it is sent again."""
    if known.status == Status.DISCARDED:
        raise Conflict(
            f"Message {known.message_id} came before and was discarded, as instance {known.pk}",
            hint="Send it under a new id if it is to be done.",
            instance_id=str(known.pk),
        )
    if known.purged_at is not None:
        raise Conflict(
            f"Message {known.message_id} came before, as instance {known.pk}; its payloads are past their retention",
            instance_id=str(known.pk),
        )


def _stored_answer(instance: Instance) -> Any:
    return orjson.loads(payload_bytes(instance.answer)) if instance.answer else None


def _accept(arrival: _Arrival) -> Submission:
    """Bytes to disk, then the row, then (once committed) the queue. Two at once: one row, the other repeats."""
    write_row = None
    if arrival.message is not None:
        write_row = payload_keep(arrival.message, content_type=arrival.content_type)
    try:
        with transaction.atomic():
            instance = _insert(arrival, write_row() if write_row else None)
    except IntegrityError:
        known = _known(arrival)
        if known is None:
            raise
        return known
    crash("after_insert")
    return Submission(instance)


def _insert(arrival: _Arrival, stored: Payload | None) -> Instance:
    now = db_now()
    instance = Instance(
        flow=arrival.flow,
        flow_version=arrival.spec.version,
        cause=arrival.cause,
        client=arrival.client,
        user_id=arrival.user.pk if arrival.user else None,
        parameters=arrival.parameters,
        message_payload=stored,
        attachment=arrival.attachment,
        attachment_name=arrival.attachment_name,
        message_id=arrival.message_id,
        content_digest=arrival.digest,
        created_at=now,
        due_at=now,
        woken_at=now,
    )
    keys = extract_keys(instance, arrival.spec, arrival.data)
    if arrival.spec.waits:
        begin_running(instance, now)
    else:
        insert_rows([instance])
        wake_on_commit(instance.pk)
    insert_rows(keys)
    stream = Stream(instance, instance.fence)
    size = (stored.size if stored else 0) + (arrival.attachment.size if arrival.attachment else 0)
    stream.say(Kind.RECEIVED, f"Received from {arrival.client or 'the hub'}", bytes_in=size)
    stream.flush()
    return instance
