"""The filter of rows by whether they are valid today."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from lookups.periods import COMING, ENDED, VALID, today


class ValidityFilter(admin.SimpleListFilter):
    """Valid, coming or ended."""

    title = "valid"
    parameter_name = "valid"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The three."""
        return [(VALID, "Today"), (COMING, "Coming"), (ENDED, "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """As chosen."""
        day = today()
        coming, ended = Q(valid_from__gt=day), Q(valid_until__lt=day)
        wanted = {VALID: ~coming & ~ended, COMING: coming, ENDED: ended & ~coming}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(wanted)
