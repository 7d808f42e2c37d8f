"""Agent groups: the firewalls behind which connections are reached (seed 001 chapter 5)."""

from django.contrib import admin

from hub.theme import display
from integrations.admin.base import ConsoleAdmin
from integrations.models import AgentGroup


@admin.register(AgentGroup)
class AgentGroupAdmin(ConsoleAdmin[AgentGroup]):
    """Name and identifier are the same."""

    list_display = ("identifier", "description", "used_by")
    search_fields = ("identifier", "description")
    actions = None

    @display(description="Connections")
    def used_by(self, row: AgentGroup) -> int:
        """How many connections belong to it."""
        return row.connections.count()
