"""OU CPMCS DERMS Device Score FTP Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.places import Place
from integrations.engine.spec import FILE, Scheduled, flow
from integrations.flows.cpmcs_derms._device_score import OPERATION, device_scores
from integrations.flows.cpmcs_derms.package import CPMCS_DERMS, DERMS, ROUTING

if TYPE_CHECKING:
    from integrations.engine.context import Run

FILES = device_scores("OU FTP CPMCS for CPMCS-DERMS", Place(directory="dacs.dvcScore.ftp.input.directory"))


@flow(
    "OUTL-BA-DRMS_DACS_SEND_DVCSCORE",
    name="OU CPMCS DERMS Device Score FTP Transfer",
    package=CPMCS_DERMS,
    pattern=FILE,
    trigger=Scheduled(),
    connections=(FILES.source, DERMS),
    operations={DERMS: (OPERATION,)},
    properties=FILES.properties,
    tables=(ROUTING,),
    source="seed 002, Device Score FTP Transfer",
)
def device_score_ftp(run: "Run", parameters: Any) -> Any:
    """Send CPMCS's device score extracts from its file server to DERMS."""
    return FILES.move(run)
