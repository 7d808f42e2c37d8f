"""What people and programs do with lookups."""

from lookups.services.changes import ChangeRefused, change_revert
from lookups.services.conflicts import ConflictRefused, conflict_decide
from lookups.services.load import (
    FixtureInvalid,
    Loaded,
    lookups_load,
    packaged_lookups_load,
    schema_is_current,
)
from lookups.services.make import LookupRefused, Made, lookup_make, sheet_name
from lookups.services.merge import Merged, MergeResult, lookup_merge
from lookups.services.rows import RowRefused, lookup_delete, row_save, rows_write
from lookups.services.sheet import rows_export, rows_import, sheet_read

__all__ = [
    "ChangeRefused",
    "ConflictRefused",
    "FixtureInvalid",
    "Loaded",
    "LookupRefused",
    "Made",
    "MergeResult",
    "Merged",
    "RowRefused",
    "change_revert",
    "conflict_decide",
    "lookup_delete",
    "lookup_make",
    "lookup_merge",
    "lookups_load",
    "packaged_lookups_load",
    "row_save",
    "rows_export",
    "rows_import",
    "rows_write",
    "schema_is_current",
    "sheet_name",
    "sheet_read",
]
