"""Rows for the flows in the code, and the connections and schedules their packages ship with."""

import json
from typing import Any

from django.conf import settings
from django.db import transaction

from integrations.engine.registry import clones_changed, coded
from integrations.engine.spec import FlowSpec
from integrations.mapping import digest
from integrations.models import Connection, Flow, Mapping, Schedule

PACKAGES = "fixtures/packages"


def flows_sync() -> None:
    """Make what is missing, refresh what the code owns, mark what the code has no more.

    What people set (switch, tracing, schedules, connection settings) is never touched.
    """
    with transaction.atomic():
        present = [flow for spec in coded() for flow in _with_clones(_flow_row(spec), spec)]
        gone = Flow.objects.exclude(pk__in=[flow.pk for flow in present]).filter(present=True)
        for flow in gone:
            flow.present = flow.active = False
            flow.save()
        for path in sorted((settings.BASE_DIR / PACKAGES).glob("*.json")):
            _load_package(json.loads(path.read_text()))
    clones_changed()


def flow_fields(spec: FlowSpec) -> dict[str, Any]:
    """What the code says of a flow's row, and of its clones'; the name of a clone is its own."""
    return {
        "package": spec.package.name,
        "version": spec.version,
        "pattern": spec.pattern,
        "description": spec.description,
        "present": True,
    }


def _flow_row(spec: FlowSpec) -> Flow:
    owned = {"name": spec.name, **flow_fields(spec)}
    flow = Flow.objects.filter(identifier=spec.identifier).first()
    if flow is None:
        flow = Flow.objects.create(identifier=spec.identifier, **owned)
    else:
        _refresh(flow, owned)
    mapping_rows(flow, spec)
    return flow


def _with_clones(flow: Flow, spec: FlowSpec) -> list[Flow]:
    """The flow and its clones, which follow the code as it does."""
    clones = list(flow.clones.all())
    for clone in clones:
        _refresh(clone, flow_fields(spec))
        mapping_rows(clone, spec)
    return [flow, *clones]


def _refresh(flow: Flow, owned: dict[str, Any]) -> None:
    if any(getattr(flow, name) != value for name, value in owned.items()):
        for name, value in owned.items():
            setattr(flow, name, value)
        flow.save()


def mapping_rows(flow: Flow, spec: FlowSpec) -> None:
    """The base mappings as the flow's own rows, which extensions are attached to."""
    for name, expression in spec.mappings.items():
        Mapping.objects.update_or_create(
            flow=flow, name=name, defaults={"expression": expression, "digest": digest(expression)}
        )


def _load_package(content: dict[str, Any]) -> None:
    for row in content.get("connections", []):
        Connection.objects.get_or_create(name=row["name"], defaults=row)
    for row in content.get("schedules", []):
        flow = Flow.objects.filter(identifier=row["flow"]).first()
        if flow is not None:
            defaults = {key: value for key, value in row.items() if key not in ("flow", "name")}
            Schedule.objects.get_or_create(flow=flow, name=row["name"], defaults=defaults)
