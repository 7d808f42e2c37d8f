"""What a clone uses in place of what its code names: its own connections, lookups and child flows.

An own name is never one that is replaced itself (`flow_clone` refuses it), so a name may pass here twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar, cast

from lookups.names import fold_name

Names = Mapping[str, str]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Stands:
    """From the names in the code to the clone's own; empty for a flow that is no clone."""

    connections: Names = field(default_factory=dict)
    lookups: Names = field(
        default_factory=dict
    )  # the code's names folded, as code and mappings spell them freely
    flows: Names = field(default_factory=dict)

    @classmethod
    def of(cls, stands_for: Mapping[str, Any]) -> "Stands":
        """As `Flow.stands_for` holds it: {"connections": {code's: own}, "lookups": {…}, "flows": {…}}."""
        return cls(
            connections=dict(stands_for.get("connections") or {}),
            lookups={fold_name(name): own for name, own in (stands_for.get("lookups") or {}).items()},
            flows=dict(stands_for.get("flows") or {}),
        )

    def connection(self, name: str) -> str:
        """The connection to use for this name."""
        return self.connections.get(name, name)

    def lookup(self, name: str) -> str:
        """The lookup to use for this name, in any spelling."""
        return self.lookups.get(fold_name(name), name) if self.lookups else name

    def flow(self, identifier: str) -> str:
        """The flow to call for this identifier."""
        return self.flows.get(identifier, identifier)

    def asking(self, function: F) -> F:
        """A function whose first argument is a lookup's name, asked of the clone's own lookups."""
        if not self.lookups:
            return function

        @wraps(function)
        def asked(lookup: str, *values: Any, **named: Any) -> Any:
            return function(self.lookup(lookup), *values, **named)

        return cast("F", asked)


NOTHING = Stands()
