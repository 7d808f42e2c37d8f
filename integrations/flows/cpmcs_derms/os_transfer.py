"""OU CPMCS Common OS Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import FILE_NAME, shape
from integrations.engine.spec import CHILD, Inbound, flow
from integrations.flows.cpmcs_derms.package import CHILDREN, CPMCS_DERMS, OS_TRANSFER

if TYPE_CHECKING:
    from integrations.engine.context import Run

TARGET = "OU REST CPMCS Object Storage for CPMCS-DERMS"


@flow(
    OS_TRANSFER,
    name="OU CPMCS Common OS Transfer",
    package=CPMCS_DERMS,
    pattern=CHILD,
    trigger=Inbound(resource="transfer", source=CHILDREN, multipart=True),
    connections=(TARGET,),
    keys={"objectName": "objectName", "bucketName": "bucketName"},
    schema=shape({"objectName": FILE_NAME, "namespaceName": FILE_NAME, "bucketName": FILE_NAME}),
    source="seed 002, Common Child File Transfer OIC Flows",
)
def os_transfer(run: "Run", message: Any) -> Any:
    """Write the file that comes with the message to CPMCS's object storage."""
    directory = run.files(TARGET).directory_for(message)
    return run.deliver(TARGET, directory=directory, name=message["objectName"])
