"""Files in a run: stores, the bytes on their way, and delivery to a target, once.

The ledger (FileTransfer) says how far a file got; after a crash it is settled from there: a partial copy is
written anew, a whole one gets its name, a published one is left alone. (reliability rules 9 and 10)
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from integrations.adapters import open_adapter
from integrations.adapters.contract import CHUNK, FileStore, Reader, Written
from integrations.adapters.errors import AdapterError, AlreadyExists, NotFound
from integrations.engine.breakers import breaker_check, breaker_failed, breaker_worked
from integrations.engine.connections import connection_endpoint
from integrations.engine.crash import crash
from integrations.engine.faults import ConnectionUnusable, InvalidMessage, LeaseLost, RemoteFault, fault_of
from integrations.engine.stream import Kind
from integrations.models import Connection, FileTransfer
from integrations.storage import payload_open

if TYPE_CHECKING:
    from integrations.engine.context import Run

State = FileTransfer.State


class Tap(Protocol):
    """Something that listens as a file's bytes pass."""

    def feed(self, chunk: bytes) -> None:
        """The next bytes, in order."""
        ...


class TappedReader:
    """A Reader whose bytes are shown to taps, and whose reading stops when the lease is lost."""

    def __init__(self, raw: Reader, taps: list[Tap], check: Callable[[], None], source: str) -> None:
        """`check` is called before each read and may raise; `source` is whom a failing read is put down to."""
        self._raw, self._taps, self._check, self._source = raw, taps, check, source

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; b"" at the end."""
        self._check()
        with at_edge(self._source):
            chunk = self._raw.read(size)
        crash("while_copying")
        for tap in self._taps:
            tap.feed(chunk)
        return chunk


@dataclass
class Feed:
    """A file on its way: its ledger row, how to open it, and who listens."""

    transfer: FileTransfer
    opener: Callable[[], AbstractContextManager[Reader]]
    check: Callable[[], None]
    source: str = ""
    taps: list[Tap] = field(default_factory=list)
    unchanged: Callable[[], bool] = lambda: True

    @contextmanager
    def open(self) -> Iterator[Reader]:
        """The file's bytes from the start, heard by the taps."""
        with ExitStack() as stack:
            with at_edge(self.source):
                raw = stack.enter_context(self._opened())
            yield TappedReader(raw, self.taps, self.check, self.source)

    @contextmanager
    def _opened(self) -> Iterator[Reader]:
        """The file at its source; one that was listed and is gone concerns no other file."""
        with ExitStack() as stack:
            try:
                raw = stack.enter_context(self.opener())
            except NotFound as gone:
                raise _changed(f"{self.transfer.source_name} is gone from the source: {gone.text}") from gone
            yield raw


def store_of(run: "Run", name: str) -> FileStore:
    """The store behind a connection, opened once a run; passing faults count on its breaker."""
    return run.keep_store(name, lambda: _open_store(run, run.connection(name)))


def _open_store(run: "Run", row: Connection) -> FileStore:
    run.allows_retries(row.retries)
    breaker_check(row)
    adapter = open_adapter(connection_endpoint(row))
    if not isinstance(adapter, FileStore):
        raise ConnectionUnusable(f"Connection {row.name!r} is {row.adapter}: it holds no files")
    return adapter


@contextmanager
def at_edge(name: str) -> Iterator[None]:
    """What goes wrong at a connection in this block, as a Fault that names it and counts on its breaker."""
    try:
        yield
    except AdapterError as error:
        fault = fault_of(error, connection=name)
        row = Connection.objects.filter(name=name).first()
        if row is not None:
            breaker_failed(row, fault)
        raise fault from error


def feed_of(run: "Run") -> Feed:
    """The file passed by the parent, or the attachment that came by URL; InvalidMessage where there is none."""
    if run.feed is not None:
        return run.feed
    attachment = run.instance.attachment
    if attachment is None:
        raise InvalidMessage(
            "There is no file with this message", hint="Send it as the part `file` of a multipart."
        )
    transfer, _ = FileTransfer.objects.get_or_create(
        instance=run.instance,
        source=None,
        defaults={"source_name": run.instance.attachment_name, "source_size": attachment.size},
    )
    return Feed(transfer, lambda: payload_open(attachment), run.claim.check)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a child's file goes: a connection, the directory there, and its final name."""

    connection: str
    directory: str
    name: str


def carry_out(run: "Run", delivery: Delivery) -> dict[str, Any]:
    """Write the run's file to its target under its final name, once; answers its size and SHA-256."""
    feed = feed_of(run)
    transfer = feed.transfer
    connection, directory, name = delivery.connection, delivery.directory, delivery.name
    with at_edge(connection):
        store = store_of(run, connection)
        target = run.connection(connection)
        _aim(transfer, target, directory, name)
        with run.stream.timed(Kind.MOVED, f"{name} to {connection}", connection=target) as line:
            if transfer.state not in (State.SENT, State.DONE):
                bring(run, store, feed)
            line.bytes_out = transfer.size
        breaker_worked(target)
    return {"status": "SUCCESS", "size": transfer.size, "sha256": transfer.sha256}


def _aim(transfer: FileTransfer, target: Connection, directory: str, name: str) -> None:
    """Where the file goes; one that was under way elsewhere starts again."""
    aim = (target.pk, directory, name)
    if (transfer.target_id, transfer.target_directory, transfer.target_name) != aim:
        came_with_message = (
            transfer.source_id is None
        )  # another name in an edited message is another file there
        if came_with_message or transfer.state in (State.COPYING, State.PUBLISHING):
            transfer.state = State.NEW
        transfer.target, transfer.target_directory, transfer.target_name = target, directory, name


def bring(run: "Run", store: FileStore, feed: Feed) -> None:
    """From wherever the ledger says the file is, to its final name at the target."""
    transfer = feed.transfer
    if transfer.state == State.PUBLISHING and _settle_publishing(run, store, transfer):
        return
    if _already_there(run, store, feed):
        return
    if transfer.tries:
        discard_unfinished(store, transfer)
    _advance(run, transfer, State.COPYING, tries=transfer.tries + 1)
    crash("ledger_copying")
    written = _copy(store, feed)
    crash("copied_not_verified")
    transfer.size, transfer.sha256 = written.size, written.sha256
    if not store.writes_whole:
        _advance(run, transfer, State.PUBLISHING)
        crash("verified_not_renamed_at_target")
        run.claim.check()
        store.rename(transfer.target_directory, transfer.part_name, transfer.target_name)
    crash("published_not_recorded")
    _advance(run, transfer, State.SENT)


def discard_unfinished(store: FileStore, transfer: FileTransfer) -> None:
    """Take away what an interrupted try left at the target: its hidden part, or parts of an upload."""
    if store.writes_whole:
        store.discard(transfer.target_directory, transfer.target_name)
    else:
        store.delete(transfer.target_directory, transfer.part_name)


def _copy(store: FileStore, feed: Feed) -> Written:
    """The bytes to the target; a source that is not the size it was listed with is left for another time."""
    transfer = feed.transfer
    name = transfer.target_name if store.writes_whole else transfer.part_name
    try:
        with feed.open() as reader:
            written = store.write(
                transfer.target_directory, name, reader, size=transfer.source_size, mark=str(transfer.pk)
            )
    except LeaseLost:
        if not store.writes_whole:  # the part of this try is its own: another holder writes another one
            with suppress(AdapterError):
                store.delete(transfer.target_directory, name)
        raise
    grown = transfer.source_size is not None and written.size != transfer.source_size
    if grown or not feed.unchanged():
        store.delete(transfer.target_directory, name)
        raise _changed(
            f"{transfer.source_name} is not as it was listed ({transfer.source_size} bytes, {written.size} read): "
            "it is still being written"
        )
    return written


def _changed(text: str) -> RemoteFault:
    return RemoteFault(
        text, code="HUB-SOURCE-CHANGED", hint="What is at the source is left for the next run."
    )


def _settle_publishing(run: "Run", store: FileStore, transfer: FileTransfer) -> bool:
    """After a crash between whole copy and final name: give it the name, or see that it has it."""
    directory = transfer.target_directory
    part = store.stat(directory, transfer.part_name)
    final = store.stat(directory, transfer.target_name)
    if part is not None and part.size == transfer.size:
        store.rename(directory, transfer.part_name, transfer.target_name)
    elif part is not None or final is None or final.size != transfer.size:
        return False
    run.note(f"{transfer.target_name} was whole at the target before the interruption; not copied again")
    _advance(run, transfer, State.SENT)
    return True


def _already_there(run: "Run", store: FileStore, feed: Feed) -> bool:
    """Whether the target has this very content under this name; AlreadyExists where it has another one."""
    transfer = feed.transfer
    final = store.stat(transfer.target_directory, transfer.target_name)
    if final is None:
        return False
    with feed.open() as reader:
        ours = _digest(reader)
    with store.open(transfer.target_directory, transfer.target_name) as reader:
        theirs = _digest(reader)
    if ours != theirs:
        raise AlreadyExists(
            f"{transfer.target_name} is at the target already, with other content ({theirs.size} bytes there, "
            f"{ours.size} here)",
            hint="Remove or rename one of the two, then resubmit.",
        )
    run.note(
        f"{transfer.target_name} is at the target already with the same content; not copied again",
        warning=True,
    )
    transfer.size, transfer.sha256 = ours.size, ours.sha256
    _advance(run, transfer, State.SENT)
    return True


def _digest(reader: Reader) -> Written:
    found, size = hashlib.sha256(), 0
    while chunk := reader.read(CHUNK):
        found.update(chunk)
        size += len(chunk)
    return Written(size, found.hexdigest())


def _advance(run: "Run", transfer: FileTransfer, state: str, *, tries: int | None = None) -> None:
    """Write down how far the file got, before anything else happens; LeaseLost if it is another's by now."""
    transfer.state = state
    transfer.trouble = ""
    transfer.tries = transfer.tries if tries is None else tries
    with run.claim.writing():
        run.stream.flush()  # what was done is told with its record: a crash leaves both or neither
        transfer.save()


def rename_at_source(run: "Run", transfer: FileTransfer, source: str, new_name: str) -> None:
    """Give a delivered file its new name at the source; one that has it already is done."""
    store = store_of(run, source)
    directory, old = transfer.source_directory, transfer.source_name
    crash("delivered_not_renamed_at_source")
    run.claim.check()
    with at_edge(source), run.stream.timed(Kind.RENAMED, f"{old} to {new_name}", connection=transfer.source):
        try:
            store.rename(directory, old, new_name)
        except NotFound:
            if store.stat(directory, new_name) is None:
                raise
    crash("renamed_not_recorded")
    transfer.renamed_to = new_name
    _advance(run, transfer, State.DONE)
