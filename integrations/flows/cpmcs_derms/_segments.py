"""The body of both flows that send a CSV file to CPMCS in segments (seed 002, Event Device Reservation and Outcome)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from integrations.engine.faults import Fault
from integrations.engine.reports import report_done
from integrations.engine.shapes import in_order
from integrations.flows.cpmcs_derms._answers import FAILURE, SUCCESS
from integrations.flows.cpmcs_derms._routing import derms_for
from integrations.flows.cpmcs_derms.package import CPMCS, HEALTH

if TYPE_CHECKING:
    from integrations.engine.context import Run
    from integrations.engine.segments import Sent

UP = (200,)


@dataclass(frozen=True)
class Work:
    """What one of the flows sends, and how DERMS is told.

    `named_by`: the field by which DERMS knows the whole; `counted_by`: the one that says how many records there are;
    `periods`: pairs of fields of which the second is not before the first.
    """

    operation: str
    mapping: str
    columns: tuple[str, ...]
    acknowledge: str
    named_by: str
    counted_by: str = ""
    periods: tuple[tuple[str, str], ...] = ()


def send_in_segments(run: "Run", message: Any, work: Work) -> dict[str, Any]:
    """Health check, all segments, one positive acknowledgement, the mail; or one negative acknowledgement.

    Once DERMS has the negative one it is DERMS that sends the message again (its MAX_RETRIES), so the hub does not
    try again by itself; where DERMS could not be told, it does.
    """
    derms = derms_for(run, instance=message.get("drmsInstanceId"))
    named = message[work.named_by]

    def tell(key: str, what: "Sent | Fault") -> None:
        told = {"ackType": FAILURE, "text": what.text} if isinstance(what, Fault) else _said(what)
        body = run.map("segments_ack", {"message": message, "id": named, **told})
        run.invoke(derms, work.acknowledge, body, key=key)

    sent = run.acknowledged(lambda: _send(run, message, work), tell)
    report_done(
        run,
        [
            f"{run.spec.name} has sent all records of {named} to CPMCS.",
            f"Records: {sent.records}, in {sent.segments} segment(s), {sent.before} of them in earlier attempts.",
        ],
    )
    return {"records": sent.records, "segments": sent.segments}


def _send(run: "Run", message: Any, work: Work) -> "Sent":
    in_order(message, work.periods)
    run.ask(CPMCS, HEALTH, expect=UP)
    return run.send_segments(
        CPMCS,
        work.operation,
        mapping=work.mapping,
        message=message,
        columns=work.columns,
        records=message.get(work.counted_by) if work.counted_by else None,
    )


def _said(sent: "Sent") -> dict[str, Any]:
    return {"ackType": SUCCESS, "records": sent.records}
