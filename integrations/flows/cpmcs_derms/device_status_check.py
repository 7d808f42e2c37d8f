"""OU CPMCS DERMS Device Status Check."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import NAME, TEXT, details, shape
from integrations.engine.spec import SYNCHRONOUS, Inbound, flow
from integrations.flows.cpmcs_derms._routing import derms_for
from integrations.flows.cpmcs_derms.package import CPMCS, CPMCS_DERMS, DERMS, DONE, ROUTING

if TYPE_CHECKING:
    from integrations.engine.context import Run


@flow(
    "OUTL-BA-DACS_DRMS_DEVICE_STATUS",
    name="OU CPMCS DERMS Device Status Check",
    package=CPMCS_DERMS,
    pattern=SYNCHRONOUS,
    trigger=Inbound(resource="X1-CTRLDVCS", source=CPMCS),
    connections=(DERMS,),
    operations={DERMS: ("statusCheck",)},
    mappings=("status_check",),
    keys={"communicationId": "sendDetails.communicationId", "nicId": "sendDetails.deviceInfo.nicId"},
    message_id="sendDetails.communicationId",
    tables=(ROUTING,),
    schema=details(
        {
            "communicationId": NAME,
            "deviceInfo": shape(
                {"division": TEXT, "nicId": NAME, "headEndSystem": NAME},
                {"deviceType": TEXT, "specification": TEXT},
            ),
        }
    ),
    source="seed 002, Device Status Check",
)
def device_status_check(run: "Run", message: Any) -> Any:
    """Ask DERMS for a device's communication status; DERMS answers that later, by the acknowledgement flow."""
    sent = message["sendDetails"]
    derms = derms_for(run, division=sent["deviceInfo"]["division"])
    run.invoke(derms, "statusCheck", run.map("status_check", message), expect=DONE)
    return {"responseDetails": {"externalId": sent["communicationId"]}}
