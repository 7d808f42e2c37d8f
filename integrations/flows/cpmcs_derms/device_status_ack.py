"""OU DERMS CPMCS Device Status Ack."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import NAME, one_of, shape
from integrations.engine.spec import SYNCHRONOUS, Inbound, flow
from integrations.flows.cpmcs_derms._answers import FAILURE, SUCCESS, answering_failure
from integrations.flows.cpmcs_derms.package import CPMCS, CPMCS_DERMS, DERMS, DEVICE_STATUS

if TYPE_CHECKING:
    from integrations.engine.context import Run


@flow(
    "OUTL-BA-DRMS_DACS_DEV_STAT_ACK",
    name="OU DERMS CPMCS Device Status Ack",
    package=CPMCS_DERMS,
    pattern=SYNCHRONOUS,
    aliases=("OUTL-BA-DACS_DRMS_DEVICE_STATUS",),  # as the seed prints it, which is the check's own
    trigger=Inbound(resource="status-check-ack-to-dacs", source=DERMS),
    connections=(CPMCS,),
    operations={CPMCS: (DEVICE_STATUS,)},
    mappings=("status_result", "message_ack"),
    keys={"communicationId": "dacsMessageId"},
    message_id="dacsMessageId",
    schema=shape({"dacsMessageId": NAME, "responseCode": one_of(SUCCESS, FAILURE)}),
    source="seed 002, Device Status Check Acknowledgment",
)
def device_status_ack(run: "Run", message: Any) -> Any:
    """Tell CPMCS what a device answered; DERMS gets CPMCS's boStatus back, or a FAILURE that says why not."""
    asked = message["dacsMessageId"]
    with answering_failure(run, "message_ack", {"id": asked, "dacsMessageId": asked}):
        answer = run.invoke(CPMCS, DEVICE_STATUS, run.map("status_result", message), expect=(200,))
        data = answer.data if isinstance(answer.data, dict) else {}
        told = {
            "id": asked,
            "value": data.get("boStatus"),
            "responseCode": data.get("boStatus"),
            "dacsMessageId": data.get("communicationId", asked),
            "ackType": SUCCESS,
        }
        return run.map("message_ack", told)
