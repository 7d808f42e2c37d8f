"""The steps of a volley: files that were read together are written, published, recorded and renamed together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from integrations.adapters.contract import FileInfo, FileStore
from integrations.adapters.errors import AdapterError, AlreadyExists, NotStarted
from integrations.adapters.several import Each, Parcel
from integrations.engine import brood
from integrations.engine.breakers import breaker_failed, breaker_worked
from integrations.engine.crash import crash
from integrations.engine.faults import Fault, LeaseLost, fault_of
from integrations.engine.files import Feed, Tap, at_edge, bring, rename_at_source, store_of
from integrations.engine.leases import Released
from integrations.engine.rows import insert_rows
from integrations.engine.stream import Kind
from integrations.models import Connection, FileTransfer

if TYPE_CHECKING:
    from integrations.engine.context import Run

State = FileTransfer.State


@dataclass
class Carried:
    """One file of a volley."""

    info: FileInfo
    content: bytes
    transfer: FileTransfer
    child: "Run"
    taps: list[Tap] = field(default_factory=list)
    fault: Fault | None = None
    taken: bool = False  # the target had this name when it was to be given


@dataclass(frozen=True)
class Ways:
    """From where to where a volley goes."""

    source: Connection
    directory: str
    sent_prefix: str
    taps: Callable[[FileTransfer], list[Tap]]
    delivered: Callable[[Sequence[FileTransfer]], None]


def aim_of(one: Carried) -> tuple[str, str]:
    """The connection and directory a file goes to."""
    target = one.transfer.target
    return (target.name if target else "", one.transfer.target_directory)


def most_at_once(run: "Run", connection: str) -> int:
    """How many small files may be under way at once at this connection."""
    return at_once(run.connection(connection), store_of(run, connection))


def at_once(row: Connection, store: FileStore) -> int:
    """Small files under way at once: as the connection sets, else as suits the protocol."""
    return row.parallel or store.at_once


class Carriage:
    """Files that are read, on their way to one place."""

    def __init__(self, run: "Run", ways: Ways, files: list[Carried]) -> None:
        self.run, self.ways, self.files = run, ways, files
        self.target = files[0].child.connection(aim_of(files[0])[0])
        self.store = store_of(files[0].child, self.target.name)
        self.directory = files[0].transfer.target_directory

    @property
    def good(self) -> list[Carried]:
        """Those nothing went wrong with."""
        return [one for one in self.files if one.fault is None]

    def carry(self) -> None:
        """Write, publish, record, rename at the source; what goes wrong with a file is kept with it.

        An error while the ledger is begun is raised: nothing has happened then.
        """
        with brood.born(self.run, [one.child for one in self.files]):
            self._begin()
            try:
                self._tap()
                self._deliver()
                self._settle()
                self._rename()
            except (LeaseLost, Released):
                raise
            except Exception as error:  # noqa: BLE001  (whatever it is ends these files, and is the run's fault)
                for one in self.good:
                    one.fault = fault_of(error)
            finally:
                self._end_failed()
        crash("between_files")
        crash("between_volleys")

    def _begin(self) -> None:
        with self.run.claim.writing():
            self.run.stream.flush()
            insert_rows([one.transfer for one in self.files])
            brood.save([one.child for one in self.files])
        crash("ledger_copying")

    def _tap(self) -> None:
        for one in self.files:
            try:
                for tap in self.ways.taps(one.transfer):
                    tap.feed(one.content)
                    tap.feed(b"")
            except Exception as error:  # noqa: BLE001  (it ends this file alone)
                one.fault = fault_of(error)
        crash("while_copying")

    def _deliver(self) -> None:
        whole = self.store.writes_whole
        parcels = [
            Parcel(
                one.transfer.target_name if whole else one.transfer.part_name,
                one.content,
                str(one.transfer.pk),
            )
            for one in self.good
        ]
        self.run.claim.check()
        written = self.store.write_many(self.directory, parcels, at_once=self._most) if parcels else []
        self._judge(written, may_be_taken=whole)
        crash("copied_not_verified")
        if not whole:
            self._publish()
        crash("published_not_recorded")
        self._one_by_one()
        if self.good:
            breaker_worked(self.target)

    def _publish(self) -> None:
        self._advance(State.PUBLISHING)
        crash("verified_not_renamed_at_target")
        self.run.claim.check()
        names = [(one.transfer.part_name, one.transfer.target_name) for one in self.good]
        self._judge(_renamed(self.store, self.directory, names, self._most), may_be_taken=True)

    @property
    def _most(self) -> int:
        return at_once(self.target, self.store)

    def _judge(self, results: Each[Any], *, may_be_taken: bool) -> None:
        """A fault to each that failed, and one failure counted on the breaker."""
        counted = False
        for one, result in zip(self.good, results, strict=True):
            if isinstance(result, AlreadyExists) and may_be_taken:
                one.taken = True
            elif isinstance(result, AdapterError):
                one.fault = fault_of(result, connection=self.target.name)
                one.fault.code = brood.NOT_STARTED if isinstance(result, NotStarted) else one.fault.code
                if not counted:
                    breaker_failed(self.target, one.fault)
                    counted = True

    def _one_by_one(self) -> None:
        """Names that were taken meanwhile: each is looked at alone, and compared with what is there."""
        for one in [one for one in self.good if one.taken]:
            try:
                with at_edge(self.target.name):
                    if not self.store.writes_whole:
                        self.store.delete(self.directory, one.transfer.part_name)
                    one.transfer.state = State.COPYING
                    bring(one.child, self.store, self._feed(one))
            except Exception as error:  # noqa: BLE001  (it ends this file alone)
                one.fault = fault_of(error, connection=self.target.name)

    def _feed(self, one: Carried) -> Feed:
        source = store_of(self.run, self.ways.source.name)
        return Feed(
            one.transfer,
            lambda: source.open(self.ways.directory, one.info.name),
            self.run.claim.check,
            self.ways.source.name,
        )

    def _settle(self) -> None:
        """They are at the target: the ledger, the children and the stream say so in one go."""
        good = self.good
        with self.run.claim.writing():
            self._write(State.SENT)
            brood.succeeded(
                self.run, [(one.child, one.transfer) for one in good], self.target, len(self.files)
            )
            self.run.stream.flush()
        for one in good:
            one.content = b""
        self.ways.delivered([one.transfer for one in good])

    def _rename(self) -> None:
        """The delivered files get their new names at the source; one that cannot is looked at alone."""
        source, prefix = self.ways.source, self.ways.sent_prefix
        crash("delivered_not_renamed_at_source")
        self.run.claim.check()
        good = self.good
        names = [(one.info.name, f"{prefix}{one.info.name}") for one in good]
        store = store_of(self.run, source.name)
        results = _renamed(store, self.ways.directory, names, most_at_once(self.run, source.name))
        crash("renamed_not_recorded")
        for one, name, result in zip(good, names, results, strict=True):
            if result is None:
                one.transfer.renamed_to = name[1]
                self.run.stream.say(Kind.RENAMED, f"{name[0]} to {name[1]}", connection=source)
            elif result.passing:
                one.fault = fault_of(result, connection=source.name)
        self._done([one for one in good if one.transfer.renamed_to])
        for one in [one for one in self.good if not one.transfer.renamed_to]:
            self._rename_alone(one)

    def _done(self, renamed: list[Carried]) -> None:
        with self.run.claim.writing():
            brood.renamed([one.transfer for one in renamed], self.ways.sent_prefix)
            self.run.stream.flush()

    def _rename_alone(self, one: Carried) -> None:
        try:
            new_name = f"{self.ways.sent_prefix}{one.info.name}"
            rename_at_source(self.run, one.transfer, self.ways.source.name, new_name)
        except Exception as error:  # noqa: BLE001  (it ends this file alone)
            one.fault = fault_of(error, connection=self.ways.source.name)

    def _advance(self, state: str) -> None:
        with self.run.claim.writing():
            self._write(state)

    def _write(self, state: str) -> None:
        rows = [one.transfer for one in self.good if one.transfer.state != state]
        brood.advanced(rows, state)

    def _end_failed(self) -> None:
        """The children of files that failed end with their fault; a file that was not begun is new again."""
        failed = [(one.child, one.transfer, one.fault) for one in self.files if one.fault is not None]
        if failed and not self.run.claim.lost:
            brood.failed(self.run, failed)


def _renamed(store: FileStore, directory: str, names: list[tuple[str, str]], most: int) -> Each[None]:
    """Rename all: what one failure kept from being begun is begun after it, unless the whole connection is at fault."""
    found: dict[tuple[str, str], AdapterError | None] = {}
    while left := [pair for pair in names if pair not in found]:
        results = store.rename_many(directory, left, at_once=most)
        begun = {pair: r for pair, r in zip(left, results, strict=True) if not isinstance(r, NotStarted)}
        broken = next((result for result in begun.values() if result is not None and result.passing), None)
        if broken is not None:
            found |= dict.fromkeys(left, broken)
        found |= begun
    return [found[pair] for pair in names]
