"""OU CCS DACS Customer Sync FTP Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.places import Place
from integrations.engine.spec import FILE, Scheduled, flow
from integrations.flows.ccs_dacs._customer_sync import PREFIX, customer_sync
from integrations.flows.ccs_dacs.package import CCS_DACS

if TYPE_CHECKING:
    from integrations.engine.context import Run

FILES = customer_sync("OU FTP CCS for CCS-DACS", Place(directory="ccs.ftp.custsync.input.directory"))


@flow(
    "OUTL-BA-CCS_DACS_CUST_SYNC_FTP",
    name="OU CCS DACS Customer Sync FTP Transfer",
    package=CCS_DACS,
    pattern=FILE,
    trigger=Scheduled(parameters=(PREFIX,)),
    connections=(FILES.source,),
    calls=FILES.calls,
    properties=FILES.properties,
    source="seed 001 chapter 2, Customer Sync FTP Transfer",
)
def customer_sync_ftp(run: "Run", parameters: Any) -> Any:
    """Move CCS's customer extracts from its SFTP server to DACS, and rename each once it is there."""
    return FILES.move(run)
