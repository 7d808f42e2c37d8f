"""OU OUAI Common OS Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import FILE_NAME, shape
from integrations.engine.spec import CHILD, Inbound, flow
from integrations.flows.ouai_dacs_derms.package import CALLERS, OUAI_DACS_DERMS, OUAI_STORAGE, OUAI_TRANSFER

if TYPE_CHECKING:
    from integrations.engine.context import Run


@flow(
    OUAI_TRANSFER,
    name="OU OUAI Common OS Transfer",
    package=OUAI_DACS_DERMS,
    pattern=CHILD,
    trigger=Inbound(resource="transfer", source=CALLERS, multipart=True),
    connections=(OUAI_STORAGE,),
    keys={"objectName": "objectName", "bucketName": "bucketName"},
    schema=shape({"objectName": FILE_NAME, "namespaceName": FILE_NAME, "bucketName": FILE_NAME}),
    source="seed 003 chapter 2, Common Child File Transfer Flows",
)
def ouai_transfer(run: "Run", message: Any) -> Any:
    """Write the file that comes with the message to OUAI's object storage."""
    directory = run.files(OUAI_STORAGE).directory_for(message)
    return run.deliver(OUAI_STORAGE, directory=directory, name=message["objectName"])
