"""OU DERMS CPMCS Enroll and Device Headend Status Ack."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import NAME, TEXT, each, one_of, shape
from integrations.engine.spec import ASYNCHRONOUS, Inbound, flow
from integrations.flows.cpmcs_derms._answers import ERROR, FAILURE, SUCCESS
from integrations.flows.cpmcs_derms.package import CPMCS, CPMCS_DERMS, DERMS, ENROLMENT_ACK

if TYPE_CHECKING:
    from integrations.engine.context import Run


@flow(
    "OUTL-BA-DERMS_DACS_EN_DVSTAT_ACK",
    name="OU DERMS CPMCS Enroll and Device Headend Status Ack",
    package=CPMCS_DERMS,
    pattern=ASYNCHRONOUS,
    trigger=Inbound(resource="enroll-ack-all-to-dacs", source=DERMS),
    connections=(CPMCS,),
    operations={CPMCS: (ENROLMENT_ACK,)},
    mappings=("enroll_ack",),
    keys={
        "syncRequestId": "dacsMessageId",
        "drmsInstanceId": "drmsInstanceId",
        "deviceId": "devices.*.deviceId",
    },
    message_id="dacsMessageId",
    tables=("OUTL-BRT-DACS_DRMS_DeviceHeadendStatus",),
    properties=("dacs.error.ack.messagecategory", "dacs.error.ack.messagenumber"),
    schema=shape(
        {"dacsMessageId": NAME, "ackType": one_of(SUCCESS, ERROR, FAILURE)},
        {
            "responseCode": TEXT,
            "message": {"type": ["string", "null"]},
            "devices": each(shape({"deviceId": NAME, "headEndStatus": NAME})),
            "drmsInstanceId": TEXT,
        },
    ),
    source="seed 002, Enroll and Device Headend Status Acknowledgment",
)
def enrollment_ack(run: "Run", message: Any) -> Any:
    """Tell CPMCS whether DERMS took an enrolment, and how each device is registered at its head end."""
    sync_request = message["dacsMessageId"]
    run.acknowledgement_received(
        sync_request, positive=message["ackType"] == SUCCESS, text=message.get("message") or ""
    )
    run.invoke(CPMCS, ENROLMENT_ACK, run.map("enroll_ack", message))
    run.acknowledgement_delivered(sync_request)
