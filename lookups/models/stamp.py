"""The stamps that tell other processes of edits."""

from django.db import models


class Stamp(models.Model):
    """A lookup's (its primary key as text) or the catalogue's latest edit, as a random word."""

    subject = models.CharField(max_length=40, primary_key=True)
    value = models.CharField(max_length=32)

    class Meta:
        """Nobody's page."""

        default_permissions = ()

    def __str__(self) -> str:
        """What it stamps."""
        return self.subject
