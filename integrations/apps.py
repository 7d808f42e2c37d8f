"""The integrations app: flows are discovered at start, their rows made after migration."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _make_rows(**_: Any) -> None:
    from integrations.services.flows_sync import flows_sync
    from integrations.storage import payloads_flatten

    flows_sync()
    payloads_flatten()


class Integrations(AppConfig):
    """Models, engine, adapters, API and admin of the hub."""

    name = "integrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register system checks and the rows made after each migrate."""
        from integrations import checks  # noqa: F401  (registers itself)
        from integrations.lookups_seen import lookups_audit, lookups_used
        from integrations.services.alerts_watch import alert_chores
        from integrations.services.bulk_work import bulk_work
        from integrations.services.chores import chore
        from integrations.services.expected_files_check import expected_files_check
        from integrations.services.figures_count import EVERY_SECONDS, figures_count
        from integrations.services.missing_check import FORGET_EVERY, missing_forget, missing_settle
        from integrations.services.package_forget import EVERY_SECONDS as PACKAGES_EVERY
        from integrations.services.package_forget import packages_forget
        from lookups.trail import trail_to
        from lookups.usage import usage_from

        chore("expected files", 30, expected_files_check)
        chore("figures", EVERY_SECONDS, figures_count)
        chore("bulk resubmissions", 1, bulk_work)
        chore("missing values", 60, missing_settle)
        chore("old missing values", FORGET_EVERY, missing_forget)
        chore("old packages", PACKAGES_EVERY, packages_forget)
        alert_chores()
        usage_from(lookups_used)
        trail_to(lookups_audit)
        post_migrate.connect(_make_rows, sender=self)
