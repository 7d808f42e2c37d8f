"""Import a package: look at it first, keep a backup of what it touches, apply it whole, list what arrived."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.engine.clock import db_now
from integrations.engine.faults import Conflict, Fault, InvalidMessage
from integrations.models import Connection, Flow, Mapping, PackageImport
from integrations.services.audit import audit
from integrations.services.connection_save import ConnectionProblems
from integrations.services.expected_file_save import ExpectedFileProblems
from integrations.services.package_connections import connection_planned, connection_written
from integrations.services.package_export import Content, content_files, packed_content
from integrations.services.package_extensions import (
    Checked,
    extensions_checked,
    extensions_planned,
    extensions_written,
)
from integrations.services.package_flows import flow_planned, flow_written
from integrations.services.package_format import (
    CONNECTIONS,
    EXTENSIONS,
    FLOWS,
    LOOKUPS,
    Entry,
    Package,
    Who,
    item_name,
)
from integrations.services.package_lookups import LookupProblem, lookup_planned, lookup_written
from integrations.services.package_read import package_read
from integrations.services.schedule_save import ScheduleProblems
from integrations.storage import payload_bytes, payload_put
from lookups.models import Lookup
from lookups.names import fold_name

ZIP = "application/zip"
_REFUSALS = (
    Fault,
    ConnectionProblems,
    ScheduleProblems,
    ExpectedFileProblems,
    LookupProblem,
    ValidationError,
)
# In the order the seeds list them (seed 001 chapter 5, "Verifying the Package Import"), and the order they need;
# extensions, which were checked before, come last.
_WRITE: dict[str, Callable[[dict[str, Any], Who], list[str] | None]] = {
    CONNECTIONS: connection_written,
    LOOKUPS: lookup_written,
    FLOWS: flow_written,
}
Checks = dict[str, Checked]  # of each mapping's extensions, by the item's name


def package_plan(package: Package, *, checks: Checks | None = None) -> list[Entry]:
    """Every item of a package beside what is here: flows, connections, lookups, extensions. Changes nothing.

    `checks`: what was found of its extensions a moment ago; without them they are tried now, in the sandbox.
    """
    items = package.items
    flows = [flow_planned(item) for item in items[FLOWS]]
    added = {entry.name for entry in flows if entry.state == "added"}
    coming = {item["identifier"]: item for item in items[FLOWS] if item["identifier"] in added}
    known = package_checks(package) if checks is None else checks
    return [
        *flows,
        *[connection_planned(item) for item in items[CONNECTIONS]],
        *[lookup_planned(item) for item in items[LOOKUPS]],
        *[
            extensions_planned(item, checked=known.get(item_name(EXTENSIONS, item), {}), coming=coming)
            for item in items[EXTENSIONS]
        ],
    ]


def package_checks(package: Package) -> Checks:
    """Whether its extensions would work, each tried in the sandbox: not for within a transaction."""
    here = set(Flow.objects.values_list("identifier", flat=True))
    flows = {item["identifier"]: item for item in package.items[FLOWS]}
    coming = {name: item for name, item in flows.items() if name not in here}
    found = package.items[EXTENSIONS]
    return {item_name(EXTENSIONS, item): extensions_checked(item, coming=coming) for item in found}


def package_upload(*, content: bytes, name: str, actor: str, address: str | None = None) -> PackageImport:
    """Keep an uploaded package with what it would change; InvalidMessage where it is none. Nothing else changes."""
    package = package_read(content)
    report = [entry.plain() for entry in package_plan(package)]
    kept = payload_put(content, content_type=ZIP)
    with transaction.atomic():
        row = PackageImport.objects.create(
            name=name[:200] or "package.zip",
            packages=package.manifest["packages"],
            made_at=package.manifest["madeAt"][:40],
            file=kept,
            report=report,
            actor=actor,
        )
        _say("package_upload", row, actor, address)
    return row


def package_preview(row: PackageImport) -> list[Entry]:
    """What it would change as things are now."""
    return package_plan(_content(row))


def package_apply(
    *, row: PackageImport, actor: str, person: Any = None, address: str | None = None
) -> list[Entry]:
    """Import it: the backup first, then all of it in one transaction; what arrived, item by item.

    An item that cannot be imported is left out and says why; anything unforeseen takes back the whole. What takes
    long (the sandbox, the store) is done before the transaction, which only compares and writes. Conflict where it
    was imported already, or what it touches was changed meanwhile; InvalidMessage where no backup can be kept.
    """
    package = _content(row)
    packed = packed_content(_touched(package), samples=True)
    before = _read_back(packed).manifest["files"]
    backup = payload_put(packed, content_type=ZIP)
    checks = package_checks(package)
    planned = {(entry.kind, entry.name): entry for entry in package_plan(package, checks=checks)}
    with transaction.atomic():
        _take(row, package, before)
        _write(package, planned, Who(actor, address, person), checks)
        row.backup, row.report = backup, [entry.plain() for entry in planned.values()]
        row.state, row.imported_at = PackageImport.State.IMPORTED, db_now()
        row.save(update_fields=["backup", "report", "state", "imported_at"])
        _say("package_import", row, actor, address, **counts(list(planned.values())))
    entries = _arrived(package, planned, checks)
    row.report = [entry.plain() for entry in entries]
    row.save(update_fields=["report"])
    return entries


def _read_back(packed: bytes) -> Package:
    """The backup as an import of it would read it: one that cannot be imported is none."""
    try:
        return package_read(packed)
    except InvalidMessage as fault:
        said = f"Nothing was imported: the backup of what is here could not be read back ({fault.text})"
        raise InvalidMessage(said, hint="Import fewer packages at a time.") from fault


def _take(row: PackageImport, package: Package, before: dict[str, Any]) -> None:
    """Lock the order; Conflict where it is done, or what it touches is not what the backup has."""
    locked = PackageImport.objects.select_for_update().filter(pk=row.pk).first()
    if locked is None or locked.state == PackageImport.State.IMPORTED:
        said = "imported already" if locked else "deleted meanwhile"
        raise Conflict(f"This package was {said}", hint="Upload it again to import it.")
    if content_files(_touched(package), samples=True) != before:
        raise Conflict(
            "Somebody changed what the package touches while it was looked at; nothing was imported",
            hint="Look at what it would change now, and import it again.",
        )


def _content(row: PackageImport) -> Package:
    if row.file is None:
        raise InvalidMessage("The package's file is not kept any more", hint="Upload it again.")
    return package_read(payload_bytes(row.file))


def _write(package: Package, planned: dict[tuple[str, str], Entry], who: Who, checks: Checks) -> None:
    for kind in (*_WRITE, EXTENSIONS):
        for item in package.items[kind]:
            name = item_name(kind, item)
            entry = planned[kind, name]
            # A lookup that is as it is sent is merged too: what came now is what a later merge compares with.
            if entry.state in ("added", "changed") or (kind == LOOKUPS and entry.state != "refused"):
                write = _WRITE.get(kind) or partial(extensions_written, checked=checks.get(name, {}))
                _write_one(entry, partial(write, item, who))


def _write_one(entry: Entry, write: Callable[[], list[str] | None]) -> None:
    """One item, by itself: what it refuses does not take the others with it."""
    try:
        with transaction.atomic():
            said = write() or []
    except _REFUSALS as error:
        entry.state = "refused"
        entry.problems.append(error.text if isinstance(error, Fault) else "; ".join(_messages(error)))
        return
    entry.notes += [note for note in said if note not in entry.notes]


def _messages(error: Exception) -> list[str]:
    return error.messages if isinstance(error, ValidationError) else [str(error)]


def _arrived(package: Package, planned: dict[tuple[str, str], Entry], checks: Checks) -> list[Entry]:
    """Look again, now that it is written: what still differs has not arrived as it was sent."""
    for now in package_plan(package, checks=checks):
        entry = planned[now.kind, now.name]
        if entry.state in ("added", "changed") and now.state != "unchanged":
            left = [place for place, _, _ in now.changes[:10]]
            entry.notes.append(
                f"Not as in the package: {', '.join(left)}" if left else "Not as in the package"
            )
    return list(planned.values())


def _touched(package: Package) -> Content:
    """What is here of what the package would change."""
    items = package.items
    pairs = {(item["flow"], item["mapping"]) for item in items[EXTENSIONS]}
    mappings = Mapping.objects.filter(flow__identifier__in={flow for flow, _ in pairs}).select_related("flow")
    wanted = [row.pk for row in mappings if (row.flow.identifier, row.name) in pairs]
    return Content(
        Flow.objects.filter(identifier__in=[one["identifier"] for one in items[FLOWS]]).select_related(
            "clone_of"
        ),
        Connection.objects.filter(name__in=[one["name"] for one in items[CONNECTIONS]]),
        Lookup.objects.filter(folded__in=[fold_name(one["name"]) for one in items[LOOKUPS]]),
        mappings.filter(pk__in=wanted),
        package.manifest["packages"],
    )


def counts(entries: list[Entry]) -> dict[str, int]:
    """How many items of each state."""
    found = {"added": 0, "changed": 0, "unchanged": 0, "refused": 0}
    for entry in entries:
        found[entry.state] += 1
    return found


def _say(action: str, row: PackageImport, actor: str, address: str | None, **detail: Any) -> None:
    audit(
        actor=actor,
        action=action,
        subject=f"packageimport:{row.pk}",
        detail={"name": row.name, "packages": row.packages, **detail},
        address=address,
    )
