"""OU DERMS CPMCS Event Device Reserve."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import MOMENT, NAME, TEXT, shape
from integrations.engine.spec import ASYNCHRONOUS, Inbound, flow
from integrations.flows.cpmcs_derms._segments import Work, send_in_segments
from integrations.flows.cpmcs_derms.package import CPMCS, CPMCS_DERMS, DERMS, HEALTH, RESERVE, ROUTING

if TYPE_CHECKING:
    from integrations.engine.context import Run

WORK = Work(
    operation=RESERVE,
    mapping="reserve_devices",
    columns=("nicId", "headEndSystemId", "reservationStartDateTime", "reservationEndDateTime"),
    acknowledge="deviceReservationAck",
    named_by="eventId",
    periods=(("eventStartDateTime", "eventEndDateTime"),),
)


@flow(
    "OUTL_BA_DRMS_DACS_EVT_DVCRESV",
    name="OU DERMS CPMCS Event Device Reserve",
    package=CPMCS_DERMS,
    pattern=ASYNCHRONOUS,
    trigger=Inbound(resource="reserveDevice", also=("device-reservation-ack",), source=DERMS, multipart=True),
    aliases=("OUTL-BA-DRMS_DACS_EVT_DVCRESV",),
    connections=(CPMCS, DERMS),
    operations={CPMCS: (HEALTH, RESERVE), DERMS: ("deviceReservationAck",)},
    mappings=("reserve_devices", "segments_ack"),
    keys={"eventId": "eventId", "messageId": "messageId", "drmsInstanceId": "drmsInstanceId"},
    message_id="messageId",
    tables=("OUTL-BRT-DACS_DRMS_EventType", ROUTING),
    recipients=("to.process.notification",),
    schema=shape(
        {"messageId": NAME, "eventId": NAME, "eventStartDateTime": MOMENT, "eventEndDateTime": MOMENT},
        {"drmsInstanceId": TEXT, "eventType": TEXT, "eventStatus": TEXT},
    ),
    source="seed 002, Event Device Reservation",
)
def device_reservation(run: "Run", message: Any) -> Any:
    """Reserve an event's devices at CPMCS, 1000 a call and several calls at once; DERMS is told whether all were."""
    return send_in_segments(run, message, WORK)
