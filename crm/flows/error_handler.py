"""OU CRM Common Error Handler: what the other packages have, for the flows of the call centre's interface."""

from typing import TYPE_CHECKING, Any

from crm.flows.package import GRIDOPS_CRM
from integrations.engine.error_mail import tell_of_error
from integrations.engine.spec import LOCAL, Local, flow

if TYPE_CHECKING:
    from integrations.engine.context import Run


@flow(
    GRIDOPS_CRM.error_handler,
    name="OU CRM Common Error Handler",
    package=GRIDOPS_CRM,
    pattern=LOCAL,
    trigger=Local(resource="receiveMessage"),
    keys={"failedInstance": "instanceId", "failedFlow": "flow"},
    properties=("notification.email.error.flag", "notification.type.email"),
    source="seed 004",
)
def error_handler(run: "Run", message: Any) -> Any:
    """Mail a technical error to the administrators, when both flags say so."""
    return tell_of_error(run, message)
