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
from lookups.periods import day_text
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
    quiet: bool = False  # a preview: nothing of it goes to the log
    made: list[tuple[Step, Row]] = field(default_factory=list)  # the rows that were added

    def write(self, steps: Sequence[Step]) -> None:
        """Do all of them."""
        self._remember(steps)
        removed = [step.row for step in steps if step.do == Do.REMOVE and step.row]
        if self.lookup.is_properties:
            self._rows(removed=removed)
            self._properties(steps)
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
            elif step.row:
                changed.append(row)
            else:
                new.append(row)
                self.made.append((step, row))
        self._rows(new=new, changed=changed, removed=removed)

    def _properties(self, steps: Sequence[Step]) -> None:
        """Periods that become shorter first: a day must be free before another row of that name takes it.

        What is refused is tried again as long as others go: its neighbour may have stood in the way.
        """
        rows = ((step, self._property(step, step.item)) for step in steps if step.item is not None)
        waiting = [(step, row) for step, row in rows if row is not None]
        waiting.sort(key=lambda one: not _shrinks(one[1]))
        while waiting:
            refused = [(step, row, said) for step, row in waiting if (said := self._save(step, row))]
            if len(refused) == len(waiting):
                for step, _, said in refused:
                    self._say(step, said)
                return
            waiting = [(step, row) for step, row, _ in refused]

    def _property(self, step: Step, item: Item) -> Row | None:
        """The value and days as decided; the description and what the value may be follow in any case.

        None where nothing changes.
        """
        row = step.row or Row(lookup=self.lookup)
        before: dict[str, Any] | None = None if step.row is None else row.state()
        if step.do in FOLLOWS:
            name = row.cells[:1]
            self._take(row, item)
            row.cells[:1] = name or row.cells[:1]  # a known property keeps its own spelling
        row.cells[DESCRIPTION:] = item.line.cells[DESCRIPTION:]
        for name, value in item.owned.items():
            setattr(row, name, value)
        return row if row.state() != before else None

    def _save(self, step: Step, row: Row) -> list[str]:
        """Save it; why it cannot be, if so."""
        try:
            row_save(row=row, person=self.person, reason=self.reason)
        except ValidationError as error:
            return error.messages
        self.followed += step.row is not None and step.do != Do.UPDATE
        if step.row is None:
            self.made.append((step, row))
        return []

    def _take(self, row: Row, item: Item) -> None:
        item.line.onto(row)
        setattr(row, self.source, item.line.plain())

    def _say(self, step: Step, said: Sequence[str]) -> None:
        text = f"{step.label} of {self.lookup} stays as it was: {'; '.join(said)}"
        self.problems.append(text)
        if not self.quiet:
            logger.warning("%s", text)


def _shrinks(row: Row) -> bool:
    """Whether its period takes no day that it had not; a new row takes its own."""
    if row.before is None:
        return False
    begins, ends = day_text(row.valid_from), day_text(row.valid_until)
    had_begun, had_ended = row.before["valid_from"], row.before["valid_until"]
    return bool(begins >= had_begun and (not had_ended or (ends and ends <= had_ended)))
