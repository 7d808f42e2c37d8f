"""Which errors an address means: `ids`, `family`, `missing` values, or the `filters` of the errors' list."""

import copy
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from integrations.engine.faults import InvalidMessage
from integrations.models import ErrorFamily, ErrorInstance, MissingValue
from integrations.present import short
from integrations.services.bulk_choice import MOST
from integrations.services.missing_check import released_by, value_is_there

MOST_IDS = 1_000
THERE = "there"  # `missing`: all that are there now
OPEN = ErrorInstance.State.OPEN


@dataclass(frozen=True, slots=True)
class Choice:
    """The errors meant; `selection` says which, as the order keeps it; `discarded`: whether those are meant too."""

    errors: QuerySet[ErrorInstance]
    selection: dict[str, Any]
    title: str
    back: str
    discarded: bool = False

    @property
    def fields(self) -> dict[str, str]:
        """The address's own parameters, for forms and links."""
        return {name: str(value) for name, value in self.selection.items()}


def preview_url(**selection: Any) -> str:
    """The page that shows what resubmitting these would do."""
    return f"{reverse('admin:integrations_bulkresubmission_preview')}?{urlencode(selection)}"


def choice_of(request: HttpRequest, asked: QueryDict) -> Choice:
    """What the parameters mean; InvalidMessage where they mean nothing."""
    if ids := asked.get("ids", ""):
        return _by_ids(_numbers(ids))
    if family := asked.get("family", ""):
        return _by_family(_numbers(family))
    if missing := asked.get("missing", ""):
        return _by_missing(missing)
    if "filters" in asked:
        return _by_filters(request, asked.get("filters", ""))
    raise InvalidMessage("Nothing is chosen", hint="Choose errors in their list, or a family.")


def _by_ids(ids: list[int]) -> Choice:
    errors = ErrorInstance.objects.filter(pk__in=ids)
    known = list(errors.select_related("instance__flow")[:2])
    one = known[0] if len(known) == 1 else None
    if one is not None:
        title = f"Error of {one.instance.flow.identifier} {one.instance.primary_key_value}".strip()
        back = reverse("admin:integrations_errorinstance_change", args=[one.pk])
    else:
        title, back = f"{len(ids)} chosen errors", reverse("admin:integrations_errorinstance_changelist")
    return Choice(errors, {"ids": ",".join(map(str, ids))}, title, back, discarded=True)


def _by_family(ids: list[int]) -> Choice:
    family = ErrorFamily.objects.filter(pk=ids[0]).select_related("flow").first()
    if family is None:
        raise InvalidMessage(f"There is no error family {ids[0]}")
    title = f"Family of {family.flow.identifier}: {short(family.message, 160)}"
    back = reverse("admin:integrations_errorfamily_change", args=[family.pk])
    return Choice(ErrorInstance.objects.filter(family=family, state=OPEN), {"family": family.pk}, title, back)


def _by_missing(asked: str) -> Choice:
    """What the values would release that are there now."""
    waiting = MissingValue.objects.filter(errors__state=OPEN).distinct()
    if asked != THERE:
        waiting = waiting.filter(pk__in=_numbers(asked))
    values = [value for value in waiting[:MOST_IDS] if value_is_there(value)]
    title = "Errors released by what lookups have now"
    if asked != THERE and len(values) == 1:
        title = f"Errors released by {values[0]}"
    back = reverse("admin:integrations_missingvalue_changelist")
    return Choice(released_by(values), {"missing": asked}, title[:300], back)


def _by_filters(request: HttpRequest, query: str) -> Choice:
    """The rows of the errors' list with these filters, in the words of its own filters."""
    again = copy.copy(request)
    again.GET = QueryDict(query)  # a copy: what was asked stays as it is
    again.method = "GET"
    page: Any = admin.site._registry[ErrorInstance]
    try:
        listed = page.get_changelist_instance(again)
        rows = listed.get_queryset(again)
    except IncorrectLookupParameters:
        raise InvalidMessage("These filters mean nothing", hint="Set them again in the list.") from None
    if (said := page.sought(again)) is not None:  # a text is looked for in as many as an order takes
        newest = rows.order_by("-last_failed_at", "-pk").values("pk")[:MOST]
        rows = ErrorInstance.objects.filter(said, pk__in=newest)
    back = f"{reverse('admin:integrations_errorinstance_changelist')}?{query}"
    chosen = {"filters": query}
    return Choice(
        rows, chosen, _words(listed, again.GET), back, discarded=again.GET.get("state__exact") == "discarded"
    )


def _words(listed: Any, asked: QueryDict) -> str:
    said = [
        f"{spec.title}: {choice['display']}"
        for spec in listed.filter_specs
        for place, choice in enumerate(spec.choices(listed))
        if choice.get("selected") and (place or spec.title == "state")
    ]
    if asked.get("q"):
        said.append(f"search: {asked['q'][:100]}")
    return f"Errors with {', '.join(said)}"[:300] if said else "All errors"


def _numbers(text: str) -> list[int]:
    """Row numbers separated by commas; InvalidMessage where they are none."""
    parts = [part for part in text.split(",") if part]
    if not parts or len(parts) > MOST_IDS or not all(part.isdecimal() and len(part) < 19 for part in parts):  # noqa: PLR2004  (a 64-bit number)
        raise InvalidMessage(f"{text[:40]!r} does not say which errors")
    return [int(part) for part in parts]
