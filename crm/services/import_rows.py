"""What imports share: a CSV file's rows with their lines, taken some at a time, and what came of them."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TextIO, TypeVar

from django.db import transaction

from crm.config import config
from crm.outage.positions import BadPosition, Point, Projector
from integrations.engine.faults import InvalidMessage, fault_of
from integrations.services.audit import audit
from lookups.errors import LookupFault

AT_ONCE = 1000
TOLD = 1000  # problems that are told word for word; more are counted
Row = Mapping[str, str]
Key = TypeVar("Key")
Value = TypeVar("Value")


class CsvRow(dict[str, str]):
    """A record by its columns; `line` is where in the file it ends, `surplus` its cells that no column is for."""

    line: int = 0
    surplus: int = 0


@dataclass
class Imported:
    """How many rows were new, changed, as they were; and what is wrong with the `bad` others, line by line."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: list[str] = field(default_factory=list)
    bad: int = 0

    def refuse(self, line: int, why: str) -> None:
        """A row that is left out."""
        self.bad += 1
        if self.bad <= TOLD:
            self.problems.append(f"line {line}: {why}")


def read_csv(file: TextIO) -> Iterator[CsvRow]:
    """The records of a CSV file with a header. InvalidMessage where it has none, or is no CSV file in UTF-8."""
    reader = csv.reader(file)
    names: list[str] = []
    try:
        for cells in filter(None, reader):
            if not names:
                names = _names(cells)
                continue
            row = CsvRow(zip(names, cells, strict=False))
            row.line, row.surplus = reader.line_num, len(cells) - len(names)
            yield row
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidMessage(f"After line {reader.line_num} the file is no CSV in UTF-8: {error}") from None
    if not names:
        raise InvalidMessage("The file is empty", hint="Its first line has to name the columns.")


def _names(cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    folded = [name.casefold() for name in names]
    twice = sorted({name for name in names if folded.count(name.casefold()) > 1})
    if twice:
        raise InvalidMessage(f"The header names {', '.join(map(repr, twice))} more than once")
    return names


class RowImport(ABC, Generic[Key, Value]):
    """An import: `run` takes rows, each is read by itself, and what was read is written AT_ONCE at a time."""

    def __init__(self, projection: str) -> None:
        """`projection`: of x and y; "" is the model's. LookupMissing where it is none."""
        self.settings = config()
        model = self.settings.model_projection
        try:
            self._projector = Projector(projection or model, model)
        except LookupFault as error:
            raise fault_of(error) from None
        self._done = Imported()
        self._columns: set[str] = set()
        self._seen: dict[Key, int] = {}
        self._batch: dict[Key, Value] = {}

    @abstractmethod
    def column_problem(self, name: str) -> str:
        """Why a column (without case) is not read; "" where it is."""

    @abstractmethod
    def read(self, cells: dict[str, str], names: dict[str, str]) -> tuple[Key, Value]:
        """A row's key and what it says. `names`: the columns as they are written. InvalidMessage."""

    @abstractmethod
    def called(self, key: Key) -> str:
        """How people call what has this key."""

    @abstractmethod
    def write(self, batch: dict[Key, Value]) -> tuple[int, int]:
        """Write rows inside a transaction, in the order of their keys; how many are new, how many changed."""

    def run(self, rows: Iterable[Row]) -> Imported:
        """Take all rows; where they are from no file their lines are counted as if a header stood above them."""
        for place, row in enumerate(rows):
            line = getattr(row, "line", place + 2)
            try:
                self._take(line, row)
            except InvalidMessage as fault:
                self._done.refuse(line, fault.text)
            if len(self._batch) >= AT_ONCE:
                self._write()
        self._write()
        return self._done

    def point(self, cells: Mapping[str, str]) -> Point | None:
        """A row's x and y in the model's projection; None where both are blank. InvalidMessage."""
        x, y = cells.get("x", ""), cells.get("y", "")
        if not x and not y:
            return None
        if not x or not y:
            raise InvalidMessage(f"it has {'y' if y else 'x'} without {'x' if y else 'y'}")
        try:
            return self._projector.convert(x, y)
        except BadPosition as bad:
            raise InvalidMessage(f"({x}, {y}) is no place: {bad} is no number or lies outside") from None

    def _take(self, line: int, row: Row) -> None:
        names = {name.strip().casefold(): name.strip() for name in row}
        self._look_at_columns(names)
        _expect_whole(row)
        cells = {name.strip().casefold(): (cell or "").strip() for name, cell in row.items()}
        key, value = self.read(cells, names)
        if key in self._seen:
            raise InvalidMessage(f"{self.called(key)} was in line {self._seen[key]} already")
        self._seen[key] = line
        self._batch[key] = value

    def _look_at_columns(self, names: dict[str, str]) -> None:
        """Name a column that means nothing here, once."""
        for folded, name in names.items():
            if folded not in self._columns and (why := self.column_problem(folded)):
                self._done.problems.append(f"column {name!r} is not read: {why}")
            self._columns.add(folded)

    def _write(self) -> None:
        batch, self._batch = self._batch, {}
        if not batch:
            return
        with transaction.atomic():
            added, changed = self.write(batch)
        self._done.added += added
        self._done.changed += changed
        self._done.unchanged += len(batch) - added - changed


def _expect_whole(row: Row) -> None:
    surplus = getattr(row, "surplus", 0)
    if surplus:
        more = "more" if surplus > 0 else "fewer"
        raise InvalidMessage(f"it has {abs(surplus)} cell(s) {more} than the header")


def import_on_record(done: Imported, *, actor: str, action: str, subject: str) -> Imported:
    """Write what an import did to the audit trail, if it did something."""
    if done.added or done.changed:
        detail = {"added": done.added, "changed": done.changed, "bad": done.bad}
        audit(actor=actor, action=action, subject=subject, detail=detail)
    return done
