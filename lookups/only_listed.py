"""Lists that can be filtered by what they offer, and by nothing else an address may say."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import DateField
from django.http import HttpRequest

ENDS = ("", "__exact", "__isnull", "__in")
SPAN_ENDS = ("__gte", "__lt")


class OnlyListed:
    """Put it before ModelAdmin: an address filters by `list_filter` and `linked` alone.

    The stock admin lets any address compare each of a model's own columns with anything, also those a page hides: by
    `__startswith` they would be read letter by letter, and `__regex` makes a database look at each of its rows.
    """

    linked: ClassVar[tuple[str, ...]] = ()  # what links of other pages ask for beside the filters

    def lookup_allowed(self: Any, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Whether a list may be filtered by `lookup`, e.g. `status__exact`; what may not is answered with a 400."""
        if lookup in self.linked:
            return True
        return any(lookup in _asked_by(self.model, item) for item in self.get_list_filter(request))


def _asked_by(model: Any, item: Any) -> set[str]:
    """The lookups of one filter of a list."""
    if isinstance(item, type) and issubclass(item, admin.SimpleListFilter):
        return {str(item.parameter_name)}
    name: str = item[0] if isinstance(item, tuple | list) else item
    field: Any = get_fields_from_path(model, name)[-1]
    ends = [*ENDS, *(SPAN_ENDS if isinstance(field, DateField) else ())]
    if field.is_relation:
        ends.append(f"__{field.target_field.name}__exact")
    return {f"{name}{end}" for end in ends}
