"""OU CCB WAM Service Point Sync."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import NAME, TEXT, each, shape
from integrations.engine.spec import SYNCHRONOUS, Inbound, flow
from integrations.flows.ccb_wam.package import CCB, CCB_WAM, WAM

if TYPE_CHECKING:
    from integrations.engine.context import Run

CREATE = "W1-AssetLocation"
ADDRESS = shape({"address1": NAME, "city": TEXT}, {"postal": TEXT, "state": TEXT, "country": TEXT})
POINT = {"spId": NAME, "spType": NAME}
SYNC_REQUEST = {"type": "string", "minLength": 1, "maxLength": 14}


@flow(
    "OUTL-BA-CCB_WAM_SP_SYNC",
    name="OU CCB WAM Service Point Sync",
    package=CCB_WAM,
    pattern=SYNCHRONOUS,
    trigger=Inbound(resource="service-point-sync", source=CCB, accepts=True),
    connections=(WAM,),
    operations={WAM: (CREATE,)},
    mappings=("asset_location",),
    keys={
        "syncRequestId": "syncRequestId",
        "premiseId": "premiseId",
        "servicePointId": ("spId", "servicePoints.*.spId"),
    },
    message_id="syncRequestId",
    tables=("OUTL-BRT-CCB_WAM_LocationType", "OUTL-BRT-CCB_WAM_Status"),
    schema={
        **shape({"syncRequestId": SYNC_REQUEST, "premiseId": NAME, "address": ADDRESS}),
        "anyOf": [
            shape({"servicePoints": each(shape(POINT, {"status": TEXT}), least=1, most=500)}),
            shape(POINT, {"status": TEXT}),
        ],
    },
    source="seed 000, Service Point Synchronization",
)
def service_point_sync(run: "Run", message: Any) -> Any:
    """Make an asset location of each service point of a premise; CC&B waits for that, and WAM acknowledges later."""
    sync_request = message["syncRequestId"]
    points = message.get("servicePoints") or [message]
    bodies = {
        point["spId"]: run.map("asset_location", {"message": message, "point": point}) for point in points
    }
    run.sync_request_expected(
        sync_request, entity="Service point", external_id=message["premiseId"], parts=list(bodies)
    )
    for service_point, body in bodies.items():
        run.key("servicePointId", service_point)
        run.invoke(WAM, CREATE, body, key=f"asset location {service_point}")
    run.sync_request_all_sent(sync_request)
    return {"syncRequestId": sync_request, "servicePoints": list(bodies)}
