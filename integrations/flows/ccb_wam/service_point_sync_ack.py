"""OU WAM CCB Service Point Sync Ack."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import NAME, TEXT, each, one_of, shape
from integrations.engine.spec import ASYNCHRONOUS, Inbound, flow
from integrations.flows.ccb_wam.package import CCB, CCB_WAM, WAM

if TYPE_CHECKING:
    from integrations.engine.context import Run

SYNC_REQUEST = "F1-SyncRequest"
DUPLICATE = (400,)  # CC&B's answer to a second acknowledgement of one sync request


@flow(
    "OUTL-BA-WAM_CCB_SP_SYNC_ACK",
    name="OU WAM CCB Service Point Sync Ack",
    package=CCB_WAM,
    pattern=ASYNCHRONOUS,
    trigger=Inbound(resource="service-point-sync-ack", source=WAM),
    connections=(CCB,),
    operations={CCB: (SYNC_REQUEST,)},
    mappings=("sync_request_update",),
    keys={"syncRequestId": "syncRequestId", "servicePointId": "externalId"},
    properties=("ccb.error.ack.messagecategory", "ccb.error.ack.messagenumber"),
    schema=shape(
        {"syncRequestId": NAME, "externalId": NAME, "ackType": one_of("SUCCESS", "ERROR")},
        {"assetLocationId": TEXT, "errors": each(shape({"messageText": {"type": "string"}}))},
    ),
    source="seed 000, Service Point Synchronization",
)
def service_point_sync_ack(run: "Run", message: Any) -> Any:
    """Tell CC&B what became of a premise's service points, once WAM has answered for all of them."""
    sync_request = message["syncRequestId"]
    said = "; ".join(error["messageText"] for error in message.get("errors", []))
    parts = run.part_acknowledged(
        sync_request,
        message["externalId"],
        positive=message["ackType"] == "SUCCESS",
        text=said,
        external_key=message.get("assetLocationId", ""),
    )
    run.invoke(
        CCB,
        SYNC_REQUEST,
        run.map("sync_request_update", {"syncRequestId": sync_request, "parts": parts}),
        path_values={"syncRequestId": sync_request},
        duplicate=DUPLICATE,
    )
    run.acknowledgement_delivered(sync_request)
