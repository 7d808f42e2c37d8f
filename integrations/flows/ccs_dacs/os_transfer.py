"""OU CCS DACS Common OS Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.spec import CHILD, Inbound, flow
from integrations.flows.ccs_dacs.package import CCS_DACS, OS_TRANSFER

if TYPE_CHECKING:
    from integrations.engine.context import Run

TARGET = "OU REST DACS OS for CCS-DACS"
NAME = {"type": "string", "minLength": 1, "maxLength": 255}


@flow(
    OS_TRANSFER,
    name="OU CCS DACS Common OS Transfer",
    package=CCS_DACS,
    pattern=CHILD,
    trigger=Inbound(resource="transfer", source="OU REST for CCS-DACS", multipart=True),
    connections=(TARGET,),
    keys={"objectName": "objectName", "bucketName": "bucketName"},
    schema={
        "type": "object",
        "required": ["objectName", "namespaceName", "bucketName"],
        "properties": {"objectName": NAME, "namespaceName": NAME, "bucketName": NAME},
    },
    source="seed 001 chapter 2, Common Child File Transfer Flows",
)
def os_transfer(run: "Run", message: Any) -> Any:
    """Write the file that comes with the message to DACS's object storage."""
    directory = run.files(TARGET).directory_for(message)
    return run.deliver(TARGET, directory=directory, name=message["objectName"])
