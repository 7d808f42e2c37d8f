"""Lookups' tables: a lookup and its rows, other spellings, conflicts with packages, the stamps that tell of edits."""

from lookups.models.alias import Alias
from lookups.models.conflict import RowConflict
from lookups.models.lookup import Lookup, Manager
from lookups.models.row import DESCRIPTION, NAME, VALUE, Row, RowChange
from lookups.models.stamp import Stamp

__all__ = [
    "DESCRIPTION",
    "NAME",
    "VALUE",
    "Alias",
    "Lookup",
    "Manager",
    "Row",
    "RowChange",
    "RowConflict",
    "Stamp",
]
