"""OU CCB WAM Common Error Handler: what the other packages have, and the seed leaves unsaid."""

from typing import TYPE_CHECKING, Any

from integrations.engine.error_mail import tell_of_error
from integrations.engine.spec import LOCAL, Local, flow
from integrations.flows.ccb_wam.package import CCB_WAM

if TYPE_CHECKING:
    from integrations.engine.context import Run


@flow(
    CCB_WAM.error_handler,
    name="OU CCB WAM Common Error Handler",
    package=CCB_WAM,
    pattern=LOCAL,
    trigger=Local(resource="receiveMessage"),
    keys={"failedInstance": "instanceId", "failedFlow": "flow"},
    properties=("notification.email.error.flag", "notification.type.email"),
    source="seed 000",
)
def error_handler(run: "Run", message: Any) -> Any:
    """Mail a technical error to the administrators, when both flags say so."""
    return tell_of_error(run, message)
