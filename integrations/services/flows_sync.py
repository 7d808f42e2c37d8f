"""Rows for the flows in the code, and the connections and schedules their packages ship with."""

import json
from typing import Any

from django.conf import settings
from django.db import transaction

from integrations.engine.registry import specs
from integrations.engine.spec import FlowSpec
from integrations.mapping import digest
from integrations.models import Connection, Flow, Mapping, Schedule

PACKAGES = "fixtures/packages"


def flows_sync() -> None:
    """Make what is missing, refresh what the code owns, mark what the code has no more.

    What people set (switch, tracing, schedules, connection settings) is never touched.
    """
    with transaction.atomic():
        present = [_flow_row(spec) for spec in specs()]
        gone = Flow.objects.exclude(pk__in=[flow.pk for flow in present]).filter(present=True)
        for flow in gone:
            flow.present = flow.active = False
            flow.save()
        for path in sorted((settings.BASE_DIR / PACKAGES).glob("*.json")):
            _load_package(json.loads(path.read_text()))


def _flow_row(spec: FlowSpec) -> Flow:
    owned = {
        "name": spec.name,
        "package": spec.package.name,
        "version": spec.version,
        "pattern": spec.pattern,
        "description": spec.description,
        "present": True,
    }
    flow = Flow.objects.filter(identifier=spec.identifier).first()
    if flow is None:
        flow = Flow.objects.create(identifier=spec.identifier, **owned)
    elif any(getattr(flow, name) != value for name, value in owned.items()):
        for name, value in owned.items():
            setattr(flow, name, value)
        flow.save()
    _mapping_rows(flow, spec)
    return flow


def _mapping_rows(flow: Flow, spec: FlowSpec) -> None:
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
