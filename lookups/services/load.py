"""Loading the lookups a package ships with, again and again, without undoing what people did."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps as current_apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from lookups.lines import Source
from lookups.models import Alias, Lookup, Row, RowConflict
from lookups.names import fold_name, fold_property
from lookups.services.merge import lookup_merge
from lookups.stamps import touch_once

PACKAGED = "fixtures/lookups"


class FixtureInvalid(Exception):
    """A fixture cannot be loaded; names the file and the place."""


@dataclass
class Loaded:
    """What a load did."""

    lookups: int = 0
    added: int = 0
    updated: int = 0
    removed: int = 0
    conflicts: int = 0
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
            for model in (Lookup, Row, Alias, RowConflict)
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

    A lookup is `{name, kind, description, columns, rows}`, an alias `{of, spelling, meaning}`; rows are as
    `lookup_merge` takes them, and are merged with what people edited. Missing lookups, properties and aliases are
    made; descriptions and kinds follow the file. A table's row that somebody deleted stays away.
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
    merged = lookup_merge(
        name=one["name"],
        kind=one["kind"],
        package=package,
        description=one.get("description", ""),
        columns=one["columns"],
        rows=one.get("rows", []),
        source=Source.SHIPPED,
    )
    done.lookups += merged.made
    done.added += len(merged.added)
    done.updated += len(merged.updated) + merged.followed
    done.removed += len(merged.removed)
    done.conflicts += len(merged.conflicts)


def _load_alias(one: dict[str, str], done: Loaded) -> None:
    fold = fold_name if one["of"] == Alias.Of.LOOKUP else fold_property
    if not Alias.objects.filter(of=one["of"], folded=fold(one["spelling"])).exists():
        Alias.objects.create(of=one["of"], spelling=one["spelling"], meaning=one["meaning"])
        done.aliases += 1
