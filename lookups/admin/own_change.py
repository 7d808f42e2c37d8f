"""What was changed in a lookup itself: its name, columns, description, package."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lookups.models import Lookup

SHOWN = 20
NAMES = ("name", "package", "description", "columns")


@dataclass(frozen=True, slots=True)
class OwnChange:
    """One change: (what, old, new) of each value; none for the making of the lookup."""

    at: datetime
    who: str
    done: str
    what: list[tuple[str, str, str]]


def own_changes(lookup: Lookup) -> list[OwnChange]:
    """The newest changes of the lookup itself."""
    records = list(
        lookup.history.select_related("history_user").order_by("-history_date", "-history_id")[: SHOWN + 1]
    )
    following = [*records[1:], None]
    found = [_change(record, before) for record, before in zip(records, following, strict=True)]
    return [one for one in found if one.what or one.done][:SHOWN]


def _change(record: Any, before: Any) -> OwnChange:
    who = str(record.history_user or "(the hub)")
    if record.history_type == "+" or before is None:
        return OwnChange(record.history_date, who, "Made" if record.history_type == "+" else "", [])
    pairs = [(name, _text(getattr(before, name)), _text(getattr(record, name))) for name in NAMES]
    return OwnChange(record.history_date, who, "", [one for one in pairs if one[1] != one[2]])


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
