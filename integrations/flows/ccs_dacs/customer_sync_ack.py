"""OU DACS CCS Customer Sync Ack."""

from typing import TYPE_CHECKING, Any

from integrations.engine.spec import SYNCHRONOUS, Inbound, flow
from integrations.flows.ccs_dacs.package import CCS_DACS

if TYPE_CHECKING:
    from integrations.engine.context import Run

CCS = "OU REST CCS for CCS-DACS"
SYNC_REQUEST = "F1-SyncRequest"
DONE = (200,)  # the seed takes 200 alone for success
DUPLICATE = (400,)  # CCS's answer to a second acknowledgement of one sync request


@flow(
    "OUTL-BA-DACS_CCS_CUST_SYNC_ACK",
    name="OU DACS CCS Customer Sync Ack",
    package=CCS_DACS,
    pattern=SYNCHRONOUS,
    trigger=Inbound(
        resource="sendCustomerSyncAck", also=("X1-SYNREQACK",), source="OU REST DACS for CCS-DACS"
    ),
    connections=("OU REST DACS for CCS-DACS", CCS),
    operations={CCS: (SYNC_REQUEST,)},
    mappings=("sync_request_ack",),
    keys={
        "syncRequestId": "sendDetails.syncRequestId",
        "externalReferenceId": "sendDetails.externalReferenceId",
    },
    message_id="sendDetails.syncRequestId",
    properties=("ccs.error.ack.messagecategory", "ccs.error.ack.messagenumber"),
    schema={
        "type": "object",
        "required": ["sendDetails"],
        "properties": {
            "sendDetails": {
                "type": "object",
                "required": ["syncRequestId", "ackStatus"],
                "properties": {
                    "syncRequestId": {"type": "string", "minLength": 1, "maxLength": 120},
                    "externalReferenceId": {"type": "string", "maxLength": 120},
                    "ackStatus": {"enum": ["ACCEPTED", "REJECTED"]},
                    "errors": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["messageText"],
                            "properties": {"messageText": {"type": "string"}},
                        },
                    },
                },
            }
        },
    },
    source="seed 001 chapter 2, Customer Sync Acknowledgment",
)
def customer_sync_ack(run: "Run", message: Any) -> Any:
    """Tell CCS whether DACS took a synchronised record; a fault goes back to DACS, which sends it again."""
    details = message["sendDetails"]
    sync_request = details["syncRequestId"]
    said = "; ".join(error["messageText"] for error in details.get("errors", []))
    run.acknowledgement_received(sync_request, positive=details["ackStatus"] == "ACCEPTED", text=said)
    run.invoke(
        CCS,
        SYNC_REQUEST,
        run.map("sync_request_ack", message),
        path_values={"syncRequestId": sync_request},
        expect=DONE,
        duplicate=DUPLICATE,
    )
    run.acknowledgement_delivered(sync_request)
    return {"syncRequestId": sync_request, "status": "SUCCESS"}
