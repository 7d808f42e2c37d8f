"""OU CPMCS Common FTP Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import DIRECTORY, FILE_NAME, shape
from integrations.engine.spec import CHILD, Inbound, flow
from integrations.flows.cpmcs_derms.package import CHILDREN, CPMCS_DERMS, FTP_TRANSFER

if TYPE_CHECKING:
    from integrations.engine.context import Run

TARGET = "OU FTP CPMCS for CPMCS-DERMS"


@flow(
    FTP_TRANSFER,
    name="OU CPMCS Common FTP Transfer",
    package=CPMCS_DERMS,
    pattern=CHILD,
    trigger=Inbound(resource="transfer", source=CHILDREN, multipart=True),
    connections=(TARGET,),
    keys={"fileName": "fileName"},
    schema=shape({"fileName": FILE_NAME, "directory": DIRECTORY}),
    source="seed 002, Common Child File Transfer OIC Flows",
)
def ftp_transfer(run: "Run", message: Any) -> Any:
    """Write the file that comes with the message to CPMCS's file server."""
    return run.deliver(TARGET, directory=message["directory"], name=message["fileName"])
