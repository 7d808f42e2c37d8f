"""Switching flows on and off; a flow goes on only when what it needs is there."""

from datetime import timedelta

from django.utils import timezone

from integrations.adapters import adapter_class
from integrations.adapters.contract import Caller
from integrations.adapters.errors import AdapterError
from integrations.crypto import SecretUnreadable
from integrations.engine.connections import connection_endpoint
from integrations.engine.faults import InvalidMessage
from integrations.engine.registry import spec_for
from integrations.engine.spec import FlowSpec
from integrations.models import Connection, Flow
from integrations.services.audit import audit
from lookups.errors import LookupFault
from lookups.properties import Properties


class FlowNotReady(Exception):
    """What keeps a flow from being switched on: `problems`, a sentence each."""

    def __init__(self, identifier: str, problems: list[str]) -> None:
        """The text lists them all."""
        super().__init__(f"{identifier} cannot be activated: " + "; ".join(problems))
        self.problems = problems


def flow_problems(flow: Flow) -> list[str]:
    """What is missing before this flow could run: connections, their settings and operations, properties, addresses.

    Not the flows it calls: the seed has two children so that only one of them needs to be set up.
    """
    if not flow.present:
        return ["the installed code does not have it any more"]
    spec = spec_for(flow.identifier)
    found = [problem for name in spec.connections for problem in _connection_problems(spec, name)]
    found += _property_problems(spec)
    return found


def flow_activate(*, flow: Flow, actor: str) -> None:
    """Switch a flow on; FlowNotReady lists everything that is missing."""
    problems = flow_problems(flow)
    if problems:
        raise FlowNotReady(flow.identifier, problems)
    # What was due while it was off is not made up for: each schedule looks ahead from now.
    flow.schedules.update(next_due_at=None)
    _switch(flow, actor, on=True)


def flow_deactivate(*, flow: Flow, actor: str) -> None:
    """Switch a flow off: it takes nothing new; what it took before goes on to its end."""
    _switch(flow, actor, on=False)


def flow_trace(*, flow: Flow, level: str, actor: str, minutes: int | None = None) -> None:
    """Set the tracing level; debug needs `minutes` after which it goes back by itself (60 if none is given)."""
    if level not in Flow.Tracing.values:
        raise InvalidMessage(f"{level!r} is no tracing level; there are {', '.join(Flow.Tracing.values)}")
    if minutes is not None and minutes <= 0:
        raise InvalidMessage("The minutes of a tracing level are more than none")
    if level == Flow.Tracing.DEBUG:
        minutes = minutes or 60
    flow.tracing = level
    flow.tracing_until = timezone.now() + timedelta(minutes=minutes) if minutes else None
    flow.save(update_fields=["tracing", "tracing_until", "updated_at"])
    audit(
        actor=actor,
        action="trace",
        subject=f"flow:{flow.identifier}",
        detail={"level": level, "minutes": minutes},
    )


def _switch(flow: Flow, actor: str, *, on: bool) -> None:
    flow.active = on
    flow.save(update_fields=["active", "updated_at"])
    audit(actor=actor, action="activate" if on else "deactivate", subject=f"flow:{flow.identifier}")


def _connection_problems(spec: FlowSpec, name: str) -> list[str]:
    row = Connection.objects.filter(name=name).defer("secrets").first()
    if row is None:
        return [f"there is no connection {name!r}"]
    if row.role == Connection.Role.TRIGGER:
        return []
    try:
        endpoint = connection_endpoint(row)
        kind = adapter_class(row.adapter)
        found = [f"connection {name!r}: {problem}" for problem in kind.problems(endpoint)]
        return found or _operation_problems(spec, name, kind(endpoint))
    except (AdapterError, SecretUnreadable) as error:
        return [f"connection {name!r}: {error}"]


def _operation_problems(spec: FlowSpec, name: str, adapter: object) -> list[str]:
    known = adapter.operations() if isinstance(adapter, Caller) else {}
    needed = spec.operations.get(name, ())
    return [f"connection {name!r} has no operation {one}" for one in needed if one not in known]


def _property_problems(spec: FlowSpec) -> list[str]:
    found: list[str] = []
    for name in spec.properties:
        try:
            Properties(spec.package.config).text(name)
        except LookupFault as fault:
            found.append(str(fault))
    for name in ("from", "to", *spec.recipients):
        try:
            Properties(spec.package.emails).addresses(name)
        except LookupFault as fault:
            found.append(str(fault))
    return found
