"""Paging by keyset: from one row to the next ones, by an index, however deep; nothing is counted or skipped over.

A page is asked for by the place of the row before it (`after`) or behind it (`before`), so rows that come meanwhile
shift nothing. For an admin list: `class XAdmin(KeysetMixin, RecordAdmin[X])` and `keyset = "created_at"`.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from typing import Any, ClassVar

from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import F, Model, Q, QuerySet
from django.http import HttpRequest

AFTER, BEFORE, LAST = "after", "before", "last"
PLACES = (AFTER, BEFORE, LAST)
MOST_BRANCHES = 64

Rows = QuerySet[Any]
Narrow = Callable[[Sequence[Any]], Collection[Any]]  # primary keys → those of them that fit
CHUNK = 500  # rows that are narrowed down at a time


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins; all empty: at the first row."""

    after: str = ""
    before: str = ""
    last: bool = False

    @classmethod
    def of(cls, request: HttpRequest) -> "Place":
        """As the address says it."""
        asked = request.GET
        return cls(asked.get(AFTER, ""), asked.get(BEFORE, ""), bool(asked.get(LAST)))


@dataclass(slots=True)
class Page:
    """Rows in order, and the cursors of the pages beside it; "" where there is none.

    `looked_at`: rows searched where a bound was reached before the page was full; `next` then goes on from there.
    """

    rows: list[Any] = field(default_factory=list)
    previous: str = ""
    next: str = ""
    looked_at: int = 0
    looked_to: tuple[Any, Any] | None = None


class Keyset:
    """An order by one column and the primary key, newest first unless told otherwise."""

    def __init__(self, model: type[Model], column: str, *, descending: bool = True) -> None:
        """`column`: one that is never NULL and stands first, or after what is filtered, in an index."""
        self._fields = [model._meta.get_field(column), model._meta.pk]
        self.columns = [column, "pk"]
        self.descending = descending

    def cursor(self, row: Any) -> str:
        """A row's place, as an address carries it; the row may be the two values alone."""
        values = row if isinstance(row, tuple) else (getattr(row, self.columns[0]), row.pk)
        return "~".join(v.isoformat() if hasattr(v, "isoformat") else str(v) for v in values)

    def values(self, cursor: str) -> list[Any] | None:
        """The values of a cursor; None where it is none."""
        parts = cursor.rsplit("~", 1)
        if len(parts) < len(self.columns):
            return None
        try:
            found = [one.to_python(text) for one, text in zip(self._fields, parts, strict=True)]  # type: ignore[union-attr]
        except (ValidationError, ValueError, OverflowError):
            return None
        return None if None in found else found

    def beyond(self, rows: Rows, cursor: str, *, back: bool = False) -> Rows:
        """The rows behind a place (before it, with `back`); all where the cursor is none."""
        values = self.values(cursor) if cursor else None
        if values is None:
            return rows
        column, sign = self.columns[0], "lt" if self.descending != back else "gt"
        tie = Q(**{column: values[0], f"pk__{sign}": values[1]})
        # The first condition is one that an index can begin at; the second alone is none.
        return rows.filter(
            Q(**{f"{column}__{sign}e": values[0]}) & (Q(**{f"{column}__{sign}": values[0]}) | tie)
        )

    def ordered(self, rows: Rows, *, back: bool = False) -> Rows:
        """In this order, or the other way round."""
        down = self.descending != back
        return rows.order_by(*(F(name).desc() if down else F(name).asc() for name in self.columns))

    def page(
        self,
        rows: Rows,
        place: Place,
        size: int,
        *,
        branches: Sequence[dict[str, Any]] = (),
        narrow: Narrow | None = None,
        bound: int = 0,
        base: Rows | None = None,
    ) -> Page:
        """A page of `size` rows.

        `branches`: filters that share out the rows between them (one flow each, say), each served by its own index
        and merged here, as `IN` with an order makes a database sort all it finds. `narrow`: a condition no index
        serves, given primary keys; it is put to `bound` rows at most, and how far that went is said. `base`: where rows
        that are known by then are fetched from, without the conditions that would mislead a database.
        """
        taken = _Taken(self, rows, size, branches, narrow, bound, rows if base is None else base)
        if place.last:
            return taken.backwards("")
        if place.before and self.values(place.before):
            page = taken.backwards(place.before)
            return page if len(page.rows) == size or page.looked_at else taken.forwards("")
        return taken.forwards(place.after)


@dataclass(slots=True)
class _Taken:
    """What one page is taken from."""

    keyset: Keyset
    rows: Rows
    size: int
    branches: Sequence[dict[str, Any]]
    narrow: Narrow | None
    bound: int
    base: Rows

    def forwards(self, cursor: str) -> Page:
        keyset = self.keyset
        found, edge = self._window(cursor, back=False)
        page = Page(rows=found[: self.size])
        if len(found) > self.size:
            page.next = keyset.cursor(page.rows[-1])
        elif edge is not None:
            page.next, page.looked_at, page.looked_to = keyset.cursor(edge), self.bound, edge
        if keyset.values(cursor or "~"):
            page.previous = keyset.cursor(page.rows[0]) if page.rows else cursor
        return page

    def backwards(self, cursor: str) -> Page:
        keyset = self.keyset
        found, edge = self._window(cursor, back=True)
        page = Page(rows=found[: self.size][::-1])
        if len(found) > self.size:
            page.previous = keyset.cursor(page.rows[0])
        elif edge is not None:
            page.previous, page.looked_at, page.looked_to = keyset.cursor(edge), self.bound, edge
        if cursor:
            page.next = keyset.cursor(page.rows[-1]) if page.rows else cursor
        return page

    def _window(self, cursor: str, *, back: bool) -> tuple[list[Any], tuple[Any, Any] | None]:
        """One row more than the page has, and the last row looked at where the bound ended the search."""
        rows = self.keyset.ordered(self.keyset.beyond(self.rows, cursor, back=back), back=back)
        if self.narrow is None:
            return self._first(rows, back=back), None
        seen = list(rows.values_list(self.keyset.columns[0], "pk")[: self.bound])
        keys = list(self._fitting([key for _, key in seen]))[: self.size + 1]
        return self._fetched(keys), seen[-1] if len(seen) == self.bound else None

    def _fitting(self, keys: list[Any]) -> Iterator[Any]:
        """In their order; no more is asked than makes a page."""
        number = 0
        for at in range(0, len(keys), CHUNK):
            part = keys[at : at + CHUNK]
            fitting = set(self.narrow(part)) if self.narrow else set(part)
            number += len(fitting)
            yield from (key for key in part if key in fitting)
            if number > self.size:
                return

    def _first(self, rows: Rows, *, back: bool) -> list[Any]:
        wanted = self.size + 1
        if not self.branches:
            return list(rows[:wanted])
        column = self.keyset.columns[0]
        down = self.keyset.descending != back
        parts = [list(rows.filter(**one).values_list(column, "pk")[:wanted]) for one in self.branches]
        keys = dict.fromkeys(pk for _, pk in merge(*parts, reverse=down))
        return self._fetched(list(islice(keys, wanted)))

    def _fetched(self, keys: list[Any]) -> list[Any]:
        """The rows of these keys, in their order."""
        found = {row.pk: row for row in self.base.filter(pk__in=keys).order_by()}
        return [found[key] for key in keys if key in found]


class Uncounted(Paginator):  # type: ignore[type-arg]  # Django takes none at run time
    """What templates of lists expect to find; it is given one page, and counts no other."""


class KeysetChangeList(ChangeList):
    """A list whose pages follow one another by keyset; mixed with the theme's in KeysetMixin."""

    keyset_page: Page

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Rows:
        """The filters' rows; the cursor is no filter, and a new search or filter starts at the first page."""
        for name in PLACES:
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        rows: Rows = super().get_queryset(request, exclude_parameters)
        return rows

    def get_results(self, request: HttpRequest) -> None:
        """One page's rows, and whether there are others before and behind it."""
        admin: Any = self.model_admin
        keyset = Keyset(self.model, admin.keyset, descending=self._descending())
        narrow, bound = admin.keyset_narrow(request)
        page = keyset.page(
            self.queryset,
            Place.of(request),
            self.list_per_page,
            branches=admin.keyset_branches(request),
            narrow=narrow,
            bound=bound,
            base=self.apply_select_related(self.root_queryset),
        )
        self.keyset_page, self.result_list = page, page.rows
        self.result_count = self.full_result_count = len(page.rows)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True
        self.paginator = Uncounted(page.rows, self.list_per_page)
        self.pager = self._pager(page)

    def _descending(self) -> bool:
        """Newest first, but where a person turned the column round."""
        asked = str(self.params.get(ORDER_VAR, ""))
        if not (asked.isascii() and asked.strip("-").isdigit()):
            return True
        number = int(asked.strip("-"))
        names = self.list_display
        column = self.get_ordering_field(names[number]) if number < len(names) else ""
        return asked.startswith("-") or column != self.model_admin.keyset  # type: ignore[attr-defined]  # KeysetMixin

    def _pager(self, page: Page) -> dict[str, Any]:
        """The addresses of the pages beside this one; "" where there is none."""
        return {
            "first": self.get_query_string() if page.previous else "",
            "previous": self.get_query_string({BEFORE: page.previous}) if page.previous else "",
            "next": self.get_query_string({AFTER: page.next}) if page.next else "",
            "last": self.get_query_string({LAST: "1"}) if page.next and not page.looked_at else "",
            "number": len(page.rows),
            "looked_at": page.looked_at,
            "looked_to": page.looked_to[0] if page.looked_to else None,
        }


class KeysetMixin:
    """An admin list paged by keyset: put it before RecordAdmin, and name the column."""

    keyset: ClassVar[str] = "created_at"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        """The keyset list, on top of the theme's."""
        base = super().get_changelist(request, **kwargs)  # type: ignore[misc]  # of the ModelAdmin beside it
        return type("ChangeList", (KeysetChangeList, base), {})

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """The one column there is an order for, under whichever name the list shows it."""
        shown: Sequence[str] = self.get_list_display(request)  # type: ignore[attr-defined]  # as above
        named = (name for name in shown if isinstance(name, str))
        return [name for name in named if name == self.keyset or self._orders_by(name) == self.keyset]

    def _orders_by(self, name: str) -> Any:
        return getattr(getattr(self, name, None), "admin_order_field", "")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, which has no bound to be told of."""
        listed: Any = super().get_changelist_instance(request)  # type: ignore[misc]  # as above
        listed.bound = 0
        return listed

    def keyset_branches(self, request: HttpRequest) -> Sequence[dict[str, Any]]:
        """Filters that share out the rows, see Keyset.page; none by default."""
        return ()

    def keyset_narrow(self, request: HttpRequest) -> tuple[Narrow | None, int]:
        """A condition no index serves, and how many rows it may be put to; none by default."""
        return None, 0
