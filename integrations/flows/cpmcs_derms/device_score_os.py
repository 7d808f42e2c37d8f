"""OU CPMCS DERMS Device Score OS Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.places import Place
from integrations.engine.spec import FILE, Scheduled, flow
from integrations.flows.cpmcs_derms._device_score import OPERATION, device_scores
from integrations.flows.cpmcs_derms.package import CPMCS_DERMS, DERMS, ROUTING

if TYPE_CHECKING:
    from integrations.engine.context import Run

FILES = device_scores(
    "OU REST CPMCS Object Storage for CPMCS-DERMS",
    Place(namespace="dacs.os.namespace", bucket="dacs.os.dvcScore.bucketname"),
)


@flow(
    "OUTL-BA-DRMS_DACS_SEND_DVCSCOREC",
    name="OU CPMCS DERMS Device Score OS Transfer",
    package=CPMCS_DERMS,
    pattern=FILE,
    trigger=Scheduled(),
    connections=(FILES.source, DERMS),
    operations={DERMS: (OPERATION,)},
    properties=FILES.properties,
    tables=(ROUTING,),
    source="seed 002, Device Score OS Transfer",
)
def device_score_os(run: "Run", parameters: Any) -> Any:
    """Send CPMCS's device score extracts from its object storage to DERMS."""
    return FILES.move(run)
