"""Read a target's catalog again: what it offers, what the flows need, what it lacks."""

from dataclasses import dataclass

from integrations.adapters import open_adapter
from integrations.adapters.contract import Caller
from integrations.adapters.errors import Misconfigured
from integrations.engine.connections import connection_endpoint
from integrations.engine.registry import specs
from integrations.models import Connection
from integrations.services.audit import audit


@dataclass(frozen=True, slots=True)
class Need:
    """One operation a flow calls on this connection. `call`: `METHOD path`, "" if the connection has none."""

    flow: str
    operation: str
    call: str
    offered: bool


@dataclass(frozen=True, slots=True)
class Catalog:
    """What was read: `offered` is `METHOD path` → operation id."""

    offered: dict[str, str]
    needs: list[Need]

    @property
    def lacking(self) -> list[Need]:
        """The operations flows need that the target does not offer."""
        return [need for need in self.needs if not need.offered]


def connection_refresh(*, connection: Connection, actor: str, address: str | None = None) -> Catalog:
    """Read the catalog at the connection's catalog URL, or its WSDL; AdapterError where it cannot be read."""
    with open_adapter(connection_endpoint(connection)) as adapter:
        if not isinstance(adapter, Caller):
            raise Misconfigured(f"A {connection.adapter} connection has no operations, so no catalog")
        if adapter.catalog_at_target and not connection.catalog_url:
            raise Misconfigured(
                f"Connection {connection.name!r} has no catalog URL",
                hint="Enter the address of the target's OpenAPI document and save.",
            )
        offered = adapter.catalog_operations()
        known = adapter.operations()
    catalog = Catalog(offered, [_need(flow, name, known, offered) for flow, name in _needed(connection.name)])
    audit(
        actor=actor,
        action="connection_refresh",
        subject=f"connection:{connection.pk}",
        detail={
            "name": connection.name,
            "offered": len(offered),
            "lacking": [need.operation for need in catalog.lacking],
        },
        address=address,
    )
    return catalog


def _needed(name: str) -> list[tuple[str, str]]:
    """(flow, operation) for each operation the flows' code calls on this connection."""
    return [(spec.identifier, operation) for spec in specs() for operation in spec.operations.get(name, ())]


def _need(flow: str, operation: str, known: dict[str, str], offered: dict[str, str]) -> Need:
    call = known.get(operation, "")
    return Need(
        flow, operation, call, offered=bool(call) and _shape(call) in {_shape(item) for item in offered}
    )


def _shape(call: str) -> str:
    """`METHOD path` with the names of path values taken out: {id} and {requestId} are the same place."""
    method, _, path = call.partition(" ")
    parts = ["{}" if part.startswith("{") else part for part in path.strip("/").split("/")]
    return f"{method.upper()} /{'/'.join(parts)}"
