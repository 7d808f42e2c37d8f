"""The things a flow is made of, as rows with pages: connections, lookups, mappings, other flows."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import Model
from django.urls import reverse

from integrations.adapters import adapter_class
from integrations.adapters.errors import AdapterError
from integrations.engine.registry import specs
from integrations.engine.spec import FILE, FlowSpec
from integrations.models import Connection, Flow, Mapping, MappingExtension
from lookups.models import Lookup
from lookups.names import fold_name

MOST_CALLERS = 4


@dataclass(frozen=True, slots=True)
class Side:
    """A thing beside a step. `url`: "" where it has no row; `state`: what is wrong with it, in a word."""

    kind: str
    name: str
    url: str = ""
    state: str = ""


def page_of(row: Model) -> str:
    """The address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


class Parts:
    """What one flow names, looked up in the database."""

    def __init__(self, spec: FlowSpec, flow: Flow) -> None:
        """`flow`: its row."""
        self._specs = specs()
        names = [*spec.connections, spec.trigger.source]
        self.connections = {
            row.name: row for row in Connection.objects.filter(name__in=names).defer("secrets")
        }
        folded = [fold_name(name) for name in spec.lookups]
        self._lookups = {row.folded: row for row in Lookup.objects.filter(folded__in=folded)}
        wanted = [*spec.calls, spec.package.error_handler, *(one.identifier for one in self._calling(spec))]
        self._flows = {row.identifier: row for row in Flow.objects.filter(identifier__in=wanted)}
        self.mappings: dict[str, Mapping] = {row.name: row for row in flow.mappings.all()}
        extended = MappingExtension.objects.filter(mapping__flow=flow, active=True)
        self._extended = set(extended.values_list("mapping__name", flat=True))

    def connection(self, name: str, kind: str = "connection") -> Side:
        """The connection of this name."""
        row = self.connections.get(name)
        if row is None:
            return Side(kind, name, state="missing")
        return Side(kind, name, page_of(row), "test failed" if row.last_test_ok is False else "")

    def lookup(self, name: str) -> Side:
        """The lookup of this name."""
        row = self.lookup_row(name)
        return Side("lookup", name, page_of(row)) if row else Side("lookup", name, state="missing")

    def lookup_row(self, name: str) -> Lookup | None:
        """Its row, in any spelling; aliases have none of their own."""
        return self._lookups.get(fold_name(name))

    def lookups(self, names: Iterable[str]) -> list[Side]:
        """The lookups of these names."""
        return [self.lookup(name) for name in names]

    def lookups_in(self, spec: FlowSpec, mapping: str) -> list[Side]:
        """The lookups that a mapping's text names; a clone's own stand for those."""
        text = fold_name(spec.mappings.get(mapping, ""))
        code = {own: folded for folded, own in spec.stands.lookups.items()}
        names = dict.fromkeys(spec.lookups)
        return self.lookups(name for name in names if f'"{code.get(name, fold_name(name))}"' in text)

    def flows(self, identifiers: Iterable[str]) -> list[Side]:
        """Other flows."""
        return [self._flow(name) for name in identifiers]

    def callers(self, spec: FlowSpec) -> list[Side]:
        """The flows that call this one, or hand on to it; the first few."""
        calling = self._calling(spec)
        found = [replace(self._flow(one.identifier), state="") for one in calling[:MOST_CALLERS]]
        if len(calling) > MOST_CALLERS:
            found.append(Side("flow", f"and {len(calling) - MOST_CALLERS} more of {spec.package.name}"))
        return found

    def pattern(self, identifier: str) -> str:
        """Another flow's pattern; "" where there is no such flow."""
        row = self._flows.get(identifier)
        return row.pattern if row else ""

    def mapping_url(self, name: str) -> str:
        """The page of the flow's mapping; "" where it has no row yet."""
        row = self.mappings.get(name)
        return page_of(row) if row else ""

    def extensions(self, name: str) -> bool:
        """Whether the site has extended this mapping."""
        return name in self._extended

    def file_source(self, spec: FlowSpec) -> str:
        """The connection that a file flow takes its files from: its first, if that holds files."""
        first = spec.connections[0] if spec.pattern == FILE and spec.connections else ""
        return first if first and self._holds_files(first) else ""

    def plain_targets(self, spec: FlowSpec) -> list[str]:
        """Connections that are neither called by an operation nor the source of files or of the call."""
        known = {*spec.operations, self.file_source(spec), spec.trigger.source}
        return [name for name in spec.connections if name not in known]

    def _holds_files(self, name: str) -> bool:
        row = self.connections.get(name)
        try:
            return row is None or bool(getattr(adapter_class(row.adapter), "holds_files", False))
        except AdapterError:
            return False

    def _flow(self, identifier: str) -> Side:
        row = self._flows.get(identifier)
        if row is None:
            return Side("flow", identifier, state="missing")
        return Side("flow", identifier, page_of(row), "" if row.active else "inactive")

    def _calling(self, spec: FlowSpec) -> list[FlowSpec]:
        """Flows whose code names this one as called, or as their error handler."""
        name = spec.identifier
        return [
            one
            for one in self._specs
            if one.identifier != name and (name in one.calls or name == one.package.error_handler)
        ]
