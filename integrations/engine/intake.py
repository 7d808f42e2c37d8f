"""How an instance's row comes to be: its flow, its business keys, its first claim."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import jsonschema
from django.conf import settings

from hub.asked import Asked
from integrations.engine.clock import db_now
from integrations.engine.faults import InvalidMessage, UnknownFlow
from integrations.engine.leases import Claim, holder_name
from integrations.engine.rows import insert_rows
from integrations.engine.spec import FlowSpec, Paths
from integrations.models import Attempt, BusinessKey, Flow, Instance

LONGEST_VALUE = 200
MOST_VALUES = 100  # of one business key that a message has in lists
_flows = Asked(lambda identifier: Flow.objects.filter(identifier=identifier), str)
_validators: dict[str, jsonschema.Draft202012Validator] = {}


def flow_row(spec: FlowSpec) -> Flow:
    """The flow's row; UnknownFlow where migrate has not made it yet."""
    flow = _flows.first(spec.identifier)
    if flow is None:
        raise UnknownFlow(
            f"{spec.identifier} has no row yet", hint="Run `manage.py migrate`, which makes it."
        )
    return flow


def at_path(message: Any, path: str) -> Any:
    """The value at a dotted path, e.g. sendDetails.syncRequestId or params.0.messageId; None where it leads nowhere.

    One object where a list is expected counts as a list of one.
    """
    for part in path.split("."):
        if part == "0":
            message = (message or [None])[0] if isinstance(message, list) else message
        elif isinstance(message, dict):
            message = message.get(part)
        else:
            return None
    return message


def extract_keys(instance: Instance, spec: FlowSpec, message: Any) -> list[BusinessKey]:
    """Business keys from the message, not saved yet; the first becomes the primary key of an instance to be saved.

    One of a list never does: what a later message of the same device says does not overtake this one.
    """
    rows = [
        BusinessKey(instance=instance, name=name, value=value)
        for name, paths in spec.keys.items()
        for value in _key_values(message, paths)
    ]
    if rows and rows[0].name not in spec.listed_keys:
        instance.primary_key_name, instance.primary_key_value = rows[0].name, rows[0].value
    return rows


def _key_values(message: Any, paths: Paths) -> list[str]:
    """A business key's values in the message's order, each once, as its column takes them."""
    if isinstance(paths, str) and "*" not in paths:
        value = at_path(message, paths)
        return [str(value)[:LONGEST_VALUE]] if _is_value(value) else []
    found: dict[str, None] = {}
    for path in (paths,) if isinstance(paths, str) else paths:
        for item in _each_at(message, path):
            if _is_value(item):
                found[str(item)[:LONGEST_VALUE]] = None
            if len(found) == MOST_VALUES:
                return list(found)
    return list(found)


def _is_value(found: Any) -> bool:
    """Whether it can be a key; PostgreSQL takes no NUL in a text."""
    if isinstance(found, str):
        return found != "" and "\x00" not in found
    return isinstance(found, int | float)


def _each_at(message: Any, path: str) -> Iterator[Any]:
    """The values at a path whose steps `*` are each item of a list; of what is no list, none."""
    before, star, after = (part.strip(".") for part in f".{path}.".partition(".*."))
    found = at_path(message, before) if before else message
    if not star:
        yield found
    elif isinstance(found, list):
        for item in found:
            yield from _each_at(item, after)


def begin_running(instance: Instance, now: datetime | None = None) -> Claim:
    """Save a new instance as claimed by this process: its caller waits, no worker shall take it.

    `now`: the database's time, where the caller has just asked for it.
    """
    attempt = running(instance, now or db_now())
    insert_rows([instance])
    insert_rows([attempt])
    return Claim(instance.pk, 1)


def running(instance: Instance, now: datetime) -> Attempt:
    """A new instance's row made to say that this process has it; its first attempt, neither saved."""
    instance.status = Instance.Status.RUNNING
    instance.fence = instance.attempts_made = 1
    instance.holder = holder_name()
    instance.started_at = now
    instance.lease_until = now + timedelta(seconds=settings.HUB_LEASE_SECONDS)
    return Attempt(instance=instance, number=1, round=instance.round, holder=instance.holder, started_at=now)


def _validator_of(spec: FlowSpec) -> jsonschema.Draft202012Validator:
    """A flow's validator, made with its first message."""
    known = _validators.get(spec.identifier)
    if known is None or known.schema is not spec.schema:
        known = _validators[spec.identifier] = jsonschema.Draft202012Validator(spec.schema or {})
    return known


def validate_message(spec: FlowSpec, data: Any) -> None:
    """InvalidMessage with one detail for each place that does not fit the flow's schema."""
    if spec.schema is not None:
        _refuse_misfits(_validator_of(spec), data)


def validate(schema: Mapping[str, Any], data: Any) -> None:
    """As `validate_message`, for a part of a message."""
    _refuse_misfits(jsonschema.Draft202012Validator(schema), data)


def _refuse_misfits(validator: jsonschema.Draft202012Validator, data: Any) -> None:
    errors = sorted(validator.iter_errors(data), key=lambda error: list(map(str, error.absolute_path)))
    if errors:
        details = [
            {"title": error.message[:300], "o:errorPath": "/" + "/".join(map(str, error.absolute_path))}
            for error in errors[:20]
        ]
        first = details[0]
        raise InvalidMessage(f"{first['title']} (at {first['o:errorPath']})", details=details)
