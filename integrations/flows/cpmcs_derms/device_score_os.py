"""OU CPMCS DERMS Device Score OS Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.spec import FILE, Scheduled, flow
from integrations.flows.cpmcs_derms._device_score import OPERATION, PROPERTIES, send_scores
from integrations.flows.cpmcs_derms.package import CPMCS_DERMS, DERMS, ROUTING

if TYPE_CHECKING:
    from integrations.engine.context import Run

SOURCE = "OU REST CPMCS Object Storage for CPMCS-DERMS"


@flow(
    "OUTL-BA-DRMS_DACS_SEND_DVCSCOREC",
    name="OU CPMCS DERMS Device Score OS Transfer",
    package=CPMCS_DERMS,
    pattern=FILE,
    trigger=Scheduled(),
    connections=(SOURCE, DERMS),
    operations={DERMS: (OPERATION,)},
    properties=("dacs.os.namespace", "dacs.os.dvcScore.bucketname", *PROPERTIES),
    tables=(ROUTING,),
    source="seed 002, Device Score OS Transfer",
)
def device_score_os(run: "Run", parameters: Any) -> Any:
    """Send CPMCS's device score extracts from its object storage to DERMS."""
    place = {
        "namespaceName": run.properties.text("dacs.os.namespace"),
        "bucketName": run.properties.text("dacs.os.dvcScore.bucketname"),
    }
    return send_scores(run, source=SOURCE, directory=run.files(SOURCE).directory_for(place))
