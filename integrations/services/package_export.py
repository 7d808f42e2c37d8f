"""Export packages: a zip of JSON with flows' settings, connections without secrets, lookups and extensions."""

import hashlib
import io
import json
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from integrations.engine.clock import db_now
from integrations.engine.faults import InvalidMessage, UnknownFlow
from integrations.engine.registry import spec_for
from integrations.models import Connection, Flow, Mapping
from integrations.services.audit import audit
from integrations.services.package_connections import connection_exported
from integrations.services.package_extensions import extensions_exported
from integrations.services.package_flows import flow_exported
from integrations.services.package_format import (
    CONNECTIONS,
    EXTENSIONS,
    FLOWS,
    FORMAT,
    LOOKUPS,
    MANIFEST,
    VERSION,
    hub_version,
    slug,
)
from integrations.services.package_lookups import lookup_exported
from lookups.models import Lookup
from lookups.names import fold_name

_EPOCH = (1980, 1, 1, 0, 0, 0)  # so that the same content is the same file


@dataclass(slots=True)
class Content:
    """What goes into a package."""

    flows: "QuerySet[Flow]"
    connections: "QuerySet[Connection]"
    lookups: "QuerySet[Lookup]"
    mappings: "QuerySet[Mapping]"
    packages: list[str] = field(default_factory=list)


def package_names() -> list[str]:
    """The packages there are: those of flows, connections and lookups."""
    names: set[str] = set()
    for model in (Flow, Connection, Lookup):
        names |= set(model._default_manager.values_list("package", flat=True).distinct())
    return sorted(name for name in names if name)


def package_content(names: Collection[str]) -> Content:
    """What belongs to these packages (none: to all), and the connections and lookups their flows use."""
    unknown = sorted(set(names) - set(package_names()))
    if unknown:
        raise InvalidMessage(
            f"There is no package {', '.join(unknown)}", hint=f"There are {', '.join(package_names())}."
        )
    if not names:
        return Content(
            _flows().all(), Connection.objects.all(), Lookup.objects.all(), _extended(), package_names()
        )
    flows = _flows().filter(package__in=names)
    connections, folded = _used(flows)
    return Content(
        flows,
        Connection.objects.filter(Q(package__in=names) | Q(name__in=connections)),
        Lookup.objects.filter(Q(package__in=names) | Q(folded__in=folded)),
        _extended().filter(flow__package__in=names),
        sorted(names),
    )


def _flows() -> "QuerySet[Flow]":
    return Flow.objects.filter(present=True).select_related("clone_of")


def _extended() -> "QuerySet[Mapping]":
    return Mapping.objects.filter(extensions__isnull=False).distinct().select_related("flow")


def _used(flows: "QuerySet[Flow]") -> tuple[set[str], set[str]]:
    """Names of connections, and folded names of lookups, that these flows use."""
    connections: set[str] = set()
    lookups: set[str] = set()
    for identifier in flows.values_list("identifier", flat=True):
        try:
            spec = spec_for(identifier)
        except UnknownFlow:
            continue
        connections |= {*spec.connections, spec.trigger.source}
        lookups |= set(map(fold_name, spec.lookups))
    return connections, lookups


def package_export(
    *,
    names: Collection[str] = (),
    samples: bool = False,
    actor: str,
    address: str | None = None,
) -> bytes:
    """The zip of these packages, or of all; no secret is in it. `samples`: extensions' sample messages too.

    InvalidMessage names a package there is none of.
    """
    content = package_content(names)
    packed = packed_content(content, samples=samples)
    audit(
        actor=actor,
        action="package_export",
        subject=f"package:{', '.join(content.packages)}"[:200],
        detail={"packages": content.packages, "samples": samples, "bytes": len(packed)},
        address=address,
    )
    return packed


def content_files(content: Content, *, samples: bool) -> dict[str, dict[str, Any]]:
    """Digest and size of each file this content is packed as, by name: two that are equal hold the same."""
    return {name: _told(_bytes(item)) for name, item in _files(content, samples=samples)}


def _told(data: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def packed_content(content: Content, *, samples: bool) -> bytes:
    """The zip of this content."""
    files = {name: _bytes(item) for name, item in _files(content, samples=samples)}
    manifest = {
        "format": FORMAT,
        "formatVersion": VERSION,
        "busbar": hub_version(),
        "madeAt": db_now().isoformat(timespec="seconds"),
        "hub": settings.HUB_URL,
        "packages": content.packages,
        "files": {name: _told(data) for name, data in files.items()},
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {MANIFEST: _bytes(manifest), **files}.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _files(content: Content, *, samples: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    taken: set[str] = set()
    for flow in content.flows.order_by("identifier"):
        yield _name(FLOWS, flow.identifier, taken), flow_exported(flow)
    for connection in content.connections.select_related("agent_group").order_by("name"):
        yield _name(CONNECTIONS, connection.name, taken), connection_exported(connection)
    for lookup in content.lookups.order_by("name"):
        yield _name(LOOKUPS, lookup.name, taken), lookup_exported(lookup)
    for mapping in content.mappings.order_by("flow__identifier", "name"):
        name = _name(EXTENSIONS, f"{mapping.flow.identifier}--{mapping.name}", taken)
        yield name, extensions_exported(mapping, samples=samples)


def _name(kind: str, name: str, taken: set[str]) -> str:
    """A member's name, one that no other has."""
    base = made = f"{kind}/{slug(name)}"
    number = 1
    while made.lower() in taken:
        number += 1
        made = f"{base}-{number}"
    taken.add(made.lower())
    return f"{made}.json"


def _bytes(item: dict[str, Any]) -> bytes:
    return json.dumps(item, indent=1, ensure_ascii=False, sort_keys=True).encode()
