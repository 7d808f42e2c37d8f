"""Files that an earlier run left under way and that are listed no more: renamed already, or taken away."""

from typing import TYPE_CHECKING

from integrations.engine.files import at_edge, store_of
from integrations.models import Connection, FileTransfer

if TYPE_CHECKING:
    from integrations.engine.context import Run
    from integrations.engine.pump import Job

State = FileTransfer.State


def settle_vanished(run: "Run", job: "Job", source: Connection, listed: set[str]) -> None:
    """Files delivered before an interruption that are no longer listed: renamed already, or taken away."""
    unsettled = FileTransfer.objects.filter(
        source=source, source_directory=job.directory, source_name__startswith=job.prefix
    ).exclude(state=State.DONE)
    for transfer in unsettled:
        # A database may compare without regard to case; another run's file is not ours to settle.
        if transfer.source_name in listed or not transfer.source_name.startswith(job.prefix):
            continue
        if transfer.state == State.SENT:
            transfer.instance = run.instance
            _settle_sent(run, job, transfer)
        elif not transfer.trouble:
            transfer.trouble = "Gone from the source before it was transferred."
            transfer.save(update_fields=["trouble"])
            run.note(f"{transfer.source_name} is gone from the source and was not transferred", warning=True)


def _settle_sent(run: "Run", job: "Job", transfer: FileTransfer) -> None:
    with at_edge(job.source):
        renamed = f"{job.sent_prefix}{transfer.source_name}"
        there = store_of(run, job.source).stat(job.directory, renamed) is not None
    transfer.state = State.DONE
    transfer.renamed_to = renamed if there else ""
    transfer.trouble = "" if there else "Delivered; then gone from the source before it was renamed."
    job.delivered([transfer])
    with run.claim.writing():
        transfer.save()
    run.note(f"{transfer.source_name} was delivered before the interruption; its rename is recorded now")
