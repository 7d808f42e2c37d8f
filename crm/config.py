"""The interface's settings, code lists and errors, as business admins keep them under Lookups.

Read at most once a change: what a message is judged by is one consistent picture of all lists.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from lookups.cache import Table, lookups
from lookups.errors import LookupFault
from lookups.properties import Properties

PACKAGE = "GRIDOPS-CRM"
PROPERTIES = f"{PACKAGE}_ConfigProps"
EMAILS = f"{PACKAGE}_Email_ID"
FORWARD_TICKETS = f"{PACKAGE}_FORWARD_TICKETS"  # the flow; what queues its messages may not import it
_TABLES = (
    "Errors",
    "TroubleCodes",
    "CallSources",
    "Hazards",
    "Languages",
    "ContactDetails",
    "CallbackResults",
    "IncidentStatuses",
    "LandbaseSearches",
    "Projections",
)
ANY = "*"
Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class ErrorDefinition:
    """A row of GRIDOPS-CRM_Errors."""

    code: str
    level: str
    result: str
    reason: str
    details: str


class CodeList:
    """Values that may come as they are or by a short code, in any case."""

    def __init__(self, rows: Rows) -> None:
        """`rows`: value, short code, …; the first row of a spelling counts."""
        self._rows: dict[str, list[str]] = {}
        for row in rows:
            for spelling in row[:2]:
                if spelling:
                    self._rows.setdefault(spelling.casefold(), row)
        self._exact = {row[0]: row[0] for row in reversed(rows)}

    def find(self, text: str) -> str | None:
        """The value that a text means; None if it means none."""
        found = self._exact.get(text)
        if found is None and (row := self._rows.get(text.strip().casefold())):
            return row[0]
        return found

    def cell(self, value: str, column: int) -> str:
        """Another column of the value's row; "" if there is no such row."""
        row = self._rows.get(value.strip().casefold())
        return row[column] if row else ""

    def values(self) -> list[str]:
        """The values, in the list's order."""
        return list(dict.fromkeys(row[0] for row in self._rows.values()))


class Config:
    """One picture of the settings."""

    def __init__(self, tables: dict[str, Table], properties: Table) -> None:
        """`tables`: by their name without the package's."""
        self._rows = {name: table.rows() for name, table in tables.items()}
        self.properties = Properties(PROPERTIES)
        self.tables, self.table = tables, properties
        self.errors = {
            row[0].casefold(): ErrorDefinition(row[1], row[2], row[3].upper(), row[4], row[5])
            for row in reversed(self._rows["Errors"])
        }
        self.trouble_codes = CodeList(self._rows["TroubleCodes"])
        self.sources = CodeList(self._rows["CallSources"])
        self.hazards = CodeList(self._rows["Hazards"])
        self.media = CodeList(self._rows["ContactDetails"])
        self.results = CodeList(self._rows["CallbackResults"])
        self.statuses = CodeList(self._rows["IncidentStatuses"])

    def error(self, operation: str, reason: str, case: str = "") -> ErrorDefinition:
        """How an operation answers with this reason; LookupFault where the row was taken away."""
        key = f"{operation} {reason}" + (f" ({case})" if case else "")
        found = self.errors.get(key.casefold())
        if found is None:
            raise LookupFault(
                f"Lookup {PACKAGE}_Errors has no row {key!r}",
                lookup=f"{PACKAGE}_Errors",
                column="Error",
                value=key,
                hint="Add the row under Lookups.",
            )
        return found

    @cached_property
    def languages(self) -> frozenset[int]:
        """The language ids that are spoken."""
        return frozenset(int(row[0]) for row in self._rows["Languages"] if row[0].strip().isdigit())

    @cached_property
    def searches(self) -> dict[str, tuple[str, frozenset[str]]]:
        """Landbase search type, without case → its name and its parameters, without case."""
        return {
            row[0].casefold(): (row[0], frozenset(_listed(row[1].casefold())))
            for row in self._rows["LandbaseSearches"]
        }

    def projection_of(self, source: str) -> str:
        """The projection that a source's coordinates come in."""
        rows = {row[0].casefold(): row[1] for row in self._rows["Projections"]}
        return rows.get(source.strip().casefold()) or rows.get(ANY) or self.model_projection

    # -- single settings, read once a picture ------------------------------------------------------------

    @cached_property
    def active(self) -> bool:
        """Whether this site answers; the standby does not."""
        return self.properties.flag("site.active", True)

    @cached_property
    def comment_limit(self) -> int:
        """Characters of a comment."""
        return self.properties.number("comment.limit", 500)

    @cached_property
    def default_language(self) -> int:
        """Of callers whose own is not known."""
        return self.properties.number("language.default", 1033)

    @cached_property
    def unknown_source(self) -> str:
        """Of tickets whose own is not in the list."""
        return self.properties.text("source.unknown", "Unknown")

    @cached_property
    def model_projection(self) -> str:
        """That coordinates are kept in."""
        return self.properties.text("model.projection", "EPSG:4326")

    @cached_property
    def adapter_csr(self) -> str:
        """To whom callbacks are assigned that the hub sends itself."""
        return self.properties.text("adapter.csr.id", "CrmAdapter")

    @cached_property
    def release_minutes(self) -> int:
        """That a callback stays with somebody before it waits again."""
        return self.properties.number("callback.release.minutes", 30)

    @cached_property
    def source_name(self) -> str:
        """What the hub calls itself in headers."""
        return self.properties.text("reply.source", "Busbar")

    @cached_property
    def ivr_priorities(self) -> frozenset[int]:
        """Customer priorities whose callbacks go to the IVR."""
        texts = _listed(self.properties.text("ivr.priorities", ""))
        return frozenset(int(text) for text in texts if text.isdigit())

    def closes(self, result: str) -> bool:
        """Whether a callback's result closes it."""
        return self.results.cell(result, 2).strip().casefold() == "true"

    def is_special(self, hazard: str) -> bool:
        """Whether this hazard says that the caller is a special one."""
        return self.hazards.cell(hazard, 2).strip().casefold() == "true"

    def archived_source(self, source: str) -> str:
        """What archived tickets call a source (seed 004 table 10.11)."""
        return self.sources.cell(source, 2) or source

    def active_statuses(self) -> list[str]:
        """The statuses that operators set."""
        return [row[0] for row in self._rows["IncidentStatuses"] if row[2].strip().casefold() == "active"]


def _listed(text: str) -> Iterable[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


_current: Config | None = None


def config() -> Config:
    """The settings as they are now (edits elsewhere are seen within half a second)."""
    global _current  # noqa: PLW0603  (one picture a process)
    properties = lookups.table(PROPERTIES)
    tables = {name: lookups.table(f"{PACKAGE}_{name}") for name in _TABLES}
    known = _current
    if (
        known is None
        or known.table is not properties
        or any(known.tables[name] is not table for name, table in tables.items())
    ):
        known = _current = Config(tables, properties)
    return known
