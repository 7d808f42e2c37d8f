"""The body that all file flows share: list, move, rename, report (seed 001 chapter 2).

Small new files go together (volley.py), everything else one by one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from integrations.adapters.contract import FileInfo
from integrations.adapters.several import not_started
from integrations.engine.brood import NOT_STARTED
from integrations.engine.carriage import Ways
from integrations.engine.crash import crash
from integrations.engine.faults import Fault, TechnicalFault, fault_of
from integrations.engine.files import Feed, Tap, at_edge, rename_at_source, store_of
from integrations.engine.listing import check_prefixes, listed_files
from integrations.engine.set_aside import bring_back, set_aside
from integrations.engine.settling import settle_vanished
from integrations.engine.stream import Kind
from integrations.engine.volley import TOGETHER, Handover, carry, volleys
from integrations.models import Connection, FileTransfer

if TYPE_CHECKING:
    from integrations.engine.context import Run

__all__ = ["Feed", "FileTransfer", "Handover", "Job", "Summary", "Tap", "move_files"]

log = structlog.get_logger(__name__)
State = FileTransfer.State
LONGEST_STEP = 200  # characters of a name that are kept as the step a fault is of
NAMES_AT_ONCE = 500  # in one question to the ledger


@dataclass(frozen=True)
class Job:
    """What one run moves: from where, which files, how each is handed on, what it is called afterwards."""

    source: str
    directory: str
    prefix: str
    sent_prefix: str
    hand_on: Handover | Callable[[Feed], Any]
    taps: Callable[[FileTransfer], list[Tap]] = lambda transfer: []
    delivered: Callable[[Sequence[FileTransfer]], None] = lambda transfers: None
    failed_prefix: str = ""  # put before the name of a file that could not be sent; empty: it keeps its name
    serial: bool = False  # whether the order counts: then no two files are under way at once


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
    """Move every file of the job, in name order; after the first error none is started any more, what is under way
    beside it comes to its end.

    Raises nothing for what goes wrong with a file: the summary has the fault, and the rest as not transferred.
    A source that cannot be listed is raised.
    """
    check_prefixes(job.prefix, sent=job.sent_prefix, failed=job.failed_prefix)
    source = run.connection(job.source)
    bring_back(run, job, source)
    listed = listed_files(run, job)
    summary = Summary(found=len(listed))
    settle_vanished(run, job, source, {info.name for info in listed})
    summary.transferred = done_before(run)
    alone = _in_ledger(source, job, [info.name for info in listed])
    for group in volleys(listed, alone, _most(run, job)):
        _move(run, job, source, group, summary)
    return summary


def _most(run: "Run", job: Job) -> int:
    """How many small files go together: as the source's connection sets. How many are under way, each store says."""
    if job.serial or not isinstance(job.hand_on, Handover):
        return 1
    return run.connection(job.source).parallel or TOGETHER


def _in_ledger(source: Connection, job: Job, names: list[str]) -> set[str]:
    """The names that the ledger has met here before: what became of those is settled one by one."""
    rows = FileTransfer.objects.filter(source=source, source_directory=job.directory)
    found: set[str] = set()
    for start in range(0, len(names), NAMES_AT_ONCE):
        some = names[start : start + NAMES_AT_ONCE]
        found.update(rows.filter(source_name__in=some).values_list("source_name", flat=True))
    return found


def _move(run: "Run", job: Job, source: Connection, group: list[FileInfo], summary: Summary) -> None:
    """A volley as far as it goes together, and what does not, alone."""
    while group:
        if summary.fault is not None and not is_leftover(summary.fault):
            summary.not_transferred += [(info.name, not_started().text) for info in group]
            return
        carried = _move_together(run, job, source, group) if len(group) > 1 else []
        for info, fault in carried:
            _count(run, info, fault, summary)
        if not carried:
            fault = _move_one(run, job, source, group[0])
            _count(run, group[0], fault, summary)
            if fault is not None and not is_leftover(fault):
                set_aside(run, job, source, group[0], fault)
        group = group[len(carried) or 1 :]


def _move_together(
    run: "Run", job: Job, source: Connection, group: list[FileInfo]
) -> list[tuple[FileInfo, Fault | None]]:
    """What became of those that went together; [] where the first has to go alone, which says why if it fails too."""
    ways = Ways(source, job.directory, job.sent_prefix, job.taps, job.delivered)
    try:
        return carry(run, ways, job.hand_on, group) if isinstance(job.hand_on, Handover) else []
    except Exception as error:  # noqa: BLE001  (nothing was begun: the first file meets the same error alone, and records it)
        log.warning("volley_not_begun", instance=str(run.instance.pk), error=str(error))
        return []


def is_leftover(fault: Fault) -> bool:
    """Faults that concern one file alone and stop no other."""
    return fault.code in ("HUB-SOURCE-CHANGED", "HUB-FILE-AGAIN", "HUB-FILE-NAME", "HUB-FILE-BUSY")


def _move_one(run: "Run", job: Job, source: Connection, info: FileInfo) -> Fault | None:
    try:
        _transfer(run, job, source, info)
    except Exception as error:  # noqa: BLE001  (whatever it is ends this file, is kept as the run's fault, raised later)
        return fault_of(error, connection=job.source)
    return None


def _count(run: "Run", info: FileInfo, fault: Fault | None, summary: Summary) -> None:
    """What became of a file; the first fault that concerns more than its own file is the run's."""
    if fault is None:
        summary.transferred.append(info.name)
        return
    summary.not_transferred.append((info.name, fault.text))
    if fault.code == NOT_STARTED:
        return
    fault.step = fault.step or info.name[:LONGEST_STEP]
    if summary.fault is None or is_leftover(summary.fault):
        summary.fault = fault
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
        _hand_on(run, job, feed)
    else:
        run.stream.say(
            Kind.MOVED, f"{info.name} was at the target before the interruption", connection=transfer.target
        )
    job.delivered([transfer])  # also for one that was delivered before an interruption
    rename_at_source(run, transfer, job.source, f"{job.sent_prefix}{info.name}")
    crash("between_files")


def _hand_on(run: "Run", job: Job, feed: Feed) -> None:
    """One file to the child that takes it, or to the flow's own way."""
    if isinstance(job.hand_on, Handover):
        run.call(job.hand_on.flow, job.hand_on.message(feed.transfer.source_name), feed=feed)
    else:
        job.hand_on(feed)


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


def done_before(run: "Run") -> list[str]:
    """What earlier attempts of this instance transferred: the mail tells of the whole run."""
    rows = FileTransfer.objects.filter(instance=run.instance, state=State.DONE).order_by("source_name")
    return list(rows.values_list("source_name", flat=True))
