"""The page that shows a lookup at two times side by side."""

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from lookups.lines import Line
from lookups.models import Lookup
from lookups.periods import FROM, UNTIL
from lookups.services.compare import (
    CHANGED,
    ONLY_LEFT,
    ONLY_RIGHT,
    PACKAGE,
    SAME,
    Compared,
    Side,
    lookup_compare,
)

if TYPE_CHECKING:
    from lookups.admin.lookup import LookupAdmin

SHOWN = 500
WORDS = {"package": "what the package brought", "now": "as it is now"}


def compare_page(page: "LookupAdmin", request: HttpRequest, object_id: int) -> HttpResponse:
    """The form, and the comparison it asks for; without one, the package's rows beside those of now."""
    lookup = get_object_or_404(Lookup, pk=object_id)
    if not page.has_view_permission(request, lookup):
        raise PermissionDenied
    asked, problems = request.GET, list[str]()
    left, right = (
        _side(asked, name, other, problems) for name, other in (("left", "package"), ("right", "now"))
    )
    context: dict[str, Any] = {"compared": None}
    if not problems:
        found = lookup_compare(lookup=lookup, left=left["side"], right=right["side"])
        context = _found(lookup, found, show_all=bool(asked.get("all")))
    return TemplateResponse(
        request,
        "admin/lookups/page.html",
        {
            **page.admin_site.each_context(request),
            "title": f"Compare {lookup}",
            "original": lookup,
            "opts": page.opts,
            "media": page.media,
            "panel_template": "admin/lookups/lookup/compare.html",
            "left": left,
            "right": right,
            "problems": problems,
            "zone": timezone.get_current_timezone_name(),
            "show_all": bool(asked.get("all")),
            **context,
        },
    )


def _side(asked: QueryDict, name: str, otherwise: str, problems: list[str]) -> dict[str, Any]:
    """What one side of the form asks for: `value` and `at` as sent, `side` as the service takes it, `said` in words."""
    value, at = asked.get(name, otherwise), asked.get(f"{name}_at", "")
    side: Side = PACKAGE if value == "package" else None
    said = WORDS.get(value, "")
    if value == "at":
        side = _moment(at)
        said = f"as it was at {at.replace('T', ' ')}"
        if side is None:
            problems.append(f"Give the date and time for the {name}.")
    return {"value": value, "at": at, "side": side, "said": said}


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is None or timezone.is_aware(found) else timezone.make_aware(found)


def _found(lookup: Lookup, found: list[Compared], *, show_all: bool) -> dict[str, Any]:
    counts = Counter(one.state for one in found)
    wanted = [one for one in found if show_all or one.state != SAME]
    dated = any(line and (line.begins or line.ends) for one in wanted for line in (one.left, one.right))
    columns = [*lookup.columns, FROM, UNTIL] if dated else lookup.columns
    return {
        "columns": columns,
        "counts": {
            "changed": counts[CHANGED],
            "only_left": counts[ONLY_LEFT],
            "only_right": counts[ONLY_RIGHT],
            "same": counts[SAME],
        },
        "cut": SHOWN if len(wanted) > SHOWN else 0,
        "compared": [_marked(one, columns) for one in wanted[:SHOWN]],
    }


def _marked(one: Compared, columns: list[str]) -> dict[str, Any]:
    """A row's cells on both sides, each with whether it differs from the other's."""
    left, right = (_values(line, len(columns)) for line in (one.left, one.right))
    differs = [first != second for first, second in zip(left, right, strict=True)]
    return {
        "state": one.state,
        "both": one.state == CHANGED,
        "left": _cells(columns, left, differs),
        "right": _cells(columns, right, differs),
    }


def _cells(columns: list[str], texts: list[str], differs: list[bool]) -> list[dict[str, Any]]:
    return [
        {"column": column, "text": text, "changed": changed}
        for column, text, changed in zip(columns, texts, differs, strict=True)
    ]


def _values(line: Line | None, width: int) -> list[str]:
    return line.values()[:width] if line else [""] * width
