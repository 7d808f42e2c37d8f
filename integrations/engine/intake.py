"""How an instance's row comes to be: its flow, its business keys, its first claim."""

from datetime import datetime, timedelta
from typing import Any

import jsonschema
from django.conf import settings

from integrations.engine.clock import db_now
from integrations.engine.faults import InvalidMessage, UnknownFlow
from integrations.engine.leases import Claim, holder_name
from integrations.engine.spec import FlowSpec
from integrations.models import Attempt, BusinessKey, Flow, Instance

LONGEST_VALUE = 200


def flow_row(spec: FlowSpec) -> Flow:
    """The flow's row; UnknownFlow where migrate has not made it yet."""
    flow = Flow.objects.filter(identifier=spec.identifier).first()
    if flow is None:
        raise UnknownFlow(
            f"{spec.identifier} has no row yet", hint="Run `manage.py migrate`, which makes it."
        )
    return flow


def at_path(message: Any, path: str) -> Any:
    """The value at a dotted path, e.g. sendDetails.syncRequestId; None where the path leads nowhere."""
    for part in path.split("."):
        if not isinstance(message, dict):
            return None
        message = message.get(part)
    return message


def extract_keys(instance: Instance, spec: FlowSpec, message: Any) -> list[BusinessKey]:
    """Business keys from the message, not saved yet; the first becomes the primary key of an instance to be saved."""
    found = {name: at_path(message, path) for name, path in spec.keys.items()}
    rows = [
        BusinessKey(instance=instance, name=name, value=str(value)[:LONGEST_VALUE])
        for name, value in found.items()
        if isinstance(value, str | int | float) and value != ""
    ]
    if rows:
        instance.primary_key_name, instance.primary_key_value = rows[0].name, rows[0].value
    return rows


def begin_running(instance: Instance) -> Claim:
    """Save a new instance as claimed by this process: its caller waits, no worker shall take it."""
    attempt = running(instance, db_now())
    instance.save(force_insert=True)
    attempt.save(force_insert=True)
    return Claim(instance.pk, 1)


def running(instance: Instance, now: datetime) -> Attempt:
    """A new instance's row made to say that this process has it; its first attempt, neither saved."""
    instance.status = Instance.Status.RUNNING
    instance.fence = instance.attempts_made = 1
    instance.holder = holder_name()
    instance.started_at = now
    instance.lease_until = now + timedelta(seconds=settings.HUB_LEASE_SECONDS)
    return Attempt(instance=instance, number=1, round=instance.round, holder=instance.holder, started_at=now)


def validate_message(spec: FlowSpec, data: Any) -> None:
    """InvalidMessage with one detail for each place that does not fit the flow's schema."""
    if spec.schema is None:
        return
    validator = jsonschema.Draft202012Validator(spec.schema)
    errors = sorted(validator.iter_errors(data), key=lambda error: list(map(str, error.absolute_path)))
    if errors:
        details = [
            {"title": error.message[:300], "o:errorPath": "/" + "/".join(map(str, error.absolute_path))}
            for error in errors[:20]
        ]
        first = details[0]
        raise InvalidMessage(f"{first['title']} (at {first['o:errorPath']})", details=details)
