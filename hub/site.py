"""The console: Django's admin site under the hub's name, with its menu and its overview page."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse

from hub.menu import MENU

if TYPE_CHECKING or not find_spec("unfold"):
    from django.contrib.admin import AdminSite
else:
    from unfold.sites import UnfoldAdminSite as AdminSite


def own_style(_request: HttpRequest) -> str:
    """Address of the console's own few styles, for unfold's STYLES."""
    return static("hub/console.css")


def own_icon(_request: HttpRequest) -> str:
    """Address of the console's icon, for unfold's SITE_FAVICONS."""
    return static("hub/favicon.svg")


def changelist(label: str, query: str = "") -> str:
    """Address of a model's list, with a query string; "" where the model has no pages."""
    try:
        address = reverse(f"admin:{label.replace('.', '_')}_changelist")
    except NoReverseMatch:
        return ""
    return f"{address}?{query}" if query else address


def may_view(request: HttpRequest, label: str) -> bool:
    """Whether the user may see a model's list; `label` is as in `integrations.instance`."""
    app, name = label.split(".")
    return request.user.has_perm(f"{app}.view_{name}") or request.user.has_perm(f"{app}.change_{name}")


def _item(request: HttpRequest, label: str, title: str, icon: str) -> dict[str, Any] | None:
    address = changelist(label)
    if not address or not may_view(request, label):
        return None
    return {"title": title, "icon": icon, "link": address, "active": request.path.startswith(address)}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's sidebar: the overview, the groups of hub/menu.py, then what other apps registered."""
    overview = {"title": "Overview", "icon": "dashboard", "link": reverse("admin:index")}
    find = {"title": "Find", "icon": "search", "link": reverse("business-object")}
    groups: list[dict[str, Any]] = [
        {"items": [item | {"active": request.path == item["link"]} for item in (overview, find)]}
    ]
    for title, entries in MENU:
        items = [item for entry in entries if (item := _item(request, *entry))]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    if rest := _unlisted(request):
        groups.append({"title": "More", "separator": True, "collapsible": True, "items": rest})
    return groups


def _unlisted(request: HttpRequest) -> list[dict[str, Any]]:
    listed = {entry[0] for _, entries in MENU for entry in entries}
    metas = [model._meta for model in apps.get_models() if admin.site.is_registered(model)]
    wanted = [(meta.label_lower, str(meta.verbose_name_plural).capitalize()) for meta in metas]
    items = [_item(request, label, title, "list") for label, title in wanted if label not in listed]
    return [item for item in items if item]


class BusbarAdminSite(AdminSite):
    """The console, at /admin/."""

    site_title = "Busbar"
    site_header = "Busbar"
    index_title = "Overview"
    index_template = "admin/overview.html"
    enable_nav_sidebar = True

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The overview: figures the user may see, each a link to its list."""
        from hub.dashboard import overview  # noqa: PLC0415  (models are not there when the site is made)

        return super().index(request, {**overview(request), **(extra_context or {})})
