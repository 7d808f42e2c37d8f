"""OU DACS Common OS Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import FILE_NAME, shape
from integrations.engine.spec import CHILD, Inbound, flow
from integrations.flows.ouai_dacs_derms.package import (
    CALLERS,
    DACS_OS_TRANSFER,
    DACS_STORAGE,
    OUAI_DACS_DERMS,
)

if TYPE_CHECKING:
    from integrations.engine.context import Run


@flow(
    DACS_OS_TRANSFER,
    name="OU DACS Common OS Transfer",
    package=OUAI_DACS_DERMS,
    pattern=CHILD,
    trigger=Inbound(resource="transfer", source=CALLERS, multipart=True),
    connections=(DACS_STORAGE,),
    keys={"objectName": "objectName", "bucketName": "bucketName"},
    schema=shape({"objectName": FILE_NAME, "namespaceName": FILE_NAME, "bucketName": FILE_NAME}),
    source="seed 003 chapter 2, Common Child File Transfer Flows",
)
def dacs_os_transfer(run: "Run", message: Any) -> Any:
    """Write the file that comes with the message to DACS's object storage."""
    directory = run.files(DACS_STORAGE).directory_for(message)
    return run.deliver(DACS_STORAGE, directory=directory, name=message["objectName"])
