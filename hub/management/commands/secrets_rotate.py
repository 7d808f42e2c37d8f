"""`manage.py secrets_rotate`: after a new key was put in front of HUB_FERNET_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hub.keys import payloads_rotate, secrets_rotate
from integrations.crypto import SecretUnreadable


class Command(BaseCommand):
    """Put secrets and payloads under the newest key."""

    help = "Put connections' secrets and encrypted payloads under the newest of HUB_FERNET_KEYS."

    def handle(self, *_: Any, **__: Any) -> None:
        """Says how many; an error, with what is to blame, if an older key is still needed."""
        try:
            rows = secrets_rotate()
        except SecretUnreadable as missing:
            raise CommandError(str(missing)) from missing
        payloads, troubles = payloads_rotate()
        self.stdout.write(f"Under the newest key: secrets of {rows} rows, {payloads} payloads")
        if troubles:
            raise CommandError("\n".join(["Not under it, keep the older keys:", *troubles]))
