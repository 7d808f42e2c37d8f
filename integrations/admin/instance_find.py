"""Finding instances: by a key exactly and by its index, by a text within a time span and a bound."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from integrations.admin.filters import SPANS, RecentFilter
from integrations.models import Activity, BusinessKey, Instance
from integrations.services.business_object import of_message

FOUND = 2_000  # instances that one value is looked up for: the newest
LOOKED_AT = 10_000  # instances whose texts are searched for one page
SHORTEST = 3  # letters of a text; fewer are in every line
SEARCHED = timedelta(days=1)  # what a text is looked for in where no time is given


def find_instances(rows: QuerySet[Instance], term: str) -> QuerySet[Instance]:
    """Instances by id, message id or business key (`value`, or `name=value`), each exact and by its index.

    Of a value that very many have, the newest are found.
    """
    return rows.filter(pk__in=found_keys(term))


def found_keys(term: str) -> set[Any]:
    """Primary keys of the instances that a term finds."""
    if one := _by_id(term):
        return {one}
    name, equals, value = (part.strip() for part in term.partition("="))
    if equals and name and value:
        named = set(_by_key(value).filter(name__iexact=name)[:FOUND])
        primary = Instance.objects.filter(primary_key_value=value, primary_key_name__iexact=name)
        return named | set(_newest(primary)) | found_exactly(term)
    return found_exactly(term)


def found_exactly(value: str) -> set[Any]:
    """Primary keys of the newest instances with this business key or message id."""
    found = set(_by_key(value)[:FOUND])
    found |= set(_newest(Instance.objects.filter(primary_key_value=value)))
    return found | set(_newest(of_message(value)))


def _by_id(term: str) -> Any:
    try:
        return Instance.objects.filter(pk=term).values_list("pk", flat=True).first()
    except ValidationError:
        return None


def _by_key(value: str) -> QuerySet[BusinessKey, Any]:
    """Ids sort by time, and the index has them in this order."""
    keys = BusinessKey.objects.filter(value=value).order_by("-instance_id")
    return keys.values_list("instance_id", flat=True)


def _newest(rows: QuerySet[Instance]) -> Sequence[Any]:
    return list(rows.order_by("-pk").values_list("pk", flat=True)[:FOUND])


# -- a text within a time span -----------------------------------------------------------------------------


def sought_text(request: HttpRequest) -> str:
    """The text that is looked for; "" where it is too short to be one."""
    text = request.GET.get("text", "").strip()
    return text if len(text) >= SHORTEST else ""


def with_text(keys: Sequence[Any], text: str) -> Collection[Any]:
    """Those of the instances whose fault or activity stream has this text, in any case."""
    said = Instance.objects.filter(pk__in=keys, fault_text__icontains=text).values_list("pk", flat=True)
    lines = Activity.objects.filter(instance__in=keys, text__icontains=text).order_by()
    return {*said, *lines.values_list("instance_id", flat=True)}


def moment(text: str) -> datetime | None:
    """A time as a browser's field gives it, in the hub's zone where it names none; None where it is none."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    if found is None:
        return None
    return timezone.make_aware(found) if timezone.is_naive(found) else found


class SpanFilter(RecentFilter):
    """The last hour, day, week or month, or from one time to another; a text is searched within it."""

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        """The form's fields are no filters of columns: they are taken out of `params`."""
        super().__init__(request, params, model, model_admin)
        for name in ("text", "since", "until"):
            params.pop(name, None)
        self.since, self.until = (moment(request.GET.get(name, "")) for name in ("since", "until"))
        self.text = sought_text(request)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows within the span; where a text is looked for without one, the last day's."""
        rows = super().queryset(request, queryset)
        if self.since:
            rows = rows.filter(created_at__gte=self.since)
        if self.until:
            rows = rows.filter(created_at__lt=self.until)
        if self.text and not self.since and self.value() not in SPANS:
            rows = rows.filter(created_at__gte=(self.until or timezone.now()) - SEARCHED)
        return rows
