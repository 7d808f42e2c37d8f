"""What a clone may use in place of what its code names, checked before it is saved."""

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.adapters import adapter_class
from integrations.adapters.errors import AdapterError
from integrations.engine.faults import InvalidMessage
from integrations.engine.spec import FlowSpec
from integrations.models import Connection, Flow
from lookups.models import Lookup
from lookups.names import fold_name

CONNECTIONS, LOOKUPS, FLOWS = "connections", "lookups", "flows"
KINDS = {CONNECTIONS: "connection", LOOKUPS: "lookup", FLOWS: "flow"}
Own = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Replaceable:
    """One name in a flow's code, and what may stand for it."""

    kind: str  # connections, lookups or flows
    name: str
    choices: list[str]


def replaceable(spec: FlowSpec) -> list[Replaceable]:
    """Every name a clone of this flow may replace; `spec` is the code's own, not a clone's."""
    connections = list(dict.fromkeys(filter(None, (*spec.connections, spec.trigger.source))))
    rows = {row.name: row for row in Connection.objects.defer("secrets", "settings")}
    found = [Replaceable(CONNECTIONS, name, _like(rows, name)) for name in connections]
    lists = list(Lookup.objects.values_list("name", "kind"))
    for name in dict.fromkeys(spec.lookups):
        kind = next((kind for other, kind in lists if fold_name(other) == fold_name(name)), "")
        found.append(Replaceable(LOOKUPS, name, [other for other, each in lists if each == kind]))
    for name in spec.calls:
        clones = Flow.objects.filter(clone_of__identifier=name).values_list("identifier", flat=True)
        found.append(Replaceable(FLOWS, name, list(clones)))
    return found


def _like(rows: Mapping[str, Connection], name: str) -> list[str]:
    """The connections that can stand for this one: those that hold files for one that does, callers for a caller."""
    wanted = _holds_files(rows[name]) if name in rows else None
    return sorted(other for other, row in rows.items() if wanted is None or _holds_files(row) == wanted)


def _holds_files(row: Connection) -> bool:
    try:
        return bool(getattr(adapter_class(row.adapter), "holds_files", False))
    except AdapterError:
        return False


def stands_checked(spec: FlowSpec, own: Own) -> dict[str, dict[str, str]]:
    """As `Flow.stands_for` keeps it: only what differs from the code. InvalidMessage where a name is none of the
    code's, where the own one cannot stand for it, or is replaced itself."""
    known = {(one.kind, one.name): one for one in replaceable(spec)}
    kept: dict[str, dict[str, str]] = {}
    for kind, names in own.items():
        for name, chosen in names.items():
            if chosen and chosen != name:
                kept.setdefault(kind, {})[name] = _checked(spec, known.get((kind, name)), kind, name, chosen)
    _no_chains(kept)
    return kept


def _checked(spec: FlowSpec, known: Replaceable | None, kind: str, name: str, chosen: str) -> str:
    if known is None:
        raise InvalidMessage(f"{spec.identifier} uses no {KINDS.get(kind, kind)} {name!r}")
    if chosen not in known.choices:
        raise InvalidMessage(
            f"{chosen!r} cannot stand for the {KINDS[kind]} {name!r}.",
            hint=f"Choose one of {', '.join(known.choices[:8]) or 'none: there is nothing that could'}.",
        )
    return chosen


def _no_chains(kept: Own) -> None:
    """A name must mean the same however often it is looked up, so nothing that stands for another is replaced."""
    for kind, names in kept.items():
        fold = fold_name if kind == LOOKUPS else str
        replaced = {fold(name) for name in names}
        for name, chosen in names.items():
            if fold(chosen) in replaced:
                raise InvalidMessage(
                    f"{chosen!r} stands for {name!r} and is replaced itself.",
                    hint=f"Make a {KINDS[kind]} of another name for it.",
                )
