"""How processes learn of edits: a stamp for each lookup, and one for the catalogue of lookups and aliases.

An edit writes a new random stamp in its own transaction, so whoever sees the stamp sees the edit. Stamps are
random, not counted: one that was rolled back never comes again.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar
from uuid import uuid4

from django.apps import apps
from django.db import models, transaction

CATALOGUE = "catalogue"
M = TypeVar("M", bound=models.Model)
_held: ContextVar[set[str] | None] = ContextVar("lookups_held_stamps", default=None)
_edits = 0


def own_edits() -> int:
    """How often this process changed a stamp: its own edits are seen at once."""
    return _edits


def touch(subjects: Iterable[str]) -> None:
    """Say that these lookups (primary keys as text, or CATALOGUE) changed."""
    changed = set(subjects)
    held = _held.get()
    if held is not None:
        held |= changed
    elif changed:
        _write(changed)


@contextmanager
def touch_once() -> Iterator[None]:
    """A transaction of many edits that changes each stamp once, at its end."""
    held: set[str] = set()
    with transaction.atomic():
        token = _held.set(held)
        try:
            yield
        finally:
            _held.reset(token)
        touch(held)  # within an outer touch_once: kept for that one


def _write(subjects: set[str]) -> None:
    stamp = apps.get_model("lookups", "Stamp")
    rows = [stamp(subject=subject, value=uuid4().hex) for subject in sorted(subjects)]
    stamp._base_manager.bulk_create(
        rows, update_conflicts=True, unique_fields=["subject"], update_fields=["value"]
    )
    _noticed()
    transaction.on_commit(_noticed)


def _noticed() -> None:
    global _edits  # noqa: PLW0603  (one counter a process is what it is for)
    _edits += 1


class TouchingQuerySet(models.QuerySet[M]):
    """Bulk operations, which send no signals, change the stamps too. They write no history: services do."""

    def _subjects(self) -> set[str]:
        if self.model._meta.model_name != "row":
            return {CATALOGUE}
        return {str(key) for key in self.order_by().values_list("lookup_id", flat=True).distinct()}

    def update(self, **values: Any) -> int:
        """As Django's, and the stamps."""
        subjects = self._subjects()
        with transaction.atomic():
            changed = super().update(**values)
            touch(subjects)
        return changed

    def bulk_create(self, objs: Iterable[M], *args: Any, **options: Any) -> list[M]:
        """As Django's, and the stamps."""
        with transaction.atomic():
            made = super().bulk_create(objs, *args, **options)
            touch(str(row.lookup_id) if hasattr(row, "lookup_id") else CATALOGUE for row in made)
        return made
