"""OU DERMS OUAI Event Outcome Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.faults import Fault
from integrations.engine.reports import COMPLETE_FLAG, report_done
from integrations.engine.shapes import FILE_NAME, NAME, TEXT, shape
from integrations.engine.spec import ASYNCHRONOUS, Inbound, flow
from integrations.flows.ouai_dacs_derms.package import (
    CALLERS,
    DERMS,
    OUAI_DACS_DERMS,
    ROUTING,
    TO_DERMS,
    TO_OUAI,
    to_ouai,
)

if TYPE_CHECKING:
    from integrations.engine.context import Run

OPERATION = "deviceOutcomeAck"
OUAI = to_ouai("ouai.os.eventoutcome.bucket")


@flow(
    "OUTL-BA-DRMS_OUAI_EVT_OUTC_TRNFR",
    name="OU DERMS OUAI Event Outcome Transfer",
    package=OUAI_DACS_DERMS,
    pattern=ASYNCHRONOUS,
    trigger=Inbound(resource="eventOutcome", source=CALLERS, multipart=True),
    connections=(DERMS,),
    operations={DERMS: (OPERATION,)},
    calls=OUAI.calls,
    mappings=("outcome_ack",),
    keys={"fileName": "fileName", "messageId": "messageId", "drmsInstanceId": "drmsInstanceId"},
    message_id="messageId",
    properties=("ouai.os.namespace", "ouai.os.eventoutcome.bucket", COMPLETE_FLAG),
    tables=(ROUTING,),
    recipients=(TO_DERMS, TO_OUAI),
    schema=shape({"messageId": NAME, "fileName": FILE_NAME}, {"drmsInstanceId": TEXT}),
    source="seed 003 chapter 2, Event Outcome Transfer",
)
def event_outcome(run: "Run", message: Any) -> Any:
    """Pass DERMS's outcome file on to OUAI's object storage; DERMS is told whether it got there."""
    name = message["fileName"]
    derms = run.lookup(ROUTING, "DRMS_Instance", message.get("drmsInstanceId") or "*", "DRMS_Site_Connection")

    def move() -> Any:
        child = OUAI.handover(run)
        return run.call(child.flow, child.message(name), feed=run.attached())

    def tell(key: str, what: Any) -> None:
        failed = isinstance(what, Fault)
        said = {"ackType": "FAILURE", "value": what.text} if failed else {"ackType": "SUCCESS", "value": name}
        run.invoke(derms, OPERATION, run.map("outcome_ack", {"message": message, **said}), key=key)

    answer = run.acknowledged(move, tell)
    report_done(run, [f"{run.spec.name} has transferred {name} to OUAI."], recipients=(TO_DERMS, TO_OUAI))
    return answer
