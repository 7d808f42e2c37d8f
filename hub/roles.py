"""The five roles (design section 6): groups whose permissions the hub sets again after every migrate.

A site that needs other rights makes its own groups beside these: what is changed in a shipped role is put back.
People also need `is_staff` to enter the console.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from django.contrib.auth.models import Group, Permission

VIEWER, BUSINESS_ADMIN, OPERATOR = "Viewer", "Business admin", "Operator"
CONFIGURATOR, ADMINISTRATOR = "Configurator", "Administrator"

_SEE = ["integrations.view_*", "lookups.view_*", "crm.view_*", "!integrations.view_auditentry"]
_HISTORY = [f"!*.{verb}_historical*" for verb in ("add", "change", "delete")]  # is written by the hub alone
_ADMIN_OF = (
    "connection",
    "agentgroup",
    "trustcertificate",
    "schedule",
    "mappingextension",
    "expectedfile",
    "alertrule",
)
# The call centre: who works at incidents and callbacks, and who keeps what they are placed by.
_DISPATCH = ["crm.change_incident", "crm.change_callback", "crm.change_troubleticket", "crm.*_crew"]
_PLACES = ["crm.*_servicedeliverypoint", "crm.*_landbaseobject", "crm.*_crmcaller"]

# Patterns over app.codename; ! takes away. What matches nothing yet waits for the app that brings it.
ROLES: dict[str, list[str]] = {
    VIEWER: _SEE,
    BUSINESS_ADMIN: [*_SEE, "lookups.*_row"],  # values; names of properties need lookups.edit_keys
    OPERATOR: [
        *_SEE,
        "integrations.run_flow",
        "integrations.resubmit_instance",
        "integrations.discard_instance",
        "integrations.read_payload",
        "integrations.change_errorfamily",
        "integrations.change_breaker",
        "integrations.change_notification",
        "integrations.test_connection",
        "integrations.*_bulkresubmission",
        "integrations.change_webhookdelivery",
        *_DISPATCH,
    ],
    CONFIGURATOR: [
        *_SEE,
        *_HISTORY,
        "lookups.*",
        *[f"integrations.{verb}_{name}" for verb in ("add", "change", "delete") for name in _ADMIN_OF],
        "integrations.change_flow",
        "integrations.activate_flow",
        "integrations.trace_flow",
        "integrations.run_flow",
        "integrations.test_connection",
        "integrations.change_breaker",
        "integrations.package_flow",
        "integrations.change_packageimport",
        "integrations.clone_flow",
        *_DISPATCH,
        *_PLACES,
    ],
    ADMINISTRATOR: [
        *_HISTORY,
        "integrations.*",
        "lookups.*",
        "crm.*",
        "auth.*_user",
        "auth.*_group",
        "oauth2_provider.view_application",
        "oauth2_provider.view_accesstoken",
        "oauth2_provider.delete_accesstoken",
    ],
}


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether `app.codename` is meant: some pattern matches, and none with ! does."""
    wanted = False
    for pattern in patterns:
        if fnmatchcase(name, pattern.removeprefix("!")):
            if pattern.startswith("!"):
                return False
            wanted = True
    return wanted


def roles_grant() -> None:
    """Make the five groups and set their permissions; idempotent, and writes only what differs."""
    named = {
        f"{app}.{codename}": key
        for key, app, codename in Permission.objects.values_list("pk", "content_type__app_label", "codename")
    }
    for role, patterns in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set([key for name, key in named.items() if matches(name, patterns)])
