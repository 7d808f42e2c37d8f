"""List filters that cost little on long tables: choices come from the lookups, never from the rows themselves."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

Rows = QuerySet[Any]
ALL = "all"


class DefaultedFilter(admin.SimpleListFilter, ABC):
    """A filter of which one choice holds as long as no other is chosen; a search looks past it.

    Without that, who searches for an archived ticket's number would be told that there is none.
    """

    first: ClassVar[str] = ""
    options: ClassVar[dict[str, str]] = {}

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        """Django's signature."""
        self.searching = is_searching(request)
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices beside the first."""
        return [*self.options.items(), (ALL, "All")]

    def choices(self, changelist: Any) -> Any:
        """The first choice in the place of Django's All."""
        found = super().choices(changelist)
        next(found)
        yield {
            "selected": self.value() is None,
            "query_string": changelist.get_query_string(remove=[str(self.parameter_name)]),
            "display": "All that were found" if self.searching else self.first,
        }
        yield from found

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        """Narrowed to what was chosen; a value that is not offered changes nothing."""
        value = self.value() or ""
        if value == ALL or (not value and self.searching) or (value and value not in self.options):
            return queryset
        return self.narrow(queryset, value)

    @abstractmethod
    def narrow(self, queryset: Rows, value: str) -> Rows:
        """The rows of a choice; "" is the first."""


def is_searching(request: HttpRequest) -> bool:
    """Whether the list is of what a search has found."""
    return bool(request.GET.get("q", "").strip())


class CodeFilter(admin.SimpleListFilter, ABC):
    """A column whose values are known without asking the table."""

    column: ClassVar[str] = ""

    @abstractmethod
    def codes(self) -> Iterable[tuple[str, str]]:
        """Value and what it is called."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The values, and one that was asked for and is in the list no more."""
        known = dict(self.codes())
        asked = request.GET.get(str(self.parameter_name), "")
        return list((known | ({asked: asked} if asked and asked not in known else {})).items())

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        """Rows with the value."""
        value = self.value()
        if not value or "\x00" in value:  # which no text of PostgreSQL has
            return queryset
        return self.narrow(request, queryset.filter(**{self.column: value}))

    def narrow(self, request: HttpRequest, rows: Rows) -> Rows:
        """What else makes it quick."""
        return rows


class PriorityFilter(CodeFilter):
    """The customer's priority."""

    title, parameter_name, column = "priority", "priority", "priority"

    def codes(self) -> Iterable[tuple[str, str]]:
        """From the highest."""
        return [(str(one), {6: "6, highest", 0: "0, none"}.get(one, str(one))) for one in range(6, -1, -1)]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        """Rows with the priority; what is no number changes nothing."""
        value = self.value() or ""
        return queryset.filter(**{self.column: int(value)}) if is_number(value) else queryset


def is_number(text: str) -> bool:
    """Whether it is a number that a column can be compared with."""
    return text.isascii() and text.isdigit() and len(text) < 10  # noqa: PLR2004  (a 32-bit number)
