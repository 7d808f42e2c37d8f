"""Schedules that have not started their flow, files that have not come."""

from dataclasses import dataclass
from datetime import datetime

from hub.home.figures import Figure, listed, page_of
from integrations.models import ExpectedFile, Schedule
from integrations.services.lateness import late_files, late_schedules, was_due, why_late

NAMED = 5


@dataclass(frozen=True)
class Late:
    """One of them: what, whose, since when, why, and its page."""

    label: str
    what: str
    flow: str
    since: datetime | None
    why: str
    link: str


def count_late(at: datetime) -> list[Late]:
    """All of them, the longest late first in each kind; their numbers are small by nature."""
    schedules: list[Schedule] = list(late_schedules(at).select_related("flow"))
    files: list[ExpectedFile] = list(late_files().select_related("flow"))
    return [
        *(
            Late(
                "integrations.schedule",
                row.name,
                row.flow.identifier,
                was_due(row, at),
                why_late(row, at),
                page_of(row),
            )
            for row in schedules
        ),
        *(
            Late(
                "integrations.expectedfile",
                f"{row.name} ({row.pattern})",
                row.flow.identifier,
                row.late_since,
                "No file of this name has come" if row.flow.active else "The flow is not active",
                page_of(row),
            )
            for row in files
        ),
    ]


def late_figures(late: list[Late]) -> list[tuple[str, Figure]]:
    """How many of each kind."""
    return [_figure(late, *kind) for kind in _KINDS]


_KINDS = [
    ("integrations.schedule", "Late or missed schedules"),
    ("integrations.expectedfile", "Late files"),
]


def _figure(late: list[Late], label: str, title: str) -> tuple[str, Figure]:
    names = [one.what for one in late if one.label == label]
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return label, Figure(
        title,
        len(names),
        listed(label, late="yes"),
        "bad" if names else "",
        ", ".join(names[:NAMED]) + rest,
    )
