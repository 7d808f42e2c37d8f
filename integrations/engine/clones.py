"""Clones as a process knows them: a flow's code under another identifier, with connections and lookups of its own.

A name that is not known is asked for in the database at once, so a new clone is there in every process as soon as it is
committed; what is known is asked for again every half second, so a change is seen within one. Flows of the code cost
nothing: they are found before anybody looks here.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from hub.asked import Asked
from integrations.engine.spec import FlowSpec
from integrations.engine.stands import Stands
from integrations.models import Flow

CHECK_SECONDS = 0.5
_rows = Asked(lambda: Flow.objects.filter(clone_of__isnull=False).select_related("clone_of"))


class _Made(NamedTuple):
    """A clone's spec, and what it was made from."""

    of: tuple[Any, ...]
    spec: FlowSpec


class Clones:
    """All clones, by identifier in lower case."""

    def __init__(self, code: Callable[[str], FlowSpec | None]) -> None:
        """`code`: the flow of the code that has this identifier; None where it has none any more."""
        self._code = code
        self._lock = threading.Lock()
        self._made: dict[str, _Made] = {}
        self._asked_at = float("-inf")

    def named(self, identifier: str) -> FlowSpec | None:
        """The clone of this identifier, in any case; None where there is none."""
        name = identifier.lower()
        if name not in self._made or time.monotonic() - self._asked_at > CHECK_SECONDS:
            self._ask()
        made = self._made.get(name)
        return made.spec if made else None

    def all(self) -> list[FlowSpec]:
        """Every clone whose code there is, as the database has them now."""
        self._ask()
        return [made.spec for made in self._made.values()]

    def forget(self) -> None:
        """What this process has changed is asked for with the next question."""
        self._asked_at = float("-inf")

    def _ask(self) -> None:
        """Read all clones; a spec is made anew only where something about it changed."""
        rows = _rows()
        with self._lock:
            made = [self._of(row) for row in rows]
            self._made = {one.spec.identifier.lower(): one for one in made if one is not None}
            self._asked_at = time.monotonic()

    def _of(self, row: Flow) -> _Made | None:
        base = self._code(row.clone_of.identifier) if row.clone_of else None
        if base is None:
            return None
        known = self._made.get(row.identifier.lower())
        of = (row.identifier, row.name, row.stands_for, base)
        same = known is not None and known.of[:3] == of[:3] and known.of[3] is base
        return known if same else _Made(of, clone_spec(base, row))


def clone_spec(base: FlowSpec, row: Flow) -> FlowSpec:
    """The base's spec under the clone's identifier, with the clone's own connections, lookups and child flows."""
    stands = Stands.of(row.stands_for)
    package = base.package
    made = replace(
        base,
        identifier=row.identifier,
        name=row.name,
        aliases=(),
        package=replace(package, config=stands.lookup(package.config), emails=stands.lookup(package.emails)),
        trigger=replace(base.trigger, source=stands.connection(base.trigger.source)),
        connections=tuple(map(stands.connection, base.connections)),
        operations={stands.connection(name): needed for name, needed in base.operations.items()},
        calls=tuple(map(stands.flow, base.calls)),
        tables=tuple(map(stands.lookup, base.tables)),
        clone_of=base.identifier,
        stands=stands,
    )
    # Read and compiled once, with the base's: `cached_property` keeps its value here.
    made.__dict__["mappings"] = base.mappings
    return made
