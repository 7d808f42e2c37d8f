"""An instance's story as data: what it was, each line, attempt and step, and with which versions it ran."""

import platform
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db.models import QuerySet

from integrations.engine.faults import UnknownFlow
from integrations.engine.masking import Patterns, mask_value
from integrations.engine.registry import spec_for
from integrations.models import Activity, Connection, ErrorInstance, Flow, Instance, MappingExtension
from lookups.models import Lookup, Stamp
from lookups.names import fold_name

MOST_LINES = 5_000  # of each kind: the newest
_SECRET = re.compile(r"pass|secret|token|credential|private|api_?key", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+@")


def story_of(instance: Instance, patterns: Patterns) -> dict[str, Any]:
    """Everything but the payloads; what it ran with and what its steps gave is masked as payloads are."""
    return {
        "instance": _instance(instance, patterns),
        "keys": [{"name": key.name, "value": key.value} for key in instance.keys.all()[:MOST_LINES]],
        "error": _error(instance),
        "lines": [_line(row) for row in _newest(instance.activities.select_related("connection"))],
        "attempts": [_attempt(row) for row in _newest(instance.attempts.all())],
        "steps": [_step(row, patterns) for row in _newest(instance.steps.all())],
        "resubmissions": [_resubmission(row) for row in _newest(instance.resubmissions.all())],
        "children": [str(key) for key in instance.children.values_list("pk", flat=True)[:MOST_LINES]],
        "handed_on": [str(key) for key in instance.handed_on.values_list("pk", flat=True)[:MOST_LINES]],
    }


def _newest(rows: QuerySet[Any]) -> Iterable[Any]:
    return list(rows.order_by("-pk")[:MOST_LINES])[::-1]


def _at(value: Any) -> str | None:
    return value.isoformat() if value else None


def _instance(row: Instance, patterns: Patterns) -> dict[str, Any]:
    times = ("created_at", "started_at", "ended_at", "due_at", "purged_at")
    plain = ("status", "cause", "round", "attempts_made", "crashes", "retries", "message_id")
    faults = ("fault_class", "fault_code", "fault_text", "fault_step")
    return {
        "id": str(row.pk),
        "flow": row.flow.identifier,
        **{name: getattr(row, name) for name in (*plain, *faults)},
        **{name: _at(getattr(row, name)) for name in times},
        "client": row.client.client_id if row.client else None,
        "parent": str(row.parent_id or "") or None,
        "replay_of": str(row.replay_of_id or "") or None,
        "handed_on_by": str(row.handed_on_by_id or "") or None,
        "parameters": mask_value(row.parameters, patterns),
        "checkpoint": mask_value(row.checkpoint, patterns),
    }


def _error(instance: Instance) -> dict[str, Any] | None:
    row = ErrorInstance.objects.filter(instance=instance).select_related("family").first()
    if row is None:
        return None
    plain = (
        "state",
        "fault_class",
        "fault_code",
        "text",
        "detail",
        "step",
        "failures",
        "settled_by",
        "reason",
    )
    return {
        **{name: getattr(row, name) for name in plain},
        "family": row.family.message,
        "first_failed_at": _at(row.first_failed_at),
        "last_failed_at": _at(row.last_failed_at),
    }


def _line(row: Activity) -> dict[str, Any]:
    plain = (
        "attempt",
        "kind",
        "level",
        "text",
        "duration_ms",
        "operation",
        "status_code",
        "bytes_out",
        "bytes_in",
    )
    return {
        "at": _at(row.at),
        **{name: getattr(row, name) for name in plain},
        "connection": row.connection.name if row.connection else None,
        "payload_out": row.payload_out_id,
        "payload_in": row.payload_in_id,
    }


def _attempt(row: Any) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in ("number", "round", "holder", "outcome", "detail")}
    return plain | {"started_at": _at(row.started_at), "ended_at": _at(row.ended_at)}


def _step(row: Any, patterns: Patterns) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in ("key", "state", "attempt", "repeats")}
    times = {"started_at": _at(row.started_at), "ended_at": _at(row.ended_at)}
    return plain | times | {"result": mask_value(row.result, patterns)}


def _resubmission(row: Any) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in ("round", "from_start", "actor", "reason")}
    return plain | {"at": _at(row.created_at), "edited": row.message_after_id is not None}


def story_text(story: dict[str, Any]) -> str:
    """The same for reading: what it was, then line by line."""
    head = [f"{name}: {value}" for name, value in story["instance"].items() if value not in (None, "", {})]
    keys = [f"key {key['name']}: {key['value']}" for key in story["keys"]]
    lines = [_line_text(line) for line in story["lines"]]
    return "\n".join([*head, *keys, "", *lines, ""])


def _line_text(line: dict[str, Any]) -> str:
    called = " ".join(str(line[name]) for name in ("connection", "operation", "status_code") if line[name])
    took = f" {line['duration_ms']:.0f} ms" if line["duration_ms"] is not None else ""
    mark = "" if line["level"] == Activity.Level.INFO else f" {line['level'].upper()}"
    return f"{line['at']} [{line['attempt']}]{mark} {line['kind']}: {line['text']}{took} {called}".rstrip()


# -- versions ----------------------------------------------------------------------------------------------


def versions_of(instance: Instance) -> dict[str, Any]:
    """What it ran with: the hub, the flow, its mappings and extensions, connections without secrets, lookups."""
    flow = instance.flow
    return {
        "busbar": _busbar(),
        "python": platform.python_version(),
        "django": django.get_version(),
        "database": settings.DATABASES["default"]["ENGINE"].rpartition(".")[2],
        "flow": {
            "identifier": flow.identifier,
            "package": flow.package,
            "version_then": instance.flow_version,
            "version_now": flow.version,
            "tracing": flow.tracing,
        },
        "mappings": dict(flow.mappings.values_list("name", "digest")),
        "extensions": _extensions(flow),
        "connections": [_connection(row) for row in _connections(instance)],
        "lookups": _lookups(flow),
    }


def _busbar() -> str:
    about = Path(settings.BASE_DIR) / "pyproject.toml"
    try:
        return str(tomllib.loads(about.read_text())["project"]["version"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return "unknown"


def _extensions(flow: Flow) -> list[dict[str, Any]]:
    rows = MappingExtension.objects.filter(mapping__flow=flow)
    shown = rows.values("mapping__name", "pointer", "expression", "active", "position", "reason")
    return [dict(row) for row in shown]


def _connections(instance: Instance) -> QuerySet[Connection]:
    used = instance.activities.exclude(connection=None).values("connection")
    return Connection.objects.filter(pk__in=used) | Connection.objects.filter(
        name__in=_named(instance.flow)[0]
    )


def _named(flow: Flow) -> tuple[list[str], list[str]]:
    """Names of the connections and lookups that the flow's code uses; none where the code is gone."""
    try:
        spec = spec_for(flow.identifier)
    except UnknownFlow:
        return [], []
    return list(spec.connections), list(spec.lookups)


def _connection(row: Connection) -> dict[str, Any]:
    return {
        "name": row.name,
        "adapter": row.adapter,
        "settings": {name: _plain(name, value) for name, value in row.settings.items()},
        "connect_timeout": row.connect_timeout,
        "read_timeout": row.read_timeout,
        "retries": row.retries,
        "last_test_at": _at(row.last_test_at),
        "last_test_ok": row.last_test_ok,
    }


def _plain(name: str, value: Any) -> Any:
    """A setting as it may leave the house: a secret that stands in the wrong place does not go with it."""
    if _SECRET.search(name):
        return "•••"
    if isinstance(value, dict):
        return {key: _plain(str(key), item) for key, item in value.items()}
    return _IN_ADDRESS.sub("•••@", value) if isinstance(value, str) else value


def _lookups(flow: Flow) -> list[dict[str, Any]]:
    names = [fold_name(name) for name in _named(flow)[1]]
    rows = list(Lookup.objects.filter(folded__in=names))
    stamps = dict(
        Stamp.objects.filter(subject__in=[str(row.pk) for row in rows]).values_list("subject", "value")
    )
    return [
        {"name": row.name, "changed_at": _at(row.updated_at), "stamp": stamps.get(str(row.pk), "")}
        for row in rows
    ]
