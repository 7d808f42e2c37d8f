"""OU OUAI DACS DERMS Common Error Handler."""

from typing import TYPE_CHECKING, Any

from integrations.engine.error_mail import tell_of_error
from integrations.engine.spec import LOCAL, Local, flow
from integrations.flows.ouai_dacs_derms.package import OUAI_DACS_DERMS

if TYPE_CHECKING:
    from integrations.engine.context import Run


@flow(
    OUAI_DACS_DERMS.error_handler,
    name="OU OUAI DACS DERMS Common Error Handler",
    package=OUAI_DACS_DERMS,
    pattern=LOCAL,
    trigger=Local(resource="receiveMessage"),
    keys={"failedInstance": "instanceId", "failedFlow": "flow"},
    properties=("notification.email.error.flag", "notification.type.email"),
    source="seed 003 chapter 2, Common Error Handler",
)
def error_handler(run: "Run", message: Any) -> Any:
    """Mail a technical error to the administrators, when both flags say so."""
    return tell_of_error(run, message)
