"""OU CCS DACS Common FTP Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.spec import CHILD, Inbound, flow
from integrations.flows.ccs_dacs.package import CCS_DACS, FTP_TRANSFER

if TYPE_CHECKING:
    from integrations.engine.context import Run

TARGET = "OU FTP DACS for CCS-DACS"


@flow(
    FTP_TRANSFER,
    name="OU CCS DACS Common FTP Transfer",
    package=CCS_DACS,
    pattern=CHILD,
    trigger=Inbound(resource="transfer", source="OU REST for CCS-DACS", multipart=True),
    aliases=("OUTL-BA-OUAL_DACS_FTP_TRANSFER",),
    connections=(TARGET,),
    keys={"fileName": "fileName"},
    schema={
        "type": "object",
        "required": ["fileName", "directory"],
        "properties": {
            "fileName": {"type": "string", "minLength": 1, "maxLength": 255},
            "directory": {"type": "string", "minLength": 1, "maxLength": 500},
        },
    },
    source="seed 001 chapter 2, Common Child File Transfer Flows",
)
def ftp_transfer(run: "Run", message: Any) -> Any:
    """Write the file that comes with the message to DACS's SFTP server."""
    return run.deliver(TARGET, directory=message["directory"], name=message["fileName"])
