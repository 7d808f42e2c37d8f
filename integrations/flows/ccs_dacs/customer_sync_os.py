"""OU CCS DACS Customer Sync OS Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.spec import FILE, Scheduled, flow
from integrations.flows.ccs_dacs._customer_sync import CALLS, PREFIX, PROPERTIES, sync_customers
from integrations.flows.ccs_dacs.package import CCS_DACS

if TYPE_CHECKING:
    from integrations.engine.context import Run

SOURCE = "OU REST CCS OS for CCS-DACS"


@flow(
    "OUTL-BA-CCS_DACS_CUST_SYNC_OS",
    name="OU CCS DACS Customer Sync OS Transfer",
    package=CCS_DACS,
    pattern=FILE,
    trigger=Scheduled(parameters=(PREFIX,)),
    connections=(SOURCE,),
    calls=CALLS,
    properties=("ccs.os.custsync.namespace", "ccs.os.custsync.bucketname", *PROPERTIES),
    source="seed 001 chapter 2, Customer Sync OS Transfer",
)
def customer_sync_os(run: "Run", parameters: Any) -> Any:
    """Move CCS's customer extracts from its object storage to DACS, and rename each once it is there."""
    place = {
        "namespaceName": run.properties.text("ccs.os.custsync.namespace"),
        "bucketName": run.properties.text("ccs.os.custsync.bucketname"),
    }
    return sync_customers(run, source=SOURCE, directory=run.files(SOURCE).directory_for(place))
