"""OU CPMCS DERMS Customer Unavailability Update."""

from typing import TYPE_CHECKING, Any

from integrations.engine.intake import validate
from integrations.engine.shapes import MOMENT, NAME, TEXT, details, in_order, shape
from integrations.engine.spec import SYNCHRONOUS, Inbound, flow
from integrations.flows.cpmcs_derms._answers import expect_success
from integrations.flows.cpmcs_derms._routing import derms_for
from integrations.flows.cpmcs_derms.package import CPMCS, CPMCS_DERMS, DERMS, DONE, ROUTING

if TYPE_CHECKING:
    from integrations.engine.context import Run

START, END = "unavailabilityStartDateTime", "unavailabilityEndDateTime"
PERIOD = details({START: MOMENT, END: MOMENT})  # of a new record; what does not go on may lack it


@flow(
    "OUTL-BA-DACS_DERMS_EVT_CUST_UNAVAIL_UPD",
    name="OU CPMCS DERMS Customer Unavailability Update",
    package=CPMCS_DERMS,
    pattern=SYNCHRONOUS,
    trigger=Inbound(resource="X1-CUSTUNAVL", source=CPMCS),
    connections=(DERMS,),
    operations={DERMS: ("dacsOptOut",)},
    mappings=("unavailability",),
    keys={"communicationId": "sendDetails.communicationId", "nicId": "sendDetails.deviceInfo.nicId"},
    message_id="sendDetails.communicationId",
    tables=(ROUTING,),
    schema=details(
        {
            "communicationId": NAME,
            "action": NAME,
            "deviceInfo": shape({"nicId": NAME, "headEndSystem": NAME, "division": TEXT}),
        },
        {START: MOMENT, END: MOMENT},
    ),
    source="seed 002, Customer Unavailability Update",
)
def unavailability(run: "Run", message: Any) -> Any:
    """Tell DERMS when a customer's device is not to be had; only new records go on, only ackType SUCCESS is a yes."""
    sent = message["sendDetails"]
    answer = {"responseDetails": {"externalId": sent["communicationId"]}}
    if sent["action"] != "ADD":
        run.skip(f"the action is {sent['action']}, and only ADD goes on to DERMS", answer)
    validate(PERIOD, message)
    in_order(sent, [(START, END)], at="/sendDetails")
    derms = derms_for(run, division=sent["deviceInfo"]["division"])
    run.invoke(derms, "dacsOptOut", run.map("unavailability", message), expect=DONE, check=expect_success)
    return answer
