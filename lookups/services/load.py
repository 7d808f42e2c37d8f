"""Loading the lookups a package ships with, again and again, without undoing what people did."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps as current_apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from lookups.kinds import Kind
from lookups.models import DESCRIPTION, VALUE, Alias, Lookup, Row
from lookups.names import fold_name, fold_property
from lookups.services.rows import row_save
from lookups.stamps import touch_once

logger = logging.getLogger(__name__)
PACKAGED = "fixtures/lookups"


class FixtureInvalid(Exception):
    """A fixture cannot be loaded; names the file and the place."""


@dataclass
class Loaded:
    """What a load did."""

    lookups: int = 0
    added: int = 0
    updated: int = 0
    aliases: int = 0


def schema_is_current(state: Any = None) -> bool:
    """Whether the tables are as the models say: not so while migrating to an older state.

    `state`: the apps a migration ended with; None for the current ones.
    """
    if state is None or state is current_apps:
        return True
    try:
        return all(
            _columns(state.get_model("lookups", model.__name__)) == _columns(model)
            for model in (Lookup, Row, Alias)
        )
    except LookupError:
        return False


def _columns(model: type[models.Model]) -> set[str | None]:
    return {field.column for field in model._meta.local_concrete_fields}


def packaged_lookups_load() -> Loaded:
    """Load every file of `fixtures/lookups/`."""
    total = Loaded()
    for path in sorted((Path(settings.BASE_DIR) / PACKAGED).glob("*.json")):
        _add_up(total, lookups_load(path))
    return total


def _add_up(total: Loaded, one: Loaded) -> None:
    for name, number in vars(one).items():
        setattr(total, name, getattr(total, name) + number)


def lookups_load(path: Path) -> Loaded:
    """Load one file: `{package, lookups, aliases}`, idempotently.

    A lookup is `{name, kind, description, columns, rows}`, an alias `{of, spelling, meaning}`. A row is a list of
    cells, or for a property list `{name, value, description, kind, choices, required, default}`. Missing lookups,
    properties and aliases are made; descriptions and kinds follow the file; a value follows it only while it is
    what the package last brought. A table's row that somebody deleted stays away.
    FixtureInvalid names the file and what is wrong in it.
    """
    done = Loaded()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        with touch_once():
            for one in content.get("lookups", []):
                _load_lookup(one, str(content.get("package", "")), done)
            for one in content.get("aliases", []):
                _load_alias(one, done)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        said = (
            "; ".join(error.messages)
            if isinstance(error, ValidationError)
            else f"{type(error).__name__}: {error}"
        )
        raise FixtureInvalid(f"{path.name} cannot be loaded: {said}") from error
    return done


def _load_lookup(one: dict[str, Any], package: str, done: Loaded) -> None:
    lookup = Lookup.objects.filter(folded=fold_name(one["name"])).first()
    if lookup is None:
        lookup = Lookup(name=one["name"], kind=one["kind"], columns=one["columns"], package=package)
        done.lookups += 1
    about = one.get("description", "")
    if lookup.pk is None or (lookup.description, lookup.package) != (about, package):
        lookup.description, lookup.package = about, package
        lookup.save()
    if lookup.is_properties:
        properties = {row.folded: row for row in lookup.rows.all()}
        for item in one.get("rows", []):
            _load_property(lookup, item, properties.get(fold_property(item["name"])), done)
    else:
        _load_table(lookup, one.get("rows", []), done)


def _load_table(lookup: Lookup, items: list[list[str]], done: Loaded) -> None:
    """Rows are matched by their first cell; of several with the same one, the first with the first, and so on."""
    known: dict[str, list[Row]] = {}
    for row in lookup.rows.all():
        known.setdefault(row.cells[0], []).append(row)
    for item in items:
        row_now = next(iter(known.get(item[0], [])), None)
        if row_now is not None:
            known[item[0]].pop(0)
            _follow_row(row_now, item, done)
        elif item[0] not in lookup.shipped:
            row_save(row=Row(lookup=lookup, cells=item, shipped=item), reason=_reason(lookup))
            done.added += 1
    fresh = [cell for cell in dict.fromkeys(item[0] for item in items) if cell not in lookup.shipped]
    if fresh:
        Lookup.objects.filter(pk=lookup.pk).update(shipped=[*lookup.shipped, *fresh])


def _follow_row(row: Row, item: list[str], done: Loaded) -> None:
    if row.shipped == row.cells and row.cells != item:
        row.cells = row.shipped = item
        row_save(row=row, reason=_reason(row.lookup))
        done.updated += 1


def _load_property(lookup: Lookup, item: dict[str, Any], row: Row | None, done: Loaded) -> None:
    cells = [item["name"], item.get("value", ""), item.get("description", "")][: len(lookup.columns)]
    if row is None:
        row = Row(lookup=lookup, cells=cells, shipped=cells, **_owned(item))
        row_save(row=row, reason=_reason(lookup))
        done.added += 1
        return
    before = (row.state(), row.shipped)
    if row.shipped is not None and row.cells[VALUE] == row.shipped[VALUE]:
        row.cells[VALUE] = cells[VALUE]
    row.cells[DESCRIPTION:] = cells[DESCRIPTION:]
    row.shipped = cells
    for name, value in _owned(item).items():
        setattr(row, name, value)
    if (row.state(), row.shipped) != before:
        _follow_property(row, done)


def _follow_property(row: Row, done: Loaded) -> None:
    """A site's value that the package's new kind forbids stays, and is said: a migration must not stop for it."""
    try:
        row_save(row=row, reason=_reason(row.lookup))
        done.updated += 1
    except ValidationError as error:
        logger.warning("%s of %s stays as it was: %s", row, row.lookup, "; ".join(error.messages))


def _owned(item: dict[str, Any]) -> dict[str, Any]:
    """What the package says of a property's value."""
    return {
        "kind": item.get("kind", Kind.TEXT),
        "choices": item.get("choices", []),
        "required": item.get("required", False),
        "default": item.get("default", ""),
    }


def _reason(lookup: Lookup) -> str:
    return f"Package {lookup.package}"


def _load_alias(one: dict[str, str], done: Loaded) -> None:
    fold = fold_name if one["of"] == Alias.Of.LOOKUP else fold_property
    if not Alias.objects.filter(of=one["of"], folded=fold(one["spelling"])).exists():
        Alias.objects.create(of=one["of"], spelling=one["spelling"], meaning=one["meaning"])
        done.aliases += 1
