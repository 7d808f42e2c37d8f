"""Files processed record by record, going on at the one that failed (seed 003, Enrollment Acknowledgment).

Each record is a call. The ledger counts those that are done, committed after each: it is the checkpoint. The name says
it too, to people and to other tools: a file that stopped at record N is renamed to end in `_ErrInRcd_N`. Where the two
disagree, as after a crash between them, the ledger is right.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from integrations.adapters.contract import FileInfo
from integrations.engine.crash import crash
from integrations.engine.csv_records import CsvRecords
from integrations.engine.faults import Fault, TechnicalFault, fault_of
from integrations.engine.files import at_edge, store_of
from integrations.engine.listing import check_prefixes, listed_files
from integrations.engine.pump import Summary, done_before, is_leftover
from integrations.engine.stream import Kind, Level
from integrations.models import Connection, FileTransfer

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from integrations.engine.context import Run

State = FileTransfer.State
Record = dict[str, str]
STOPPED = re.compile(r"_ErrInRcd_(\d+)(?=\.[^.]*$|$)")
READ_AT_ONCE = 1  # a record that cannot be read must not keep those before it from being sent


@dataclass(frozen=True)
class RecordJob:
    """What one run processes.

    `ready` is asked once there is a file, and may raise. `send` takes a record, its number, from 1, the header left
    out, and the key that says it is this record of this file; it returns whether it was passed over, because the
    target had it already.
    """

    source: str
    directory: str
    prefix: str
    sent_prefix: str
    columns: tuple[str, ...]
    ready: Callable[[], None]
    send: Callable[[Record, int, str], bool]


def process_files(run: "Run", job: RecordJob) -> Summary:
    """Process every listed file in name order; the first fault ends the run, the rest is told as not transferred.

    Raises only where the source cannot be listed.
    """
    check_prefixes(job.prefix, sent=job.sent_prefix)
    source = run.connection(job.source)
    job = replace(job, source=source.name)
    files = listed_files(run, job)
    if files:
        job.ready()
    summary = Summary(found=len(files))
    summary.transferred = list(dict.fromkeys([*done_before(run), *_settle_renamed(run, job, source, files)]))
    for info in files:
        name = original_name(info.name)
        if summary.fault is not None and not is_leftover(summary.fault):
            summary.not_transferred.append((name, "Not begun, as the file before it was stopped by an error"))
            continue
        fault = _process(run, job, source, info)
        if fault is None:
            summary.transferred.append(name)
        else:
            summary.fault = fault if summary.fault is None or not is_leftover(fault) else summary.fault
            summary.not_transferred.append((name, fault.text))
    return summary


def _settle_renamed(run: "Run", job: RecordJob, source: Connection, listed: list[FileInfo]) -> list[str]:
    """Files that have their last name, which a crash kept from being recorded: they are done, and told of now."""
    cut_off = FileTransfer.objects.filter(
        source=source,
        source_directory=job.directory,
        source_name__startswith=job.prefix,
        state=State.COPYING,
        trouble="",
    ).exclude(source_name__in=[original_name(info.name) for info in listed])
    return [row.source_name for row in cut_off if _is_renamed(run, job, row)]


def _is_renamed(run: "Run", job: RecordJob, row: FileTransfer) -> bool:
    name = f"{job.sent_prefix}{row.source_name}"
    with at_edge(job.source):
        there = store_of(run, job.source).stat(job.directory, name)
    if there is None or there.size != row.source_size:
        return False
    row.state, row.renamed_to = State.DONE, name
    run.note(f"{row.source_name} was renamed to {name} before the interruption; its rename is recorded now")
    with run.claim.writing():
        run.stream.flush()
        row.save()
    return True


def original_name(name: str) -> str:
    """The name a file had before it was stopped at a record."""
    return STOPPED.sub("", name)


def stopped_name(name: str, record: int) -> str:
    """The name of a file that was stopped at this record: `…_ErrInRcd_6.csv`."""
    first = original_name(name)
    stem, dot, extension = first.rpartition(".")
    return f"{stem}_ErrInRcd_{record}.{extension}" if dot else f"{first}_ErrInRcd_{record}"


def _process(run: "Run", job: RecordJob, source: Connection, info: FileInfo) -> Fault | None:
    """One file to its end, or its fault; then its name at the source says how far it got."""
    row: FileTransfer | None = None
    try:
        if info.trouble:
            raise TechnicalFault(f"{info.name!r} is left alone: {info.trouble}", code="HUB-FILE-NAME")
        row = _ledger_row(run, job, source, info)
        passed_over = _records(run, job, row, info)
        _rename(run, job, row, info.name, f"{job.sent_prefix}{row.source_name}", state=State.DONE)
        told = f", {passed_over} of them were there already" if passed_over else ""
        run.stream.say(
            Kind.MOVED, f"{row.source_name}: {row.records_done} record(s) sent{told}", connection=source
        )
    except Exception as error:  # noqa: BLE001  (whatever it is ends this file, is kept as the run's fault, raised later)
        fault = fault_of(error, connection=job.source)
        fault.passing = False  # the next run goes on at the record, as the seed has it
        fault.step = fault.step or info.name[:200]
        run.stream.say(Kind.FAULT, f"{info.name}: {fault.text}", level=Level.ERROR)
        if row is not None:
            _mark_stopped(run, job, row, info.name, fault)
        return fault
    return None


def _records(run: "Run", job: RecordJob, row: FileTransfer, info: FileInfo) -> int:
    """Send the records that are not done; how many of them the target had already."""
    passed_over = 0
    for number, record in _numbered(run, job, info):
        if number <= row.records_done:
            continue
        run.claim.check()
        with _at_record(number):
            passed_over += job.send(record, number, f"{row.pk}:{number}")
        crash("record_sent_not_counted")
        row.records_done = number
        with run.claim.writing():
            run.stream.flush()  # what was passed over is told with its count: a crash leaves both or neither
            FileTransfer.objects.filter(pk=row.pk).update(records_done=number)
    return passed_over


def _numbered(run: "Run", job: RecordJob, info: FileInfo) -> Iterator[tuple[int, Record]]:
    with at_edge(job.source):
        opened = store_of(run, job.source).open(job.directory, info.name)
    with opened as reader:
        number = 0
        for segment in CsvRecords(reader, job.columns, name=info.name).segments(READ_AT_ONCE):
            for record in segment.records():
                number += 1
                yield number, record


@contextmanager
def _at_record(number: int) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        fault = fault_of(error)
        fault.step = f"record {number}"
        raise fault from error


def _ledger_row(run: "Run", job: RecordJob, source: Connection, info: FileInfo) -> FileTransfer:
    """The file's row: the one of its original name that is not done, or a new one that begins where the name says."""
    name = original_name(info.name)
    said = STOPPED.search(info.name)
    named = max(int(said[1]) - 1, 0) if said else 0
    rows = FileTransfer.objects.filter(source=source, source_directory=job.directory, source_name=name)
    row = _unfinished(rows, info, named=said is not None)
    if row is None:
        _refuse_again(rows, info)
        row = FileTransfer(
            instance=run.instance,
            source=source,
            source_directory=job.directory,
            source_name=name,
            source_size=info.size,
            source_modified=info.modified,
            records_done=named,
        )
    elif row.records_done != named:
        run.note(
            f"{info.name} says {named} record(s) are done, the ledger says {row.records_done}: it goes on at record "
            f"{row.records_done + 1}",
            warning=said is not None,
        )
    row.instance, row.state, row.tries, row.trouble = run.instance, State.COPYING, row.tries + 1, ""
    with run.claim.writing():
        row.save()
    if row.records_done:
        run.note(f"{name} goes on at record {row.records_done + 1}")
    return row


def _unfinished(rows: "QuerySet[FileTransfer]", info: FileInfo, *, named: bool) -> FileTransfer | None:
    """The row of this file, if it was begun: as it was listed then, or of its size where its name says it was stopped.

    A new file of the same name and size, whose records were never sent, is not taken for the one begun before.
    """
    begun = list(rows.exclude(state=State.DONE).filter(source_size=info.size))
    same = [row for row in begun if row.source_modified == info.modified]
    return next(iter(same or (begun if named else [])), None)


def _refuse_again(rows: "QuerySet[FileTransfer]", info: FileInfo) -> None:
    done = rows.filter(state=State.DONE, source_size=info.size, source_modified=info.modified).first()
    if done is not None:
        raise TechnicalFault(
            f"{info.name} was processed on {done.updated_at:%Y-%m-%d %H:%M} UTC and is here again, unchanged",
            code="HUB-FILE-AGAIN",
            hint="Remove it at the source, or write it anew to have it processed again.",
        )


def _mark_stopped(run: "Run", job: RecordJob, row: FileTransfer, name: str, fault: Fault) -> None:
    """Give the file the name that says where it goes on; what goes wrong there is said and hides nothing."""
    row.trouble = fault.text
    try:
        _rename(run, job, row, name, stopped_name(name, row.records_done + 1), state=State.COPYING)
    except Exception as error:  # noqa: BLE001  (anything: the file's own fault is what counts)
        run.note(f"{name} could not be renamed: {fault_of(error).text}", warning=True)


def _rename(run: "Run", job: RecordJob, row: FileTransfer, old: str, new: str, *, state: str) -> None:
    if old != new:
        crash("counted_not_renamed")
        with at_edge(job.source):
            store_of(run, job.source).rename(job.directory, old, new)
        run.stream.say(Kind.RENAMED, f"{old} to {new}")
        crash("renamed_not_noted")
    row.state, row.renamed_to = state, "" if old == new else new
    with run.claim.writing():
        run.stream.flush()
        row.save()
