"""Files that should come by a time: checked before they are saved, with the times they are looked for."""

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from django.db import transaction

from integrations.engine.clock import db_now
from integrations.engine.schedule import BadSchedule, next_due
from integrations.models import ExpectedFile, Schedule
from integrations.services.audit import audit
from integrations.services.schedule_save import cron_fields_trouble

LONGEST_HOURS = 31 * 24
ABOUT = ("flow_id", "pattern", "cron", "time_zone", "within_hours")  # what lateness is about
WHICH = ("flow_id", "pattern")  # which files count; where that has changed, none of them has counted yet


class ExpectedFileProblems(Exception):
    """The file could never be looked for; `problems` is field → sentence."""

    def __init__(self, problems: dict[str, str]) -> None:
        """`problems`: never empty."""
        super().__init__("; ".join(problems.values()))
        self.problems = problems


def next_check(expected: ExpectedFile, after: datetime) -> datetime:
    """The first of its times after `after` (aware, UTC). BadSchedule where there is none."""
    return next_due(Schedule(cron=expected.cron, time_zone=expected.time_zone), after)


def coming_checks(expected: ExpectedFile, *, count: int = 5) -> list[datetime]:
    """The next times the file is looked for, in its own zone; [] where it cannot be."""
    if expected_file_problems(expected):
        return []
    moment, found = db_now(), []
    for _ in range(count):
        moment = next_check(expected, moment)
        found.append(moment.astimezone(ZoneInfo(expected.time_zone)))
    return found


def expected_file_problems(expected: ExpectedFile) -> dict[str, str]:
    """Field → what is wrong with it; {} if the file can be saved and will be looked for."""
    found: dict[str, str] = {}
    if not expected.pattern.strip() or "/" in expected.pattern:
        found["pattern"] = "Give the file's name without a directory; * stands for any text"
    if not 1 <= expected.within_hours <= LONGEST_HOURS:
        found["within_hours"] = f"From 1 to {LONGEST_HOURS} hours"
    if expected.time_zone not in available_timezones():
        found["time_zone"] = f"There is no time zone {expected.time_zone!r}; an example is Europe/London"
    elif trouble := _cron_trouble(expected):
        found["cron"] = trouble
    return found


def _cron_trouble(expected: ExpectedFile) -> str:
    if trouble := cron_fields_trouble(expected.cron):
        return trouble
    try:
        next_check(expected, db_now())
    except BadSchedule as error:
        return f"{error}. The file would never be looked for"
    return ""


def expected_file_save(*, expected: ExpectedFile, actor: str, address: str | None = None) -> ExpectedFile:
    """Check, work out the next time it is looked for, save with history, audit. ExpectedFileProblems where it
    cannot be looked for. What was late stays so, unless what it is late by has changed."""
    problems = expected_file_problems(expected)
    if problems:
        raise ExpectedFileProblems(problems)
    before = ExpectedFile.objects.filter(pk=expected.pk).first() if expected.pk else None
    changed = before is None or any(getattr(before, name) != getattr(expected, name) for name in ABOUT)
    if changed or not expected.enabled:
        expected.late_since = None
    if before is not None and any(getattr(before, name) != getattr(expected, name) for name in WHICH):
        expected.last_transfer = None
    expected.next_check_at = next_check(expected, db_now()) if expected.enabled else None
    expected.trouble = ""
    with transaction.atomic():
        expected.save()
        audit(
            actor=actor,
            action="expected_file_change" if before else "expected_file_create",
            subject=f"expectedfile:{expected.pk}",
            detail={
                "expected_file": str(expected),
                "pattern": expected.pattern,
                "cron": expected.cron,
                "time_zone": expected.time_zone,
                "within_hours": expected.within_hours,
                "enabled": expected.enabled,
            },
            address=address,
        )
    return expected


def expected_file_delete(*, expected: ExpectedFile, actor: str, address: str | None = None) -> None:
    """Look for it no more; the trail says which it was."""
    with transaction.atomic():
        audit(
            actor=actor,
            action="expected_file_delete",
            subject=f"expectedfile:{expected.pk}",
            detail={"expected_file": str(expected), "pattern": expected.pattern, "cron": expected.cron},
            address=address,
        )
        expected.delete()
