"""The body that all file flows share: list, move one by one, rename, report (seed 001 chapter 2)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from integrations.adapters.contract import FileInfo
from integrations.engine.breakers import breaker_worked
from integrations.engine.crash import crash
from integrations.engine.faults import Fault, TechnicalFault, fault_of
from integrations.engine.files import Feed, Tap, at_edge, rename_at_source, store_of
from integrations.engine.stream import Kind
from integrations.models import Connection, FileTransfer

if TYPE_CHECKING:
    from integrations.engine.context import Run

__all__ = ["Feed", "FileTransfer", "Job", "Summary", "Tap", "move_files"]

State = FileTransfer.State


@dataclass(frozen=True)
class Job:
    """What one run moves: from where, which files, how each is handed on, what it is called afterwards."""

    source: str
    directory: str
    prefix: str
    sent_prefix: str
    hand_on: Callable[[Feed], Any]
    taps: Callable[[FileTransfer], list[Tap]] = lambda transfer: []
    delivered: Callable[[FileTransfer], None] = lambda transfer: None


@dataclass
class Summary:
    """What became of the files of a run, for its mail and its answer."""

    found: int = 0
    transferred: list[str] = field(default_factory=list)
    not_transferred: list[tuple[str, str]] = field(default_factory=list)
    fault: Fault | None = None

    def answer(self) -> dict[str, Any]:
        """As the instance keeps it."""
        return {
            "found": self.found,
            "transferred": self.transferred,
            "notTransferred": [{"name": name, "reason": reason} for name, reason in self.not_transferred],
        }

    def lines(self) -> list[str]:
        """As the process-complete mail has it."""
        kept = [f"  {name}: {reason}" for name, reason in self.not_transferred]
        moved = [f"  {name}" for name in self.transferred]
        return [
            f"Files transferred: {len(moved)}",
            *moved,
            f"Files not transferred: {len(kept)}",
            *kept,
        ]


def move_files(run: "Run", job: Job) -> Summary:
    """Move every file of the job, in name order; after the first error none is started any more.

    Raises nothing for what goes wrong with a file: the summary has the fault, and the rest as not transferred.
    A source that cannot be listed is raised.
    """
    if job.sent_prefix.startswith(job.prefix):
        raise TechnicalFault(
            f"Files are renamed to begin with {job.sent_prefix!r}, which begins with {job.prefix!r} that is listed: "
            "every run would send them again",
            hint="Choose another prefix for files that are sent.",
        )
    source = run.connection(job.source)
    listed = _list(run, job)
    summary = Summary(found=len(listed))
    _settle_vanished(run, job, source, {info.name for info in listed})
    summary.transferred = _done_before(run)
    for info in listed:
        if summary.fault is not None and not _is_leftover(summary.fault):
            summary.not_transferred.append((info.name, "not started, because of the error before it"))
            continue
        _move_one(run, job, source, info, summary)
    return summary


def _is_leftover(fault: Fault) -> bool:
    """Faults that concern one file alone and stop no other."""
    return fault.code in ("HUB-SOURCE-CHANGED", "HUB-FILE-AGAIN", "HUB-FILE-NAME", "HUB-FILE-BUSY")


def _list(run: "Run", job: Job) -> list[FileInfo]:
    with at_edge(job.source):
        store = store_of(run, job.source)
        row = run.connection(job.source)
        with run.stream.timed(
            Kind.LISTED, f"Listed {job.directory} for {job.prefix}*", connection=row
        ) as line:
            found = [info for info in store.list(job.directory, job.prefix) if not info.is_directory]
            line.text += f": {len(found)} file(s)"
        breaker_worked(row)
    return sorted(found, key=lambda info: info.name)


def _move_one(run: "Run", job: Job, source: Connection, info: FileInfo, summary: Summary) -> None:
    try:
        _transfer(run, job, source, info)
        summary.transferred.append(info.name)
    except Exception as error:  # noqa: BLE001  (whatever it is ends this file, is kept as the run's fault, raised later)
        fault = fault_of(error, connection=job.source)
        fault.step = fault.step or info.name
        summary.not_transferred.append((info.name, fault.text))
        summary.fault = summary.fault if summary.fault and not _is_leftover(summary.fault) else fault
        run.stream.say(Kind.FAULT, f"{info.name}: {fault.text}", level="error")


def _transfer(run: "Run", job: Job, source: Connection, info: FileInfo) -> None:
    """One file: handed on unless it was delivered before, then renamed at the source."""
    if info.trouble:
        raise TechnicalFault(f"{info.name!r} is left alone: {info.trouble}", code="HUB-FILE-NAME")
    transfer = _ledger_row(run, job, source, info)
    if transfer.state == State.DONE:
        raise TechnicalFault(
            f"{info.name} was transferred on {transfer.updated_at:%Y-%m-%d %H:%M} UTC and is here again, unchanged",
            code="HUB-FILE-AGAIN",
            hint="Remove it at the source, or write it anew to have it sent again.",
        )
    if transfer.state != State.SENT:
        feed = Feed(
            transfer,
            _opener(run, job, info),
            run.claim.check,
            job.source,
            job.taps(transfer),
            lambda: _unchanged(run, job, info),
        )
        job.hand_on(feed)
    job.delivered(transfer)  # also for one that was delivered before an interruption
    rename_at_source(run, transfer, job.source, f"{job.sent_prefix}{info.name}")
    crash("between_files")


def _unchanged(run: "Run", job: Job, info: FileInfo) -> bool:
    """Whether the source still shows the file as it was listed; one that grew is still being written."""
    with at_edge(job.source):
        now = store_of(run, job.source).stat(job.directory, info.name)
    return now is not None and (now.size, now.modified) == (info.size, info.modified)


def _opener(run: "Run", job: Job, info: FileInfo) -> Callable[[], Any]:
    return lambda: store_of(run, job.source).open(job.directory, info.name)


def _ledger_row(run: "Run", job: Job, source: Connection, info: FileInfo) -> FileTransfer:
    """The file's row, made when it is first seen; the run that works on it now is on it."""
    transfer, made = FileTransfer.objects.get_or_create(
        source=source,
        source_directory=job.directory,
        source_name=info.name,
        source_size=info.size,
        source_modified=info.modified,
        defaults={"instance": run.instance},
    )
    if made:
        _replaced(transfer)
    other = transfer.instance if transfer.instance_id != run.instance.pk else None
    if other is not None and not other.ended:
        raise TechnicalFault(f"{info.name} is under way in instance {other.pk}", code="HUB-FILE-BUSY")
    if transfer.instance_id != run.instance.pk and transfer.state != State.DONE:
        transfer.instance = run.instance
        transfer.save(update_fields=["instance"])
    transfer.source = source
    return transfer


def _replaced(transfer: FileTransfer) -> None:
    """A file that changed before it was transferred has a later entry; the earlier one says so."""
    FileTransfer.objects.filter(
        source=transfer.source,
        source_directory=transfer.source_directory,
        source_name=transfer.source_name,
    ).exclude(state=State.DONE).exclude(pk=transfer.pk).update(
        trouble="Changed at the source before it was transferred; a later entry has it."
    )


def _done_before(run: "Run") -> list[str]:
    """What earlier attempts of this instance transferred: the mail tells of the whole run."""
    rows = FileTransfer.objects.filter(instance=run.instance, state=State.DONE).order_by("source_name")
    return list(rows.values_list("source_name", flat=True))


def _settle_vanished(run: "Run", job: Job, source: Connection, listed: set[str]) -> None:
    """Files delivered before an interruption that are no longer listed: renamed already, or taken away."""
    unsettled = FileTransfer.objects.filter(
        source=source, source_directory=job.directory, source_name__startswith=job.prefix
    ).exclude(state=State.DONE)
    for transfer in unsettled:
        if transfer.source_name in listed:
            continue
        if transfer.state == State.SENT:
            transfer.instance = run.instance
            _settle_sent(run, job, transfer)
        elif not transfer.trouble:
            transfer.trouble = "Gone from the source before it was transferred."
            transfer.save(update_fields=["trouble"])
            run.note(f"{transfer.source_name} is gone from the source and was not transferred", warning=True)


def _settle_sent(run: "Run", job: Job, transfer: FileTransfer) -> None:
    with at_edge(job.source):
        renamed = f"{job.sent_prefix}{transfer.source_name}"
        there = store_of(run, job.source).stat(job.directory, renamed) is not None
    transfer.state = State.DONE
    transfer.renamed_to = renamed if there else ""
    transfer.trouble = "" if there else "Delivered; then gone from the source before it was renamed."
    job.delivered(transfer)
    with run.claim.writing():
        transfer.save()
    run.note(f"{transfer.source_name} was delivered before the interruption; its rename is recorded now")
