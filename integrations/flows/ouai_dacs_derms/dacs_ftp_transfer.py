"""OU DACS Common FTP Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import DIRECTORY, FILE_NAME, shape
from integrations.engine.spec import CHILD, Inbound, flow
from integrations.flows.ouai_dacs_derms.package import CALLERS, DACS_FILES, DACS_FTP_TRANSFER, OUAI_DACS_DERMS

if TYPE_CHECKING:
    from integrations.engine.context import Run


@flow(
    DACS_FTP_TRANSFER,
    name="OU DACS Common FTP Transfer",
    package=OUAI_DACS_DERMS,
    pattern=CHILD,
    trigger=Inbound(resource="transfer", source=CALLERS, multipart=True),
    connections=(DACS_FILES,),
    keys={"fileName": "fileName"},
    schema=shape({"fileName": FILE_NAME, "directory": DIRECTORY}),
    source="seed 003 chapter 2, Common Child File Transfer Flows",
)
def dacs_ftp_transfer(run: "Run", message: Any) -> Any:
    """Write the file that comes with the message to DACS's file server."""
    return run.deliver(DACS_FILES, directory=message["directory"], name=message["fileName"])
