"""An incident's story: who changed what, and when, from the history that each change leaves."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from crm.admin.words import moment
from crm.models import Incident

KEPT = 50  # entries of a story
_LABELS = {
    "status": "Status",
    "cause": "Cause",
    "subcause": "Subcause",
    "comment": "Comment",
    "crews": "Crews",
    "estimated_restoration_at": "Estimated restoration",
}
_MOMENTS = {
    "confirmed_at": "Confirmed",
    "restored_at": "Restored",
    "closed_at": "Closed",
    "archived_at": "Archived",
}


@dataclass(slots=True)
class Entry:
    """One change: `happened` are the steps it was, `changes` (what, before, after)."""

    at: datetime
    by: str = ""
    happened: list[str] = field(default_factory=list)
    changes: list[tuple[str, str, str]] = field(default_factory=list)


def timeline(incident: Incident) -> list[Entry]:
    """The newest first; beneath all that it was opened."""
    history = incident.history.select_related("history_user")
    records: list[Any] = list(history.order_by("-history_date", "-history_id")[: KEPT + 1])
    crews = _crews(records)
    # The record that it was opened with says no more than the entry beneath all others does.
    entries = [
        _entry(now, before, crews)
        for now, before in pairwise([*records, None])
        if now is not None and now.history_type != "+"
    ]
    told = {word for entry in entries for word in entry.happened}
    entries += [
        Entry(at=at, happened=[word])
        for name, word in _MOMENTS.items()
        if (at := getattr(incident, name)) and word not in told and len(records) <= KEPT
    ]
    entries.append(Entry(at=incident.created_at, happened=["Opened by its first ticket"]))
    return sorted(entries[: KEPT + len(_MOMENTS) + 1], key=lambda entry: entry.at, reverse=True)


def _crews(records: Iterable[Any]) -> dict[int, str]:
    """From each record to the names of the crews at that time, in one question."""
    through = Incident.history.model.crews.model
    rows = through.objects.filter(history__in=[record.pk for record in records]).order_by("crew__name")
    found: dict[int, list[str]] = {}
    for record, name in rows.values_list("history_id", "crew__name"):
        found.setdefault(record, []).append(name or "a crew that is gone")
    return {record: ", ".join(names) for record, names in found.items()}


def _entry(now: Any, before: Any, crews: dict[int, str]) -> Entry:
    happened = [
        word
        for name, word in _MOMENTS.items()
        if getattr(now, name) and not (before and getattr(before, name))
    ]
    changes = [
        (label, old, new)
        for name, label in _LABELS.items()
        if (old := _shown(before, name, crews)) != (new := _shown(now, name, crews))
    ]
    return Entry(now.history_date, _by(now), happened, changes)


def _shown(record: Any, name: str, crews: dict[int, str]) -> str:
    if record is None:
        return ""
    if name == "crews":
        return crews.get(record.pk, "")
    value = getattr(record, name)
    return moment(value) if isinstance(value, datetime) else value or ""


def _by(record: Any) -> str:
    """Who did it: as the service put it, else the person who was logged in."""
    reason = str(record.history_change_reason or "")
    actor = reason.partition(" by ")[2]
    return actor or (record.history_user.get_username() if record.history_user else "")
