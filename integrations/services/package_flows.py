"""Flows in packages: their switch and settings, schedules, expected files, and clones with what stands for what."""

from typing import Any

from integrations.engine.faults import Fault
from integrations.models import ExpectedFile, Flow, Schedule
from integrations.services.audit import audit
from integrations.services.expected_file_save import expected_file_problems, expected_file_save
from integrations.services.flow_clone import flow_clone, flow_clone_change
from integrations.services.flow_switch import FlowNotReady, flow_activate, flow_deactivate, flow_trace
from integrations.services.package_format import FLOWS, Entry, Who, differences
from integrations.services.schedule_save import schedule_problems, schedule_save

_SCHEDULE = {
    "name": "name",
    "cron": "cron",
    "timeZone": "time_zone",
    "intervalSeconds": "interval_seconds",
    "parameters": "parameters",
    "enabled": "enabled",
}
_EXPECTED = {
    "name": "name",
    "pattern": "pattern",
    "cron": "cron",
    "timeZone": "time_zone",
    "withinHours": "within_hours",
    "enabled": "enabled",
}
_TIMES = (("schedules", "schedule"), ("expectedFiles", "expected file"))


def flow_exported(row: Flow) -> dict[str, Any]:
    """A flow as a package has it; debug tracing, which ends by itself, counts as production."""
    return {
        "identifier": row.identifier,
        "name": row.name,
        "package": row.package,
        "version": row.version,
        "cloneOf": row.clone_of.identifier if row.clone_of else None,
        "standsFor": row.stands_for,
        "active": row.active,
        "tracing": row.tracing if row.tracing == Flow.Tracing.AUDIT else Flow.Tracing.PRODUCTION,
        "retentionDays": row.retention_days,
        "acknowledgementHours": row.acknowledgement_hours,
        "schedules": [_plain(one, _SCHEDULE) for one in row.schedules.order_by("name")],
        "expectedFiles": [_plain(one, _EXPECTED) for one in row.expected_files.order_by("name")],
    }


def _plain(row: Any, columns: dict[str, str]) -> dict[str, Any]:
    return {name: getattr(row, column) for name, column in columns.items()}


def flow_planned(item: dict[str, Any]) -> Entry:
    """What importing it would change; a flow that this code does not have is refused."""
    entry = Entry(FLOWS, item["identifier"], version=item["version"])
    row = Flow.objects.filter(identifier=item["identifier"]).select_related("clone_of").first()
    entry.problems += _misfits(item, row)
    if entry.problems:
        entry.state = "refused"
        return entry
    before = flow_exported(row) if row else {}
    entry.changes = differences(_settings(before), _settings(item))
    for name, word in _TIMES:
        entry.changes += _differing(word, before.get(name, []), item[name])
    entry.state = ("changed" if entry.changes else "unchanged") if row else "added"
    if row and row.version != item["version"]:
        entry.notes.append(
            f"The package was made with version {item['version']}; the code here is {row.version}"
        )
    entry.notes += _unusable(item, row)
    return entry


def _misfits(item: dict[str, Any], row: Flow | None) -> list[str]:
    """Why this item cannot be this flow's settings."""
    base = item["cloneOf"]
    if row is None:
        if base is None:
            return ["The installed code does not have this flow: install the version that has it"]
        if not Flow.objects.filter(identifier=base, present=True, clone_of__isnull=True).exists():
            return [f"It is a clone of {base}, which the installed code does not have"]
        return []
    here = row.clone_of.identifier if row.clone_of else None
    if here != base:
        return [f"Here it is a clone of {here}" if here else "Here it is a flow of the code, not a clone"]
    return [] if row.present else ["The installed code does not have this flow any more"]


def _settings(item: dict[str, Any]) -> dict[str, Any]:
    """What a flow's own settings are; a name is only a clone's own."""
    names = ["active", "tracing", "retentionDays", "acknowledgementHours"]
    names += ["name", "standsFor"] if item.get("cloneOf") else []
    return {name: item[name] for name in names if name in item}


def _differing(
    word: str, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> list[tuple[str, str, str]]:
    """Changes of schedules or expected files, by name; those that are only here stay and are no change."""
    known = {one["name"]: one for one in before}
    found: list[tuple[str, str, str]] = []
    for one in after:
        before_it = known.get(one["name"], {"name": one["name"]})
        found += differences(before_it, one, under=f"{word} {one['name']}: ")
    return found


def _unusable(item: dict[str, Any], row: Flow | None) -> list[str]:
    """Schedules and expected files that would be left out, and why; a clone's are looked at once it is there."""
    if row is None:
        return []
    said, here = [], flow_exported(row)
    for one in _other(item["schedules"], here["schedules"]):
        for problem in schedule_problems(_filled(Schedule(flow=row), one, _SCHEDULE)).values():
            said.append(f"Schedule {one['name']} is left out: {problem}")
    for one in _other(item["expectedFiles"], here["expectedFiles"]):
        for problem in expected_file_problems(_filled(ExpectedFile(flow=row), one, _EXPECTED)).values():
            said.append(f"Expected file {one['name']} is left out: {problem}")
    return said


def _other(given: list[dict[str, Any]], here: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that are not here just so."""
    return [one for one in given if one not in here]


def _filled(row: Any, item: dict[str, Any], columns: dict[str, str]) -> Any:
    for name, column in columns.items():
        setattr(row, column, item[name])
    return row


def flow_written(item: dict[str, Any], who: Who) -> list[str]:
    """Make the clone or take the flow, set what differs; what could not be set, a sentence each. Fault."""
    row = Flow.objects.filter(identifier=item["identifier"]).select_related("clone_of").first()
    if row is None:
        row = flow_clone(
            flow=Flow.objects.get(identifier=item["cloneOf"]),
            identifier=item["identifier"],
            name=item["name"],
            own=item["standsFor"],
            actor=who.actor,
            address=who.address,
            with_extensions=False,
            with_schedules=False,
        )
    elif item["cloneOf"] and (row.name, row.stands_for) != (item["name"], item["standsFor"]):
        flow_clone_change(
            flow=row, name=item["name"], own=item["standsFor"], actor=who.actor, address=who.address
        )
    _kept(row, item, who)
    if flow_exported(row)["tracing"] != item["tracing"]:
        flow_trace(flow=row, level=item["tracing"], actor=who.actor)
    said = _unusable(item, row)
    _times(row, item, who)
    return said + _switched(row, item, who)


def _kept(row: Flow, item: dict[str, Any], who: Who) -> None:
    before = flow_exported(row)
    changed = [name for name in ("retentionDays", "acknowledgementHours") if before[name] != item[name]]
    if changed:
        row.retention_days, row.acknowledgement_hours = item["retentionDays"], item["acknowledgementHours"]
        row.save(update_fields=["retention_days", "acknowledgement_hours", "updated_at"])
        audit(
            actor=who.actor,
            action="flow_change",
            subject=f"flow:{row.identifier}",
            detail={"changed": changed, "by": "package"},
            address=who.address,
        )


def _times(row: Flow, item: dict[str, Any], who: Who) -> None:
    """Save schedules and expected files that are new or differ and can work."""
    schedules = {one.name: one for one in row.schedules.all()}
    for one in item["schedules"]:
        known = schedules.get(one["name"])
        schedule = _filled(known or Schedule(flow=row), one, _SCHEDULE)
        if _is_new(known, Schedule, one, _SCHEDULE) and not schedule_problems(schedule):
            schedule_save(schedule=schedule, actor=who.actor, address=who.address)
    files = {one.name: one for one in row.expected_files.all()}
    for one in item["expectedFiles"]:
        there = files.get(one["name"])
        expected = _filled(there or ExpectedFile(flow=row), one, _EXPECTED)
        if _is_new(there, ExpectedFile, one, _EXPECTED) and not expected_file_problems(expected):
            expected_file_save(expected=expected, actor=who.actor, address=who.address)


def _is_new(row: Any, model: Any, item: dict[str, Any], columns: dict[str, str]) -> bool:
    """Whether there is no such row, or the stored one differs."""
    return row is None or _plain(model.objects.get(pk=row.pk), columns) != item


def _switched(row: Flow, item: dict[str, Any], who: Who) -> list[str]:
    if row.active == item["active"]:
        return []
    if not item["active"]:
        flow_deactivate(flow=row, actor=who.actor)
        return []
    try:
        flow_activate(flow=row, actor=who.actor)
    except FlowNotReady as error:
        return [f"It is not switched on yet: {'; '.join(error.problems)}"]
    except Fault as fault:
        return [f"It is not switched on yet: {fault.text}"]
    return []
