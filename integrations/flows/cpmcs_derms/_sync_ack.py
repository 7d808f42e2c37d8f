"""The acknowledgement of a sync request that DERMS has answered at once (seed 002, Program Rule and Aggregator)."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import NAME, TEXT, shape
from integrations.flows.cpmcs_derms._answers import SUCCESS, reasons
from integrations.flows.cpmcs_derms.package import CPMCS, SYNC_REQUEST

if TYPE_CHECKING:
    from integrations.engine.context import Run

PROPERTIES = ("dacs.error.ack.messagecategory", "dacs.error.ack.messagenumber")
# DERMS's answer to an update, with the sync request it is of.
MESSAGE = shape({"dacsMessageId": NAME}, {"ackType": TEXT, "responses": {"type": ["object", "null"]}})


def await_acknowledgement(
    run: "Run", sync_request: str, answer: Any, flow: str, *, entity: str, named: str
) -> None:
    """Hand DERMS's answer on to the acknowledgement flow: what that one meets is no fault to CPMCS any more."""
    run.sync_request_sent(sync_request, entity=entity, external_id=named)
    said = answer if isinstance(answer, dict) else {}
    kept = {name: said[name] for name in ("ackType", "responses", "whenISO") if said.get(name) is not None}
    run.hand_on(flow, {"dacsMessageId": sync_request, **kept})


def acknowledge(run: "Run", message: Any) -> None:
    """Tell CPMCS by F1-SyncRequest whether DERMS took what was synchronised."""
    sync_request = message["dacsMessageId"]
    positive = message.get("ackType", SUCCESS) == SUCCESS
    said = reasons(message).removeprefix(": ")
    run.acknowledgement_received(sync_request, positive=positive, text="" if positive else said)
    run.invoke(
        CPMCS,
        SYNC_REQUEST,
        run.map("sync_ack", {**message, "failed": not positive, "said": said}),
        path_values={"syncRequestId": sync_request},
    )
    run.acknowledgement_delivered(sync_request)
