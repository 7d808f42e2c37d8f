"""Starting a flow by schedule or by hand."""

import hashlib
from typing import Any

import orjson
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from integrations.engine.clock import db_now
from integrations.engine.faults import Conflict, Inactive, InvalidMessage
from integrations.engine.registry import spec_for
from integrations.engine.spec import FILE, FlowSpec
from integrations.engine.stream import Kind, Stream
from integrations.engine.wake import wake_on_commit
from integrations.models import BusinessKey, Flow, Instance, Schedule
from integrations.services.audit import audit


def flow_run(
    *, flow: Flow, parameters: dict[str, Any], user: AbstractBaseUser | None = None, actor: str = ""
) -> Instance:
    """Queue a run by hand. Inactive, InvalidMessage (a parameter missing or unknown), Conflict (one with the
    same parameters is under way)."""
    instance = _start(
        flow, parameters, cause=Instance.Cause.MANUAL, said=f"Run by {actor or 'hand'}", user=user
    )
    audit(actor=actor, action="run", subject=f"flow:{flow.identifier}", detail={"parameters": parameters})
    return instance


def schedule_start(schedule: Schedule) -> Instance:
    """The instance of a schedule that is due."""
    said = f"Started by schedule {schedule.name}"
    return _start(schedule.flow, schedule.parameters, cause=Instance.Cause.SCHEDULE, said=said)


def _start(
    flow: Flow, parameters: dict[str, Any], *, cause: str, said: str, user: AbstractBaseUser | None = None
) -> Instance:
    spec = spec_for(flow.identifier)
    if spec.pattern != FILE:
        raise InvalidMessage(f"{flow.identifier} is started by a message, not by hand")
    if not flow.active:
        raise Inactive(f"{flow.identifier} is not active", hint="Activate it first.")
    check_parameters(spec, parameters)
    now = db_now()
    instance = Instance(
        flow=flow,
        flow_version=spec.version,
        cause=cause,
        user_id=user.pk if user else None,
        parameters=parameters,
        overlap_key=overlap_key(parameters),
        created_at=now,
        due_at=now,
        woken_at=now,
    )
    try:
        with transaction.atomic():
            instance.save(force_insert=True)
            _keys(instance, spec)
            stream = Stream(instance, 0)
            stream.say(Kind.RECEIVED, said)
            stream.flush()
            wake_on_commit(instance.pk)
    except IntegrityError:
        raise Conflict(f"{flow.identifier} is running already with the same parameters") from None
    return instance


def _keys(instance: Instance, spec: FlowSpec) -> None:
    for position, parameter in enumerate(spec.parameters):
        value = str(instance.parameters.get(parameter.name, ""))[:200]
        BusinessKey.objects.create(instance=instance, name=parameter.name, value=value)
        if position == 0:
            instance.primary_key_name, instance.primary_key_value = parameter.name, value
            instance.save(update_fields=["primary_key_name", "primary_key_value"])


def check_parameters(spec: FlowSpec, parameters: dict[str, Any]) -> None:
    """InvalidMessage for a required parameter that is missing or blank, one that is no text, or an unknown one."""
    known = {parameter.name: parameter for parameter in spec.parameters}
    for name, parameter in known.items():
        value = parameters.get(name)
        if parameter.required and (value is None or not str(value).strip()):
            raise InvalidMessage(f"Parameter {name} ({parameter.label}) is missing")
        if value is not None and not isinstance(value, str):
            raise InvalidMessage(f"Parameter {name} is {value!r}, which is no text")
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise InvalidMessage(
            f"{spec.identifier} has no parameter {', '.join(unknown)}; it has {', '.join(known)}"
        )


def overlap_key(parameters: dict[str, Any]) -> str:
    """The same for the same parameters: what may not run twice at once."""
    return hashlib.sha256(orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS)).hexdigest()
