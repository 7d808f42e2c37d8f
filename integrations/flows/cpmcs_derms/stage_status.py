"""OU DERMS CPMCS ProgramEvent Status Update."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import MOMENT, NAME, TEXT, in_order, shape
from integrations.engine.spec import SYNCHRONOUS, Inbound, flow
from integrations.flows.cpmcs_derms._answers import SUCCESS, answering_failure
from integrations.flows.cpmcs_derms.package import ACTION_EVENT, CPMCS, CPMCS_DERMS, CREATE_EVENT, DERMS

if TYPE_CHECKING:
    from integrations.engine.context import Run

SCHEDULED = "scheduled"
TOO_LATE = (409,)  # CPMCS's answer to a second creation of one stage


@flow(
    "OUTL-BA-DRMS_DACS_STAGE_STAT_UPD",
    name="OU DERMS CPMCS ProgramEvent Status Update",
    package=CPMCS_DERMS,
    pattern=SYNCHRONOUS,
    trigger=Inbound(resource="stage-status-to-dacs", source=DERMS),
    connections=(CPMCS,),
    operations={CPMCS: (CREATE_EVENT, ACTION_EVENT)},
    mappings=("event_create", "event_action", "message_ack"),
    keys={"eventId": "eventId", "stageId": "stageId", "stageStatus": "stageStatus", "messageId": "messageId"},
    message_id="messageId",
    tables=("OUTL-BRT-DACS_DRMS_EventType", "OUTL-BRT-DACS_DRMS_StageStatus"),
    schema=shape(
        {"messageId": NAME, "eventId": NAME, "stageId": NAME, "stageStatus": NAME},
        {
            "drmsInstanceId": TEXT,
            "eventType": TEXT,
            "programId": TEXT,
            "stageStartDateTime": MOMENT,
            "stageEndDateTime": MOMENT,
            "cancelReason": TEXT,
        },
    ),
    source="seed 002, Program Event Status Update",
)
def stage_status(run: "Run", message: Any) -> Any:
    """Create CPMCS's program event when a stage is scheduled, act on it for any other status; DERMS gets a positive
    or a negative MsgAck."""
    own = {"id": message["messageId"], "dacsMessageId": message["stageId"]}
    with answering_failure(run, "message_ack", own):
        in_order(message, [("stageStartDateTime", "stageEndDateTime")])
        if message["stageStatus"].lower() == SCHEDULED:
            run.invoke(CPMCS, CREATE_EVENT, run.map("event_create", message), duplicate=TOO_LATE)
        else:
            run.invoke(CPMCS, ACTION_EVENT, run.map("event_action", message))
        done = {"ackType": SUCCESS, "responseCode": SUCCESS, "value": message["stageStatus"]}
        return run.map("message_ack", {**own, **done})
