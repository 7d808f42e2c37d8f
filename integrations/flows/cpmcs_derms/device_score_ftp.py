"""OU CPMCS DERMS Device Score FTP Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.spec import FILE, Scheduled, flow
from integrations.flows.cpmcs_derms._device_score import OPERATION, PROPERTIES, send_scores
from integrations.flows.cpmcs_derms.package import CPMCS_DERMS, DERMS, ROUTING

if TYPE_CHECKING:
    from integrations.engine.context import Run

SOURCE = "OU FTP CPMCS for CPMCS-DERMS"


@flow(
    "OUTL-BA-DRMS_DACS_SEND_DVCSCORE",
    name="OU CPMCS DERMS Device Score FTP Transfer",
    package=CPMCS_DERMS,
    pattern=FILE,
    trigger=Scheduled(),
    connections=(SOURCE, DERMS),
    operations={DERMS: (OPERATION,)},
    properties=("dacs.dvcScore.ftp.input.directory", *PROPERTIES),
    tables=(ROUTING,),
    source="seed 002, Device Score FTP Transfer",
)
def device_score_ftp(run: "Run", parameters: Any) -> Any:
    """Send CPMCS's device score extracts from its file server to DERMS."""
    directory = run.properties.text("dacs.dvcScore.ftp.input.directory")
    return send_scores(run, source=SOURCE, directory=directory)
