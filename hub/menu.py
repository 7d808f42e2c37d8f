"""The console's look, as settings need it: the theme's apps and unfold's configuration. Imports no models."""

from importlib.util import find_spec
from typing import Any

THEME_APPS = (
    [
        "unfold.apps.BasicAppConfig",
        "unfold.contrib.filters",
        "unfold.contrib.import_export",
        "unfold.contrib.simple_history",
    ]
    if find_spec("unfold")
    else []
)

# One hue for what can be clicked, greys for the rest; red, amber and green are left for states.
_PRIMARY = {
    "50": "oklch(97.1% .014 230)",
    "100": "oklch(94.1% .03 230)",
    "200": "oklch(89.1% .058 230)",
    "300": "oklch(81.8% .095 230)",
    "400": "oklch(72.5% .125 232)",
    "500": "oklch(62.5% .135 236)",
    "600": "oklch(53.5% .13 240)",
    "700": "oklch(46% .115 242)",
    "800": "oklch(39.5% .095 243)",
    "900": "oklch(33.5% .075 244)",
    "950": "oklch(25% .055 246)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Busbar",
    "SITE_HEADER": "Busbar",
    "SITE_SUBHEADER": "Integration hub",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "hub.site.own_icon"}],
    "SITE_SYMBOL": "electrical_services",
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "BORDER_RADIUS": "6px",
    "COLORS": {"primary": _PRIMARY},
    "STYLES": ["hub.site.own_style"],
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": "hub.site.navigation"},
}

# Group, then (model label, title, Material symbol); shown where the model has pages the user may view.
MENU: list[tuple[str, list[tuple[str, str, str]]]] = [
    (
        "Monitor",
        [
            ("integrations.instance", "Instances", "receipt_long"),
            ("integrations.errorinstance", "Errors", "error"),
            ("integrations.errorfamily", "Error families", "stacks"),
            ("integrations.missingvalue", "Missing values", "rule"),
            ("integrations.bulkresubmission", "Bulk resubmissions", "replay"),
            ("integrations.syncrequest", "Sync requests", "sync_alt"),
            ("integrations.filetransfer", "File transfers", "drive_file_move"),
            ("integrations.networklocation", "Network locations", "hub"),
            ("integrations.alert", "Alerts", "notifications_active"),
            ("integrations.notification", "Notifications", "mail"),
            ("integrations.webhookdelivery", "Webhooks", "webhook"),
            ("integrations.heartbeat", "Processes", "monitor_heart"),
            ("integrations.breaker", "Breakers", "electric_bolt"),
        ],
    ),
    (
        "Call centre",
        [
            ("crm.incident", "Incidents", "flash_off"),
            ("crm.troubleticket", "Trouble tickets", "confirmation_number"),
            ("crm.callback", "Callbacks", "phone_callback"),
            ("crm.servicedeliverypoint", "Service delivery points", "electric_meter"),
            ("crm.landbaseobject", "Landbase", "map"),
            ("crm.crew", "Crews", "engineering"),
            ("crm.receivedmessage", "Messages", "forum"),
            ("crm.crmcaller", "CRM callers", "headset_mic"),
        ],
    ),
    (
        "Lookups",
        [
            ("lookups.lookup", "Lookups", "table_view"),
            ("lookups.row", "Rows", "table_rows"),
            ("lookups.alias", "Aliases", "alternate_email"),
            ("lookups.historicalrow", "Changes", "manage_history"),
            ("lookups.rowconflict", "Merge conflicts", "call_merge"),
        ],
    ),
    (
        "Design",
        [
            ("integrations.flow", "Flows", "account_tree"),
            ("integrations.schedule", "Schedules", "schedule"),
            ("integrations.expectedfile", "Expected files", "pending_actions"),
            ("integrations.alertrule", "Alert rules", "notification_add"),
            ("integrations.mapping", "Mappings", "swap_horiz"),
            ("integrations.mappingextension", "Mapping extensions", "extension"),
            ("integrations.connection", "Connections", "cable"),
            ("integrations.trustcertificate", "Trust certificates", "verified_user"),
            ("integrations.agentgroup", "Agent groups", "lan"),
            ("integrations.packageimport", "Packages", "inventory_2"),
        ],
    ),
    (
        "Access",
        [
            ("integrations.client", "Clients", "key"),
            ("auth.user", "Users", "person"),
            ("auth.group", "Roles", "groups"),
            ("integrations.maskedfield", "Masked fields", "visibility_off"),
            ("integrations.auditentry", "Audit trail", "history"),
        ],
    ),
]
