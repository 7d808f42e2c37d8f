"""Crews: whom incidents are assigned to."""

from django.contrib import admin

from crm.admin.audited import AuditedAdmin
from crm.models import Crew


@admin.register(Crew)
class CrewAdmin(AuditedAdmin[Crew]):
    """Their id goes out with every ticket of their incidents."""

    list_display = ("name", "mrid")
    search_fields = ("name", "mrid")
    search_help_text = "Part of a name or an id."
    fields = ("mrid", "name")
