"""`manage.py crm_housekeep`: what the beat does every hour, now."""

from typing import Any

from django.core.management.base import BaseCommand

from crm.services.crm_housekeep import crm_housekeep


class Command(BaseCommand):
    """Archive incidents, let go of old messages and nonces."""

    help = "Archive closed incidents with their tickets, delete messages and nonces past their time."

    def handle(self, *_: Any, **__: Any) -> None:
        """Do it and say what was done."""
        done = crm_housekeep()
        if not done:
            self.stdout.write("This site is the standby (site.active is false): nothing was done")
            return
        self.stdout.write(", ".join(f"{count} {what}" for what, count in done.items()))
