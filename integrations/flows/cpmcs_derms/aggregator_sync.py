"""OU CPMCS DERMS Aggregator Sync."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import NAME, TEXT, details, shape
from integrations.engine.spec import SYNCHRONOUS, Inbound, flow
from integrations.flows.cpmcs_derms._routing import derms_for
from integrations.flows.cpmcs_derms._sync_ack import await_acknowledgement
from integrations.flows.cpmcs_derms.package import AGGREGATOR_ACK, CPMCS, CPMCS_DERMS, DERMS, DONE, ROUTING

if TYPE_CHECKING:
    from integrations.engine.context import Run


@flow(
    "OUTL-BA-DACS_DERMS_AGGREG_SYNC",
    name="OU CPMCS DERMS Aggregator Sync",
    package=CPMCS_DERMS,
    pattern=SYNCHRONOUS,
    trigger=Inbound(resource="X1-GEDAGRMSG", source=CPMCS),
    connections=(DERMS,),
    operations={DERMS: ("updateAggregator",)},
    calls=(AGGREGATOR_ACK,),
    mappings=("aggregator",),
    keys={
        "syncRequestId": "sendDetails.syncRequestId",
        "aggregatorId": "sendDetails.aggregator.aggregatorId",
    },
    message_id="sendDetails.syncRequestId",
    tables=(ROUTING,),
    schema=details(
        {"syncRequestId": NAME, "aggregator": shape({"aggregatorId": NAME, "name": TEXT})}, {"division": TEXT}
    ),
    source="seed 002, Aggregator Sync",
)
def aggregator_sync(run: "Run", message: Any) -> Any:
    """Tell DERMS of an aggregator; once DERMS has taken it, CPMCS's sync request is acknowledged."""
    sent = message["sendDetails"]
    run.expect_taken(AGGREGATOR_ACK)
    derms = derms_for(run, division=sent.get("division"))
    answer = run.invoke(derms, "updateAggregator", run.map("aggregator", message), expect=DONE)
    named = sent["aggregator"]["aggregatorId"]
    await_acknowledgement(
        run, sent["syncRequestId"], answer.data, AGGREGATOR_ACK, entity="Aggregator", named=named
    )
    return {"externalId": sent["syncRequestId"]}
