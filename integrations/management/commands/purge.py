"""`manage.py purge`: retention."""

from typing import Any

from django.core.management.base import BaseCommand

from integrations.services.purge import purge


class Command(BaseCommand):
    """Let go of payloads past their retention."""

    help = "Delete payloads past their flow's retention; instances and their activity stay."

    def handle(self, *_: Any, **__: Any) -> None:
        """Purge and say how much went."""
        gone = purge()
        self.stdout.write(f"{gone.instances} instance(s) purged, {gone.payloads} payload(s) deleted")
