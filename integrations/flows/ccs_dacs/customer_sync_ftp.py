"""OU CCS DACS Customer Sync FTP Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.spec import FILE, Scheduled, flow
from integrations.flows.ccs_dacs._customer_sync import CALLS, PREFIX, PROPERTIES, sync_customers
from integrations.flows.ccs_dacs.package import CCS_DACS

if TYPE_CHECKING:
    from integrations.engine.context import Run

SOURCE = "OU FTP CCS for CCS-DACS"


@flow(
    "OUTL-BA-CCS_DACS_CUST_SYNC_FTP",
    name="OU CCS DACS Customer Sync FTP Transfer",
    package=CCS_DACS,
    pattern=FILE,
    trigger=Scheduled(parameters=(PREFIX,)),
    connections=(SOURCE,),
    calls=CALLS,
    properties=("ccs.ftp.custsync.input.directory", *PROPERTIES),
    source="seed 001 chapter 2, Customer Sync FTP Transfer",
)
def customer_sync_ftp(run: "Run", parameters: Any) -> Any:
    """Move CCS's customer extracts from its SFTP server to DACS, and rename each once it is there."""
    directory = run.properties.text("ccs.ftp.custsync.input.directory")
    return sync_customers(run, source=SOURCE, directory=directory)
