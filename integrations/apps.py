"""The integrations app: flows are discovered at start, their rows made after migration."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _make_rows(**_: Any) -> None:
    from integrations.services.flows_sync import flows_sync
    from integrations.storage import payloads_flatten

    flows_sync()
    payloads_flatten()


def _lookups_used() -> dict[str, list[str]]:
    """Lookup name → the flows that read it, for the lookups' pages."""
    from integrations.engine.registry import specs

    used: dict[str, list[str]] = {}
    for spec in specs():
        for lookup in spec.lookups:
            used.setdefault(lookup, []).append(spec.identifier)
    return used


class Integrations(AppConfig):
    """Models, engine, adapters, API and admin of the hub."""

    name = "integrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register system checks and the rows made after each migrate."""
        from integrations import checks  # noqa: F401  (registers itself)
        from lookups.usage import usage_from

        usage_from(_lookups_used)
        post_migrate.connect(_make_rows, sender=self)
