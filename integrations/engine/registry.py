"""Finding flows: every module below `flows` of every installed app is imported once; clones are in the database."""

import difflib
import importlib
import pkgutil
import threading
from importlib.util import find_spec

from django.apps import apps

from integrations.engine.clones import Clones
from integrations.engine.faults import UnknownFlow
from integrations.engine.spec import FlowSpec, registered

_lock = threading.RLock()
_found: dict[str, FlowSpec] = {}


def discover() -> None:
    """Import the `flows` package of every app; a module that cannot be imported stops the start, as it should."""
    for config in apps.get_app_configs():
        name = f"{config.name}.flows"
        if not config.name.startswith("django") and find_spec(name) is not None:
            package = importlib.import_module(name)
            for module in pkgutil.walk_packages(package.__path__, prefix=f"{name}."):
                importlib.import_module(module.name)


def _index() -> dict[str, FlowSpec]:
    with _lock:
        if not _found:
            discover()
            _found.update(_names(list(registered().values())))
        return _found


def _names(specs: list[FlowSpec]) -> dict[str, FlowSpec]:
    """Identifier and aliases, lower-cased, to their flow; an alias claimed twice or taken serves nobody."""
    own = {spec.identifier.lower(): spec for spec in specs}
    claims: dict[str, list[FlowSpec]] = {}
    for spec in specs:
        for alias in spec.aliases:
            claims.setdefault(alias.lower(), []).append(spec)
    clear = {alias: owners[0] for alias, owners in claims.items() if len(owners) == 1}
    return {**clear, **own}


def coded() -> list[FlowSpec]:
    """Every flow of the code, by package and identifier; no clones, and no database is asked."""
    unique = {spec.identifier: spec for spec in _index().values()}
    return sorted(unique.values(), key=_order)


def specs() -> list[FlowSpec]:
    """Every flow there is, clones too, by package and identifier."""
    return sorted([*coded(), *_clones.all()], key=_order)


def _order(spec: FlowSpec) -> tuple[str, str]:
    return (spec.package.name, spec.identifier)


def spec_at(identifier: str, resource: str) -> FlowSpec:
    """The flow that a call's address means: of two that are printed with one identifier, the one with this resource."""
    spec = spec_for(identifier)
    if resource in (spec.trigger.resource, *spec.trigger.also):
        return spec
    printed = identifier.lower()
    others = [
        one
        for one in coded()
        if printed in map(str.lower, one.aliases) and resource in (one.trigger.resource, *one.trigger.also)
    ]
    return others[0] if len(others) == 1 else spec


def spec_for(identifier: str) -> FlowSpec:
    """The flow or clone of this identifier, or the flow of this alias, in any case; UnknownFlow names the nearest."""
    index = _index()
    spec = index.get(identifier.lower()) or _clones.named(identifier)
    if spec is None:
        near = difflib.get_close_matches(identifier.lower(), index, n=1, cutoff=0.8)
        hint = f"Did you mean {index[near[0]].identifier}?" if near else ""
        raise UnknownFlow(f"There is no flow {identifier}", hint=hint)
    return spec


def code_names() -> frozenset[str]:
    """Identifiers and aliases of the code in lower case: what no clone may be called."""
    claimed = {alias.lower() for spec in coded() for alias in spec.aliases}
    return frozenset(_index()) | claimed


def clones_changed() -> None:
    """This process has made, changed or deleted a clone: it shall know at once."""
    _clones.forget()


_clones = Clones(lambda identifier: _index().get(identifier.lower()))
