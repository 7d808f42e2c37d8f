"""The lookups app: edits are seen by every process, and packaged lookups are loaded after migration."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _load(*, using: str, **signal: Any) -> None:
    from django.db import DEFAULT_DB_ALIAS

    from lookups.services import packaged_lookups_load, schema_is_current

    if using == DEFAULT_DB_ALIAS and schema_is_current(signal.get("apps")):
        packaged_lookups_load()


class Lookups(AppConfig):
    """Code tables and property lists."""

    name = "lookups"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Watch edits, and load `fixtures/lookups/*.json` after each migrate."""
        from lookups import signals  # noqa: F401  (registers itself)

        post_migrate.connect(_load, sender=self, dispatch_uid="lookups.load")
