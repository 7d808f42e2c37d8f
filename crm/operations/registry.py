"""The operations by name and by service, in any casing (contract, "CRM")."""

from crm.operations.base import Operation
from crm.operations.changed_trouble_tickets import ChangedTroubleTickets
from crm.operations.created_callbacks_results import CreatedCallBacksResults
from crm.operations.created_trouble_tickets import CreatedTroubleTickets
from crm.operations.get_callbacks import GetCallbacks
from crm.operations.get_trouble_tickets import GetTroubleTickets

OPERATIONS: tuple[Operation, ...] = (
    CreatedTroubleTickets(),
    ChangedTroubleTickets(),
    GetTroubleTickets(),
    GetCallbacks(),
    CreatedCallBacksResults(),
)
SERVICES: tuple[str, ...] = tuple(dict.fromkeys(operation.service for operation in OPERATIONS))
_by_name = {operation.name.casefold(): operation for operation in OPERATIONS}
_services = {name.casefold(): name for name in SERVICES}


def operation_named(name: str) -> Operation | None:
    """The operation; None if there is none of this name."""
    return _by_name.get(name.casefold())


def service_named(name: str) -> str | None:
    """The service that an address means, with or without `Service` at its end; None if there is none."""
    folded = name.casefold()
    return _services.get(folded) or _services.get(folded.removesuffix("service"))


def operations_of(service: str) -> list[Operation]:
    """A service's operations."""
    return [operation for operation in OPERATIONS if operation.service == service]
