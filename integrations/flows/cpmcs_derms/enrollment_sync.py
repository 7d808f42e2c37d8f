"""OU CPMCS DERMS Enrollment Sync."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import MOMENT, NAME, TEXT, details, each, in_order, shape
from integrations.engine.spec import SYNCHRONOUS, Inbound, flow
from integrations.flows.cpmcs_derms._routing import derms_for
from integrations.flows.cpmcs_derms.package import CPMCS, CPMCS_DERMS, DERMS, DONE, ROUTING

if TYPE_CHECKING:
    from integrations.engine.context import Run

DEVICE = shape(
    {"deviceId": NAME, "deviceType": NAME},
    {"specification": TEXT, "nicId": TEXT, "headEndSystem": TEXT, "status": TEXT, "replacesDeviceId": TEXT},
)


@flow(
    "OUTL-BA-DACS_DRMS_ENROLL_SYNC",
    name="OU CPMCS DERMS Enrollment Sync",
    package=CPMCS_DERMS,
    pattern=SYNCHRONOUS,
    trigger=Inbound(resource="X1-NMSDASMSG", source=CPMCS),
    connections=(DERMS,),
    operations={DERMS: ("enroll",)},
    mappings=("enroll_sync",),
    keys={
        "syncRequestId": "sendDetails.syncRequestId",
        "accountId": "sendDetails.subscriptionInfo.cisAccountId",
        "servicePointId": "sendDetails.locationInfo.cisServicePointId",
        "deviceId": "sendDetails.locationInfo.controllableDevices.*.deviceId",
        "nicId": "sendDetails.locationInfo.controllableDevices.*.nicId",
    },
    message_id="sendDetails.syncRequestId",
    tables=(ROUTING,),
    schema=details(
        {
            "syncRequestId": NAME,
            "locationInfo": shape({"division": TEXT, "controllableDevices": each(DEVICE, least=1)}),
        },
        {
            "action": TEXT,
            "contactInfo": {"type": "object"},
            "subscriptionInfo": shape({}, {"startDateTime": MOMENT, "endDateTime": MOMENT}),
        },
    ),
    source="seed 002, Enrollment Sync",
)
def enrollment_sync(run: "Run", message: Any) -> Any:
    """Tell DERMS of an enrolment, unenrolment, added or replaced device, or DER registration; CPMCS gets its sync
    request id back, and DERMS acknowledges later."""
    sent = message["sendDetails"]
    in_order(
        sent.get("subscriptionInfo", {}),
        [("startDateTime", "endDateTime")],
        at="/sendDetails/subscriptionInfo",
    )
    derms = derms_for(run, division=sent["locationInfo"]["division"])
    run.invoke(derms, "enroll", run.map("enroll_sync", message), expect=DONE)
    run.sync_request_sent(
        sent["syncRequestId"],
        entity="Enrolment",
        external_id=sent["locationInfo"].get("cisServicePointId", ""),
    )
    return {"externalId": sent["syncRequestId"]}
