"""Cloning a flow: its code under another identifier, with settings, connections, lookups and extensions of its own."""

import re

from django.db import IntegrityError, models, transaction

from integrations.engine.faults import Conflict, InvalidMessage
from integrations.engine.registry import clones_changed, code_names, spec_for
from integrations.engine.spec import FlowSpec
from integrations.models import Flow, MappingExtension, Schedule
from integrations.services.audit import audit
from integrations.services.flow_stands import Own, stands_checked
from integrations.services.flows_sync import flow_fields, mapping_rows

FORM = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{2,99}")


def base_spec(flow: Flow) -> FlowSpec:
    """The code's own spec of a flow, or of what a clone was made of; UnknownFlow where the code has it no more."""
    return spec_for(flow.clone_of.identifier if flow.clone_of else flow.identifier)


def flow_clone(
    *,
    flow: Flow,
    identifier: str,
    name: str,
    own: Own,
    actor: str,
    address: str | None = None,
    with_extensions: bool = True,
    with_schedules: bool = True,
) -> Flow:
    """A new flow that runs this one's code; switched off, with no client allowed. A clone's clone has the same base.

    `own`: {"connections": {code's name: own name}, "lookups": {…}, "flows": {called flow: clone of it}}.
    Schedules are copied switched off. Raises InvalidMessage, Conflict where the identifier is taken.
    """
    base, spec = flow.clone_of or flow, base_spec(flow)
    stands_for = stands_checked(spec, own)
    clone = Flow(
        identifier=_free(identifier.strip()),
        name=name.strip() or f"{spec.name} ({identifier.strip()})"[:200],
        clone_of=base,
        stands_for=stands_for,
        retention_days=flow.retention_days,
        acknowledgement_hours=flow.acknowledgement_hours,
        **flow_fields(spec),
    )
    try:
        with transaction.atomic():
            clone.save()
            mapping_rows(clone, spec)
            copied = {
                "extensions": _copy_extensions(flow, clone) if with_extensions else 0,
                "schedules": _copy_schedules(flow, clone) if with_schedules else 0,
            }
            _say("flow_clone", clone, actor, address, of=flow.identifier, stands_for=stands_for, **copied)
    except IntegrityError:
        raise Conflict(f"There is a flow {identifier} already") from None
    clones_changed()
    return clone


def flow_clone_change(*, flow: Flow, name: str, own: Own, actor: str, address: str | None = None) -> None:
    """Other connections, lookups or child flows for a clone, or another name. InvalidMessage; it counts at once."""
    _expect_clone(flow)
    flow.stands_for = stands_checked(base_spec(flow), own)
    flow.name = name.strip()[:200] or flow.name
    with transaction.atomic():
        flow.save(update_fields=["stands_for", "name", "updated_at"])
        _say("flow_clone_change", flow, actor, address, stands_for=flow.stands_for)
    clones_changed()


def clone_delete_refusal(flow: Flow) -> str:
    """Why a clone cannot be deleted, as a sentence; "" where it can."""
    if flow.instances.exists():
        return "It has instances, which are kept: switch it off instead."
    taken = Flow.objects.filter(clone_of__isnull=False).exclude(pk=flow.pk)
    users = [row.identifier for row in taken if flow.identifier in row.stands_for.get("flows", {}).values()]
    return f"It is called by {', '.join(users)}: choose another flow there first." if users else ""


def flow_clone_delete(*, flow: Flow, actor: str, address: str | None = None) -> None:
    """Take a clone away with its schedules and extensions. Conflict where it has instances or is called."""
    _expect_clone(flow)
    with transaction.atomic():
        Flow.objects.select_for_update().get(pk=flow.pk)  # no instance begins meanwhile
        if refusal := clone_delete_refusal(flow):
            raise Conflict(f"{flow.identifier} is not deleted.", hint=refusal)
        _say("flow_clone_delete", flow, actor, address, of=str(flow.clone_of))
        flow.delete()
    clones_changed()


def _expect_clone(flow: Flow) -> None:
    if flow.clone_of_id is None:
        raise InvalidMessage(f"{flow.identifier} is no clone: what it is, its code says")


def _free(identifier: str) -> str:
    """The identifier, if it can stand in an address and is nobody's in any case of letters."""
    if not FORM.fullmatch(identifier):
        raise InvalidMessage(
            f"{identifier[:100]!r} is no identifier.",
            hint="3 to 100 letters, digits, - _ and . beginning with a letter, e.g. OUTL-BA-CCS_DACS_NORTH.",
        )
    taken = Flow.objects.filter(identifier__iexact=identifier).first()
    if taken is not None or identifier.lower() in code_names():
        owner = taken.identifier if taken else spec_for(identifier).identifier
        raise Conflict(f"{identifier} is taken by {owner}.", hint="Capitals make no difference.")
    return identifier


def _copy_extensions(flow: Flow, clone: Flow) -> int:
    own = {row.name: row for row in clone.mappings.all()}
    rows = MappingExtension.objects.filter(mapping__flow=flow, mapping__name__in=own)
    found = list(rows.select_related("mapping"))
    for row in found:
        row.mapping = own[row.mapping.name]
        _as_new(row)
    return len(found)


def _copy_schedules(flow: Flow, clone: Flow) -> int:
    """Switched off: two flows at the same hour at the same files is rarely what is wanted."""
    found = list(Schedule.objects.filter(flow=flow))
    for row in found:
        row.flow, row.enabled = clone, False
        row.next_due_at = row.last_due_at = None
        row.trouble = ""
        _as_new(row)
    return len(found)


def _as_new(row: models.Model) -> None:
    row.pk = None
    row._state.adding = True
    row.save()


def _say(action: str, flow: Flow, actor: str, address: str | None, **detail: object) -> None:
    audit(actor=actor, action=action, subject=f"flow:{flow.identifier}", detail=dict(detail), address=address)
