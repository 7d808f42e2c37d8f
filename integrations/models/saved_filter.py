"""Filters of the console's lists that a person keeps under a name."""

from django.conf import settings
from django.db import models


class SavedFilter(models.Model):
    """A list's query string by name; shared ones are seen by everyone who may see the list."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    page = models.CharField(max_length=100, help_text="The list's model, e.g. integrations.instance")
    name = models.CharField(max_length=100)
    query = models.CharField(max_length=2000, blank=True)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One name a person and list; nobody's page."""

        ordering = ["page", "name"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="saved_filter_once")]

    def __str__(self) -> str:
        return self.name
