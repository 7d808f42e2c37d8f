"""Trying a value on a lookup's page: what the form asked, and the answer."""

from collections.abc import Mapping
from typing import Any

from lookups.models import NAME, Lookup
from lookups.periods import day_of, today
from lookups.trial import value_try


def tried(lookup: Lookup, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the panel shows: the form as it was sent (or to begin with), and a `trial` or a `problem` if it was."""
    columns = lookup.columns
    shown: dict[str, Any] = {
        "source": asked.get("try_source", columns[NAME]),
        "target": asked.get("try_target", columns[1]),
        "value": asked.get("try_value", ""),
        "day": asked.get("try_on", "") or today().isoformat(),
        "trial": None,
        "problem": "",
    }
    if "try_value" not in asked:
        return shown
    try:
        day = day_of(shown["day"]) or today()
    except ValueError as error:
        return shown | {"problem": f"The date {error}."}
    trial = value_try(
        lookup=lookup,
        source_column=shown["source"],
        value=shown["value"],
        target_column=shown["target"],
        day=day,
    )
    return shown | {"trial": trial}
