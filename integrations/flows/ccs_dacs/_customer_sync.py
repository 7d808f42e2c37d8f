"""What both customer sync flows share; they differ in where CCS puts its extracts (seed 001 chapter 2)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from integrations.engine.file_flow import FileFlow
from integrations.engine.places import FTP, OS, Place, Preferred
from integrations.engine.pump import FileTransfer, Tap
from integrations.engine.spec import Parameter
from integrations.engine.sync_requests import files_delivered
from integrations.flows.ccs_dacs.package import FTP_TRANSFER, OS_TRANSFER

if TYPE_CHECKING:
    from integrations.engine.context import Run

PREFIX = Parameter("extractedFileNamePrefix", "Beginning of the extract's file name, e.g. C1-DCTEX")
TRACKING_FLAG = "hub.syncrequest.tracking.flag"
# The second letter pair of the batch code says what an extract holds (seed 001 chapter 3).
ENTITIES = {"C1-DCT": "Contact", "C1-DSP": "Metered service point", "C1-DMS": "Metered service"}
DACS = Preferred(
    "dacs.file.target.transfer.pref",
    {
        FTP: (FTP_TRANSFER, Place(directory="dacs.ftp.custsync.output.directory")),
        OS: (
            OS_TRANSFER,
            Place(namespace="dacs.os.custsync.namespace", bucket="dacs.os.custsync.bucketname"),
        ),
    },
)


def customer_sync(source: str, place: Place) -> FileFlow:
    """From CCS's place to DACS; the sync requests of each extract are noted as it passes."""
    return FileFlow(
        source=source,
        place=place,
        prefix=PREFIX.name,
        by_parameter=True,
        sent_prefix="ccs.prefixtag.fileuploaded",
        to=DACS,
        taps=_taps,
        delivered=_await_acknowledgements,
    )


def _await_acknowledgements(run: "Run", transfers: Sequence[FileTransfer]) -> None:
    for name, awaited in files_delivered(run, transfers):
        run.note(f"{awaited} sync request(s) of {name} await their acknowledgement")


def _taps(run: "Run", transfer: FileTransfer) -> list[Tap]:
    if not run.properties.flag(TRACKING_FLAG, True):
        return []
    return [run.watch_sync_requests(transfer, ENTITIES.get(transfer.source_name[:6].upper(), ""))]
