"""Files that could not be sent get another name at the source, by which a person sees them (seed 002, device scores).

A resubmission of the run that set one aside finds it under either name (contract, "Flows").
"""

from typing import TYPE_CHECKING

from integrations.adapters.contract import FileInfo
from integrations.engine.faults import Fault, fault_of
from integrations.engine.files import at_edge, store_of
from integrations.engine.stream import Kind
from integrations.models import Connection, FileTransfer

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from integrations.engine.context import Run
    from integrations.engine.pump import Job


def set_aside(run: "Run", job: "Job", source: Connection, info: FileInfo, fault: Fault) -> None:
    """Put the job's prefix for failed files before this one's name; what goes wrong there is said and hides nothing.

    Not while the run tries again by itself, and not a file that no fault of its own kept back.
    """
    if not job.failed_prefix or info.trouble or not run.gives_up(fault):
        return
    name = f"{job.failed_prefix}{info.name}"
    row = _row(source, job, info.name)
    run.claim.check()
    with run.claim.writing():  # before the name is there: after a crash it is looked for under both
        row.update(renamed_to=name, trouble=fault.text)
    try:
        with at_edge(job.source):
            store_of(run, job.source).rename(job.directory, info.name, name)
    except Exception as error:  # noqa: BLE001  (anything: the file's own fault is what counts)
        run.note(f"{info.name} could not be renamed to {name}: {fault_of(error).text}", warning=True)
        row.update(renamed_to="")
        return
    run.stream.say(Kind.RENAMED, f"{info.name} to {name}", connection=source)


def bring_back(run: "Run", job: "Job", source: Connection) -> None:
    """Give the files this run set aside in an earlier attempt their own names again, so that they are listed."""
    if not job.failed_prefix:
        return
    rows = FileTransfer.objects.filter(
        instance=run.instance, source=source, renamed_to__startswith=job.failed_prefix
    )
    for row in rows.exclude(state=FileTransfer.State.DONE):
        _bring_back(run, job, source, row)


def _bring_back(run: "Run", job: "Job", source: Connection, row: FileTransfer) -> None:
    with at_edge(job.source):
        store = store_of(run, job.source)
        if store.stat(job.directory, row.renamed_to) is None:
            return  # a person gave it its name back, or took it away
        if store.stat(job.directory, row.source_name) is not None:
            run.note(
                f"{row.renamed_to} is left alone: there is a new {row.source_name} beside it", warning=True
            )
            return
        store.rename(job.directory, row.renamed_to, row.source_name)
    run.stream.say(Kind.RENAMED, f"{row.renamed_to} back to {row.source_name}", connection=source)
    FileTransfer.objects.filter(pk=row.pk).update(renamed_to="")


def _row(source: Connection, job: "Job", name: str) -> "QuerySet[FileTransfer]":
    rows = FileTransfer.objects.filter(source=source, source_directory=job.directory, source_name=name)
    return rows.exclude(state=FileTransfer.State.DONE)
