"""OU DERMS CPMCS Enroll Sync Ack, as the seed prints the name: the acknowledgement of a program rule."""

from typing import TYPE_CHECKING, Any

from integrations.engine.spec import ASYNCHRONOUS, Inbound, flow
from integrations.flows.cpmcs_derms._sync_ack import MESSAGE, PROPERTIES, acknowledge
from integrations.flows.cpmcs_derms.package import CPMCS, CPMCS_DERMS, DERMS, PROGRAM_RULE_ACK, SYNC_REQUEST

if TYPE_CHECKING:
    from integrations.engine.context import Run


@flow(
    PROGRAM_RULE_ACK,
    name="OU DERMS CPMCS Enroll Sync Ack",
    package=CPMCS_DERMS,
    pattern=ASYNCHRONOUS,
    trigger=Inbound(resource="sendEnrollAck", source=DERMS),
    connections=(CPMCS,),
    operations={CPMCS: (SYNC_REQUEST,)},
    mappings=("sync_ack",),
    keys={"syncRequestId": "dacsMessageId"},
    message_id="dacsMessageId",
    properties=PROPERTIES,
    schema=MESSAGE,
    source="seed 002, Program Rule Sync Acknowledgment",
)
def program_rule_ack(run: "Run", message: Any) -> Any:
    """Tell CPMCS that DERMS has a program and its rules, or why not."""
    acknowledge(run, message)
