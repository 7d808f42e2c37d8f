"""Other spellings."""

from django.contrib import admin
from simple_history.admin import SimpleHistoryAdmin

from lookups.models import Alias
from lookups.only_listed import OnlyListed
from lookups.theme import ModelAdmin


@admin.register(Alias)
class AliasAdmin(OnlyListed, SimpleHistoryAdmin, ModelAdmin[Alias]):  # type: ignore[misc]  # simple_history has no types
    """How other documents spell lookups and properties."""

    list_display = ["spelling", "meaning", "of"]
    list_filter = ["of"]
    search_fields = ["spelling", "meaning"]
    fields = ["of", "spelling", "meaning"]
