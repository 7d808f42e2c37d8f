"""The project's own app configurations: the console, and the app of log-in throttling and roles."""

from typing import Any

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class HubAdmin(AdminConfig):
    """Django's admin with the hub's site as `admin.site`."""

    default_site = "hub.site.BusbarAdminSite"


def _grant_roles(**_: Any) -> None:
    from hub.roles import roles_grant

    roles_grant()


class Hub(AppConfig):
    """Log-in throttling, roles, health, metrics."""

    name = "hub"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Grant the roles after each migrate.

        Django makes permissions app by app after a migrate, so the roles wait for the last app that has
        models: a data migration would run before there is anything to grant.
        """
        last = [config for config in apps.get_app_configs() if config.models_module is not None][-1]
        post_migrate.connect(_grant_roles, sender=last, dispatch_uid="hub.roles")
