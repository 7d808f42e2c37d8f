"""OU DERMS CPMCS Event Device Outcome Process."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import COUNT, NAME, TEXT, shape
from integrations.engine.spec import ASYNCHRONOUS, Inbound, flow
from integrations.flows.cpmcs_derms._segments import Work, send_in_segments
from integrations.flows.cpmcs_derms.package import CPMCS, CPMCS_DERMS, DERMS, HEALTH, OUTCOME, ROUTING

if TYPE_CHECKING:
    from integrations.engine.context import Run

WORK = Work(
    operation=OUTCOME,
    mapping="event_outcome",
    columns=(
        "eventId",
        "nicId",
        "headEndSystemId",
        "outcome",
        "errorMessage",
        "participationStartDateTime",
        "participationEndDateTime",
    ),
    acknowledge="deviceOutcomeAck",
    named_by="fileName",
    counted_by="recordCount",
)


@flow(
    "OUTL-BA-DRMS_DACS_EVT_OUTC_TRNFR",
    name="OU DERMS CPMCS Event Device Outcome Process",
    package=CPMCS_DERMS,
    pattern=ASYNCHRONOUS,
    trigger=Inbound(resource="eventOutcome", also=("device-outcome-to-dacs",), source=DERMS, multipart=True),
    connections=(CPMCS, DERMS),
    operations={CPMCS: (HEALTH, OUTCOME), DERMS: ("deviceOutcomeAck",)},
    mappings=("event_outcome", "segments_ack"),
    keys={"fileName": "fileName", "messageId": "messageId", "drmsInstanceId": "drmsInstanceId"},
    message_id="messageId",
    tables=("OUTL-BRT-DACS_DRMS_EventOutcome", ROUTING),
    recipients=("to.process.notification",),
    schema=shape({"messageId": NAME, "fileName": NAME}, {"drmsInstanceId": TEXT, "recordCount": COUNT}),
    source="seed 002, Event Device Outcome",
)
def device_outcome(run: "Run", message: Any) -> Any:
    """Post how each device took part in its event to CPMCS, 1000 a call; DERMS is told whether all were taken."""
    return send_in_segments(run, message, WORK)
