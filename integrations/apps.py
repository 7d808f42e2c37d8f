"""The integrations app: flows are discovered at start, their rows made after migration."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _make_rows(**_: Any) -> None:
    from integrations.services.flows_sync import flows_sync

    flows_sync()


class Integrations(AppConfig):
    """Models, engine, adapters, API and admin of the hub."""

    name = "integrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register system checks and the rows made after each migrate."""
        from integrations import checks  # noqa: F401  (registers itself)

        post_migrate.connect(_make_rows, sender=self)
