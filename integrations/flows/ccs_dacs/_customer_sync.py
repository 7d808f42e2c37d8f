"""The body of both customer sync flows; they differ in where CCS puts its extracts (seed 001 chapter 2)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from integrations.engine.pump import FileTransfer, Handover, Job, Tap, move_files
from integrations.engine.reports import finish
from integrations.engine.spec import Parameter
from integrations.engine.sync_requests import files_delivered
from integrations.flows.ccs_dacs.package import FTP_TRANSFER, OS_TRANSFER

if TYPE_CHECKING:
    from integrations.engine.context import Run

PREFIX = Parameter("extractedFileNamePrefix", "Beginning of the extract's file name, e.g. C1-DCTEX")
TRACKING_FLAG = "hub.syncrequest.tracking.flag"
CALLS = (FTP_TRANSFER, OS_TRANSFER)
PROPERTIES = (
    "ccs.prefixtag.fileuploaded",
    "dacs.file.target.transfer.pref",
    "notification.email.process.nofile.flag",
    "notification.email.process.complete.flag",
)
# The second letter pair of the batch code says what an extract holds (seed 001 chapter 3).
ENTITIES = {"C1-DCT": "Contact", "C1-DSP": "Metered service point", "C1-DMS": "Metered service"}


def sync_customers(run: "Run", *, source: str, directory: str) -> dict[str, object]:
    """List by prefix, hand each file to the child that DACS's preference names, rename it, report."""
    prefix = run.parameters[PREFIX.name]
    job = Job(
        source=source,
        directory=directory,
        prefix=prefix,
        sent_prefix=run.properties.text("ccs.prefixtag.fileuploaded"),
        hand_on=_child_for(run),
        taps=lambda transfer: _taps(run, transfer),
        delivered=lambda transfers: _await_acknowledgements(run, transfers),
    )
    return finish(run, move_files(run, job), where=f"{directory} of {source}", prefix=prefix)


def _child_for(run: "Run") -> Handover:
    """The child flow that `dacs.file.target.transfer.pref` names, with its message for each file."""
    text = run.properties.text
    if run.properties.choice("dacs.file.target.transfer.pref", ("ftp", "os")) == "ftp":
        directory = text("dacs.ftp.custsync.output.directory")
        return Handover(FTP_TRANSFER, lambda name: {"fileName": name, "directory": directory})
    place = {
        "namespaceName": text("dacs.os.custsync.namespace"),
        "bucketName": text("dacs.os.custsync.bucketname"),
    }
    return Handover(OS_TRANSFER, lambda name: {"objectName": name, **place})


def _await_acknowledgements(run: "Run", transfers: Sequence[FileTransfer]) -> None:
    for name, awaited in files_delivered(run, transfers):
        run.note(f"{awaited} sync request(s) of {name} await their acknowledgement")


def _taps(run: "Run", transfer: FileTransfer) -> list[Tap]:
    if not run.properties.flag(TRACKING_FLAG, True):
        return []
    return [run.watch_sync_requests(transfer, ENTITIES.get(transfer.source_name[:6].upper(), ""))]
