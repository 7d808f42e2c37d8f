"""OU CPMCS DERMS Customer Event Opt-Out Update."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import NAME, TEXT, details, one_of, shape
from integrations.engine.spec import SYNCHRONOUS, Inbound, flow
from integrations.flows.cpmcs_derms._answers import expect_success
from integrations.flows.cpmcs_derms._routing import derms_for
from integrations.flows.cpmcs_derms.package import CPMCS, CPMCS_DERMS, DERMS, DONE, ROUTING

if TYPE_CHECKING:
    from integrations.engine.context import Run


@flow(
    "OUTL-BA-DACS_DERMS_EVTOPTOUT_UPD",
    name="OU CPMCS DERMS Customer Event Opt-Out Update",
    package=CPMCS_DERMS,
    pattern=SYNCHRONOUS,
    trigger=Inbound(resource="X1-EPOPTOMSG", source=CPMCS),
    connections=(DERMS,),
    operations={DERMS: ("dacsOptOut",)},
    mappings=("opt_out",),
    keys={
        "communicationId": "sendDetails.communicationId",
        "eventId": "sendDetails.eventExternalIdentifier",
        "nicId": "sendDetails.deviceInfo.nicId",
    },
    message_id="sendDetails.communicationId",
    tables=(ROUTING,),
    schema=details(
        {
            "communicationId": NAME,
            "eventExternalIdentifier": NAME,
            "deviceInfo": shape({"nicId": NAME, "headEndSystem": NAME, "division": TEXT}),
        },
        {"preemptiveOptOut": one_of("D1YS", "D1NO"), "eventParticipationId": TEXT},
    ),
    source="seed 002, Customer Event Opt Out Update",
)
def opt_out(run: "Run", message: Any) -> Any:
    """Tell DERMS that a customer's device stays out of an event; only ackType SUCCESS is a yes."""
    sent = message["sendDetails"]
    derms = derms_for(run, division=sent["deviceInfo"]["division"])
    run.invoke(derms, "dacsOptOut", run.map("opt_out", message), expect=DONE, check=expect_success)
    return {"responseDetails": {"externalId": sent["communicationId"]}}
