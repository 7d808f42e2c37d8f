"""Reading a property list: typed getters that name lookup and property where they cannot answer."""

from collections.abc import Callable, Sequence
from typing import NoReturn

from lookups.cache import Table, lookups
from lookups.errors import LookupFault
from lookups.kinds import Kind, addresses_of, choice_of, value_problem
from lookups.models import VALUE

TRUE = "true"


class Properties:
    """A property list by name; values are looked up at each call, so an edit counts from the next one on.

    Every getter raises LookupFault if the lookup is missing, or the property is missing or blank and has no
    default (its own, else the caller's), or its value is not of the kind asked for.
    """

    def __init__(self, lookup: str, *, table: Callable[[str], Table] = lookups.table) -> None:
        """`lookup`: its name, in any spelling; `table`: where it is read, the process's cache by default."""
        self.lookup = lookup
        self._table = table

    def text(self, name: str, default: str | None = None) -> str:
        """The value as it is."""
        table = self._table(self.lookup)
        row = table.property(name) if table.is_properties else None
        value = (row.cells[VALUE] or row.default) if row else ""
        if value or default is not None:
            return value or str(default)
        if not table.is_properties:
            self._refuse(table, name, f"Lookup {table.name} is a table, not a property list")
        if row is None:
            said = f"Lookup {table.name} has no property {name!r}"
            self._refuse(table, name, said, missing=True, hint=table.near(name))
        return self._refuse(table, name, f"Property {name} of lookup {table.name} is blank", missing=True)

    def flag(self, name: str, default: bool | None = None, *, words: Sequence[str] = ()) -> bool:
        """Whether the value is `true`, or one of `words` that count as on; `false` is off, all else a fault."""
        value = self.text(name, None if default is None else str(default).lower()).strip()
        if value.casefold() in {TRUE, *(word.casefold() for word in words)}:
            return True
        self._check(name, value, Kind.BOOLEAN)
        return False

    def number(self, name: str, default: int | None = None) -> int:
        """The value as a whole number."""
        value = self.text(name, None if default is None else str(default)).strip()
        self._check(name, value, Kind.INTEGER)
        return int(value)

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        """The one of `choices` that the value spells, in any case."""
        value = self.text(name, default).strip()
        self._check(name, value, Kind.CHOICE, choices)
        return choice_of(value, choices) or value

    def addresses(self, name: str, default: str | None = None) -> list[str]:
        """The e-mail addresses of a comma-separated value, at least one."""
        value = self.text(name, default)
        self._check(name, value, Kind.EMAILS)
        return addresses_of(value)

    def _check(self, name: str, value: str, kind: str, choices: Sequence[str] = ()) -> None:
        if said := value_problem(kind, value, choices):
            table = self._table(self.lookup)
            self._refuse(table, name, f"Property {name} of lookup {table.name} {said}", value=value)

    def _refuse(
        self, table: Table, name: str, text: str, *, value: str = "", missing: bool = False, hint: str = ""
    ) -> NoReturn:
        raise LookupFault(
            text,
            lookup=table.name,
            column=name,
            value=value,
            target=table.value_column() if missing else "",
            hint=hint or f"Set {name} in {table.name} under Lookups.",
        )
