"""The lookups' pages in the console."""

from lookups.admin.alias import AliasAdmin
from lookups.admin.change import ChangeAdmin
from lookups.admin.conflict import ConflictAdmin
from lookups.admin.lookup import LookupAdmin
from lookups.admin.row import RowAdmin

__all__ = ["AliasAdmin", "ChangeAdmin", "ConflictAdmin", "LookupAdmin", "RowAdmin"]
