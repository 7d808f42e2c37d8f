"""OU DERMS CPMCS Aggregator Sync Ack."""

from typing import TYPE_CHECKING, Any

from integrations.engine.spec import ASYNCHRONOUS, Local, flow
from integrations.flows.cpmcs_derms._sync_ack import MESSAGE, PROPERTIES, acknowledge
from integrations.flows.cpmcs_derms.package import AGGREGATOR_ACK, CPMCS, CPMCS_DERMS, SYNC_REQUEST

if TYPE_CHECKING:
    from integrations.engine.context import Run


@flow(
    AGGREGATOR_ACK,
    name="OU DERMS CPMCS Aggregator Sync Ack",
    package=CPMCS_DERMS,
    pattern=ASYNCHRONOUS,
    trigger=Local(resource="receiveMessage"),
    connections=(CPMCS,),
    operations={CPMCS: (SYNC_REQUEST,)},
    mappings=("sync_ack",),
    keys={"syncRequestId": "dacsMessageId"},
    properties=PROPERTIES,
    schema=MESSAGE,
    source="seed 002, Aggregator Sync Acknowledgment",
)
def aggregator_ack(run: "Run", message: Any) -> Any:
    """Tell CPMCS that DERMS has an aggregator, or why not."""
    acknowledge(run, message)
