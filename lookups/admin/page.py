"""What the lookups' pages share: whose rows a page is about, and where the other pages are."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lookups.models import VALUE, Lookup, Row
from lookups.periods import COMING, ENDED
from lookups.usage import User

FILTER = "lookup__id__exact"
SHOWN_USERS = 3


def lookup_of(request: HttpRequest, row_id: str | None = None) -> Lookup | None:
    """The lookup a row page is about: the row's, or the one the list is (or was) filtered to."""
    if row_id:
        row = Row.objects.select_related("lookup").filter(pk=row_id).first() if row_id.isdecimal() else None
        return row.lookup if row else None
    came_from = parse_qs(request.GET.get("_changelist_filters", ""))
    given = request.GET.get(FILTER) or request.GET.get("lookup") or came_from.get(FILTER, [""])[0]
    return Lookup.objects.filter(pk=given).first() if given.isdecimal() else None


def lookup_left(request: HttpRequest) -> Lookup | None:
    """The lookup whose rows were looked at before this page was opened."""
    given = parse_qs(urlsplit(request.headers.get("Referer", "")).query).get(FILTER, [""])[0]
    return Lookup.objects.filter(pk=given).first() if given.isdecimal() else None


def rows_url(lookup: Lookup) -> str:
    """The list of a lookup's rows."""
    return f"{reverse('admin:lookups_row_changelist')}?{FILTER}={lookup.pk}"


def import_url(request: HttpRequest, lookup: Lookup | None = None) -> str:
    """The page that imports a lookup's rows, or a new lookup; "" for who may not."""
    needed = ["lookups.change_row", "lookups.add_row", *([] if lookup else ["lookups.add_lookup"])]
    if not request.user.has_perms(needed):
        return ""
    return f"{reverse('admin:lookups_row_import')}?{f'{FILTER}={lookup.pk}' if lookup else 'mode=new'}"


def changes_url(lookup: Lookup) -> str:
    """The history of a lookup's rows."""
    return f"{reverse('admin:lookups_historicalrow_changelist')}?{FILTER}={lookup.pk}"


def conflicts_url(lookup: Lookup) -> str:
    """The conflicts of a lookup that wait."""
    return f"{reverse('admin:lookups_rowconflict_changelist')}?{FILTER}={lookup.pk}"


def editable_cells(lookup: Lookup) -> tuple[int, ...]:
    """Places of the columns to edit in the list: all of a table; of a property list the value, the rest is named
    and explained by the package (who may edit keys does so on the property's own page)."""
    return (VALUE,) if lookup.is_properties else tuple(range(len(lookup.columns)))


def cell_display(lookup: Lookup, at: int) -> Any:
    """A list's column for one cell."""

    @admin.display(description=lookup.columns[at])
    def show(row: Row) -> str:
        return row.cells[at] if at < len(row.cells) else ""

    return show


def history_link(row: Row) -> SafeString:
    """To what was changed in a row."""
    return format_html(
        '<a href="{}?id={}">History</a>', reverse("admin:lookups_historicalrow_changelist"), row.pk
    )


def validity_shown(row: Row) -> str:
    """Whether a row is valid today, and what follows; "always" for one without days."""
    begins, ends = row.period
    if begins is ends is None:
        return "always"
    said = row.validity
    if said == COMING:
        text = f"coming, from {begins}"
    elif said == ENDED:
        text = f"ended {ends}"
    else:
        text = f"valid until {ends}" if ends else f"valid since {begins}"
    return format_html('<span class="lk-badge lk-badge-{}">{}</span>', said, text)


def users_shown(users: list[User]) -> str:
    """The first few of what uses a lookup, linked, and how many more there are."""
    links = [(user.url, user.name) for user in users[:SHOWN_USERS]]
    parts = [
        format_html('<a href="{}">{}</a>', *one) if one[0] else format_html("{}", one[1]) for one in links
    ]
    more = len(users) - SHOWN_USERS
    shown = format_html_join(", ", "{}", ((part,) for part in parts))
    return format_html("{} and {} more", shown, more) if more > 0 else shown or "-"
