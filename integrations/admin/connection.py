"""Connections: entered, tested, refreshed; an unknown host key is accepted by its fingerprint."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.adapters import adapter_class, adapter_names
from integrations.adapters.contract import Adapter, TestStep
from integrations.adapters.errors import AdapterError
from integrations.admin.base import ConsoleAdmin, PostAction, actor_of, address_of, refuse
from integrations.admin.connection_form import (
    ConnectionForm,
    adapter_choices,
    connection_form,
    fieldsets_for,
)
from integrations.engine.registry import specs
from integrations.models import Breaker, Connection
from integrations.present import as_text, badge
from integrations.services.breaker_close import breaker_close
from integrations.services.connection_accept_host_key import (
    HostKeyNotOffered,
    connection_accept_host_key,
    offered_host_key,
)
from integrations.services.connection_refresh import connection_refresh
from integrations.services.connection_save import connection_save
from integrations.services.connection_test import connection_test, connection_test_draft

TRYING = {"_test", "_accept"}  # the form's own buttons that try its values without saving them


def _offered(steps: list[TestStep]) -> str:
    """The unknown key a test met, as `type base64`."""
    return next((step.offered_host_key for step in steps if step.offered_host_key), "")


def _shown_settings(row: Connection) -> list[tuple[str, str]]:
    """(label, value) for who may look but not change; of a secret, whether it is set."""
    return [
        (
            item.label,
            ("set" if item.name in row.secrets else "not set")
            if item.secret
            else as_text(row.settings.get(item.name, "")),
        )
        for item in adapter_class(row.adapter).fields
    ]


@admin.register(Connection)
class ConnectionAdmin(ConsoleAdmin[Connection]):
    """List: what reaches what and whether it works. Page: test report above the adapter's form."""

    post_actions = (
        PostAction("test", "integrations.test_connection"),
        PostAction("refresh", "integrations.test_connection"),
        PostAction("accept_host_key", "integrations.change_connection"),
        PostAction("close_breaker", "integrations.change_breaker"),
    )
    panel_template = "admin/integrations/connection/panel.html"
    change_form_template = "admin/integrations/connection/change_form.html"
    list_display = ("name", "adapter", "role", "package", "tested", "tested_at", "breaker_state")
    list_filter = ("adapter", "package", "role", "last_test_ok")
    linked = ("id__in", "secrets_expire_on__lt")
    search_fields = ("name", "package", "description")
    list_select_related = ("breaker",)
    actions = None

    @display(description="Last test", ordering="last_test_ok")
    def tested(self, row: Connection) -> SafeString:
        """Passed, failed, or never tried as it is now."""
        return badge({True: "passed", False: "failed", None: "not tested"}[row.last_test_ok])

    @display(description="Tested at", ordering="last_test_at")
    def tested_at(self, row: Connection) -> Any:
        """When."""
        return row.last_test_at

    @display(description="Breaker")
    def breaker_state(self, row: Connection) -> SafeString | str:
        """Open while instances wait for it."""
        breaker = getattr(row, "breaker", None)
        return badge("open") if breaker and breaker.open_until else ""

    # -- the form ----------------------------------------------------------------------------------------

    def adapter_of(self, request: HttpRequest, row: Connection | None) -> type[Adapter]:
        """The adapter the form is for: posted, asked for in the URL, stored, or SFTP."""
        name = request.POST.get("adapter") or request.GET.get("adapter") or (row.adapter if row else "")
        return adapter_class(name if name in adapter_names() else "sftp")

    def get_fieldsets(self, request: HttpRequest, obj: Connection | None = None) -> Any:
        """By adapter; a person who may only look gets no boxes for secrets."""
        if obj is not None and not self.has_change_permission(request, obj):
            return [(None, {"fields": ["name", "role", "package", "description", "agent_group"]})]
        return fieldsets_for(self.adapter_of(request, obj), obj.secrets if obj else {})

    def get_form(
        self, request: HttpRequest, obj: Connection | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The adapter's own form."""
        trying = bool(TRYING & set(request.POST))
        kwargs["form"] = connection_form(
            self.adapter_of(request, obj), obj.secrets if obj else {}, for_test=trying
        )
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Connection, form: Any, change: bool) -> None:
        """By the service, which checks, writes history and audits."""
        connection_save(
            connection=obj, trust=form.trusted(), actor=actor_of(request), address=address_of(request)
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The page; its Test button tries what is in the form without saving it."""
        row = self.get_object(request, object_id) if object_id else None
        context: dict[str, Any] = {
            "adapters": adapter_choices(),
            "chosen_adapter": self.adapter_of(request, row).name,
            "may_test": request.user.has_perm("integrations.test_connection"),
        }
        if request.method == "POST" and TRYING & set(request.POST):
            context |= self._try_out(request, object_id, row)
        return super().changeform_view(request, object_id, form_url, context | (extra_context or {}))

    def _try_out(self, request: HttpRequest, object_id: str | None, row: Connection | None) -> dict[str, Any]:
        """Test the posted values; the page is then drawn again with the report, and nothing is saved."""
        may = self.has_change_permission(request, row) if row else self.has_add_permission(request)
        if not may or not request.user.has_perm("integrations.test_connection"):
            refuse(request, action="test", subject=f"connection:{object_id or 'new'}")
        posted = request.POST.copy()
        if "_accept" in posted:
            posted["host_key"] = str(posted["_accept"])
        form: ConnectionForm = self.get_form(request, row, change=row is not None)(posted, instance=row)
        steps: list[TestStep] = []
        if not form.errors:
            steps = connection_test_draft(
                connection=form.instance,
                trust=form.trusted(),
                actor=actor_of(request),
                address=address_of(request),
            )
            posted["draft"] = form.draft_token()
        request.POST = posted  # type: ignore[assignment]  # the form is drawn from it again
        return {"draft_steps": steps, "draft_offered": _offered(steps)}

    # -- the buttons -------------------------------------------------------------------------------------

    def panel(self, request: HttpRequest, row: Connection | None) -> dict[str, Any]:
        """Last test's steps, the key it met, the flows that need this connection."""
        if row is None:
            return {}
        return {
            "steps": row.last_test_report or [],
            "offered": offered_host_key(row),
            "breaker": Breaker.objects.filter(connection=row).first(),
            "needed_by": [spec for spec in specs() if row.name in (*spec.connections, spec.trigger.source)],
            "takes_calls": row.role != Connection.Role.INVOKE,
            "shown_settings": [] if self.has_change_permission(request, row) else _shown_settings(row),
        }

    def post_test(self, request: HttpRequest, row: Connection) -> None:
        """Try the stored settings; the page shows the report."""
        steps = connection_test(connection=row, actor=actor_of(request), address=address_of(request))
        failed = next((step for step in steps if not step.ok), None)
        if failed is None:
            self.message_user(request, f"{row.name} works: {len(steps)} steps passed.", messages.SUCCESS)
        else:
            self.message_user(request, f"{row.name}: {failed.what} failed. {failed.detail}", messages.ERROR)

    def post_refresh(self, request: HttpRequest, row: Connection) -> HttpResponse | None:
        """Read the catalog; a page of its own says what the flows need and the target lacks."""
        try:
            catalog = connection_refresh(connection=row, actor=actor_of(request), address=address_of(request))
        except AdapterError as error:
            self.message_user(request, f"{error.text} {error.hint}".strip(), messages.ERROR)
            return None
        return TemplateResponse(
            request,
            "admin/integrations/page.html",
            {
                **self.admin_site.each_context(request),
                "title": f"Catalog of {row.name}",
                "original": row,
                "opts": self.opts,
                "media": self.media,
                "catalog": catalog,
                "panel_template": "admin/integrations/connection/catalog.html",
            },
        )

    def post_accept_host_key(self, request: HttpRequest, row: Connection) -> None:
        """Pin the key the last test met."""
        try:
            connection_accept_host_key(
                connection=row,
                offered=request.POST.get("offered", ""),
                actor=actor_of(request),
                address=address_of(request),
            )
        except HostKeyNotOffered as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, f"The host key of {row.name} is stored. Test again.", messages.SUCCESS)

    def post_close_breaker(self, request: HttpRequest, row: Connection) -> None:
        """Let instances try again at once."""
        breaker_close(connection=row, actor=actor_of(request), address=address_of(request))
        self.message_user(request, f"{row.name} may be tried again.", messages.SUCCESS)
