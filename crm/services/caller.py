"""Which client may call which operation."""

from rest_framework.exceptions import PermissionDenied

from crm.models import CrmCaller
from hub.asked import Asked
from integrations.models import Client
from integrations.services.audit import audit

_callers = Asked(lambda client: CrmCaller.objects.filter(client=client), int)


def expect_may_call(client: Client, operation: str) -> None:
    """PermissionDenied, and on record, where the client may not."""
    caller = _callers.first(client.pk)
    if caller is not None and (not caller.operations or operation in caller.operations):
        return
    audit(actor=client.client_id, action="call_refused", subject=f"crm:{operation}")
    raise PermissionDenied(
        f"Client {client.client_id} may not call {operation}. An administrator can add it under CRM callers."
    )


def caller_allow(*, client: Client, operations: list[str] | None = None, actor: str) -> CrmCaller:
    """Let the client call these operations, all of them where none is named."""
    row, _ = CrmCaller.objects.update_or_create(client=client, defaults={"operations": operations or []})
    audit(
        actor=actor,
        action="crm_caller_allowed",
        subject=f"client:{client.client_id}",
        detail={"operations": row.operations},
    )
    return row
