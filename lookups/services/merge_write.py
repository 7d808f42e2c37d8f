"""Writing the steps of a merge: a table's rows together, a property list's one by one."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from lookups.lines import Source
from lookups.merge import Do, Item, Step
from lookups.models import DESCRIPTION, Lookup, Row
from lookups.services.rows import BATCH, Person, row_save, rows_write

logger = logging.getLogger(__name__)
FOLLOWS = (Do.ADD, Do.UPDATE)
_plain: models.QuerySet[Row] = models.QuerySet(Row)  # touches no stamps: nothing that is looked up changes


@dataclass(slots=True)
class RowWriter:
    """Adds, updates and removes rows with history, and remembers what was brought; conflicts are left alone.

    What cannot be (a site's value that the package's new kind forbids, say) stays as it was and is told in
    `problems` and the log: a migration must not stop for it.
    """

    lookup: Lookup
    source: Source
    person: Person = None
    reason: str = ""
    problems: list[str] = field(default_factory=list)
    followed: int = 0  # properties whose description or kind changed, while their value stays

    def write(self, steps: Sequence[Step]) -> None:
        """Do all of them."""
        self._remember(steps)
        removed = [step.row for step in steps if step.do == Do.REMOVE and step.row]
        if self.lookup.is_properties:
            self._rows(removed=removed)
            for step in steps:
                if step.item is not None:
                    self._property(step, step.item)
        else:
            self._table(steps, removed)

    def _rows(self, **rows: Sequence[Row]) -> None:
        rows_write(**rows, person=self.person, reason=self.reason)

    def _remember(self, steps: Sequence[Step]) -> None:
        """Write what was brought for rows that themselves stay."""
        stays = []
        for step in steps:
            if step.row is None or step.do in (*FOLLOWS, Do.REMOVE):
                continue
            brought = step.item.line.plain() if step.item else None
            if getattr(step.row, self.source) != brought:
                setattr(step.row, self.source, brought)
                stays.append(step.row)
        _plain.bulk_update(stays, [str(self.source)], batch_size=BATCH)

    def _table(self, steps: Sequence[Step], removed: Sequence[Row]) -> None:
        last = self.lookup.rows.aggregate(last=models.Max("position"))["last"] or 0
        new: list[Row] = []
        changed: list[Row] = []
        for step in steps:
            if step.do not in FOLLOWS or step.item is None:
                continue
            row = step.row or Row(lookup=self.lookup, position=last + len(new) + 1)
            self._take(row, step.item)
            row.normalise()
            if found := row.problems():
                self._say(step, list(found.values()))
            else:
                (changed if step.row else new).append(row)
        self._rows(new=new, changed=changed, removed=removed)

    def _property(self, step: Step, item: Item) -> None:
        """The value and days as decided; the description and what the value may be follow in any case."""
        row = step.row or Row(lookup=self.lookup)
        before: dict[str, Any] | None = None if step.row is None else row.state()
        if step.do in FOLLOWS:
            name = row.cells[:1]
            self._take(row, item)
            row.cells[:1] = name or row.cells[:1]  # a known property keeps its own spelling
        row.cells[DESCRIPTION:] = item.line.cells[DESCRIPTION:]
        for name, value in item.owned.items():
            setattr(row, name, value)
        if row.state() != before:
            self._save(row, step)

    def _save(self, row: Row, step: Step) -> None:
        try:
            row_save(row=row, person=self.person, reason=self.reason)
            self.followed += step.row is not None and step.do != Do.UPDATE
        except ValidationError as error:
            self._say(step, error.messages)

    def _take(self, row: Row, item: Item) -> None:
        item.line.onto(row)
        setattr(row, self.source, item.line.plain())

    def _say(self, step: Step, said: Sequence[str]) -> None:
        text = f"{step.label} of {self.lookup} stays as it was: {'; '.join(said)}"
        self.problems.append(text)
        logger.warning("%s", text)
