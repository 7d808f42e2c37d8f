"""The errors' list as other pages lead to it: what a bulk resubmission took, what lacks one value.

Each is offered only where the address asks for it. Both go by an index of the few rows that name the errors, so what
is read is bounded by them (one order has at most 100,000) and not by the errors there are.
"""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest

from integrations.admin.listed import listed
from integrations.models import BulkItem, BulkResubmission, ErrorInstance, MissingValue
from integrations.present import short

Outcome = BulkItem.Outcome
BULK, MISSING = "bulk", "missing_values__id__exact"


def order_errors(order: BulkResubmission, outcome: str, state: str = "all") -> str:
    """Address of an order's errors with this outcome, in this state."""
    return listed(ErrorInstance, **{BULK: f"{order.pk}-{outcome}", "state__exact": state})


def value_errors(value: MissingValue) -> str:
    """Address of the open errors that lack a value."""
    return listed(ErrorInstance, **{MISSING: value.pk, "state__exact": ErrorInstance.State.OPEN})


def in_state(request: HttpRequest, queryset: QuerySet[Any], state: str) -> QuerySet[Any]:
    """The errors in this state: by the index of states, but where few errors are named by one of these filters.

    SQLite would walk all errors of the state to find those few; what is no plain column it does not look for by index.
    """
    if request.GET.get(BULK) or request.GET.get(MISSING):
        queryset = queryset.alias(plain_state=Lower("state"))
        return queryset.filter(plain_state=state)
    return queryset.filter(state=state)


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:  # noqa: PLR2004  (a 64-bit number)
        raise IncorrectLookupParameters(f"{text[:40]!r} is no row's number")
    return int(text)


class BulkFilter(admin.SimpleListFilter):
    """The errors of one bulk resubmission: `12`, or those with one outcome: `12-refused`."""

    title = "bulk resubmission"
    parameter_name = BULK

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The order asked for, as a whole and by outcome; nothing without one."""
        if not self.value():
            return []
        key, _ = self._asked()
        order = BulkResubmission.objects.filter(pk=key).first()
        title = short(str(order), 60) if order else f"{key}, which there is not"
        parts = [(f"{key}-{value}", f"{title}: {str(label).lower()}") for value, label in Outcome.choices]
        return [(str(key), title), *parts]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By the order's items, whose index begins with it."""
        if not self.value():
            return queryset
        key, outcome = self._asked()
        items = BulkItem.objects.filter(order_id=key).order_by()
        items = items.filter(outcome=outcome) if outcome else items
        return queryset.filter(instance__in=items.values("instance_id"))

    def _asked(self) -> tuple[int, str]:
        """The order's number and the outcome, "" for all."""
        key, _, outcome = (self.value() or "").partition("-")
        if outcome and outcome not in Outcome.values:
            raise IncorrectLookupParameters(f"{outcome[:40]!r} is no outcome")
        return _number(key), outcome


class MissingFilter(admin.SimpleListFilter):
    """The errors that lack one value of a lookup."""

    title = "missing value"
    parameter_name = MISSING

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The value asked for; nothing without one."""
        if not (asked := self.value()):
            return []
        value = MissingValue.objects.filter(pk=_number(asked)).first()
        return [(asked, short(str(value), 60) if value else f"{asked}, which there is not")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By the rows that link values and errors, whose index begins with the value."""
        if not (asked := self.value()):
            return queryset
        links = MissingValue.errors.through.objects.filter(missingvalue_id=_number(asked))
        return queryset.filter(pk__in=links.values("errorinstance_id"))
