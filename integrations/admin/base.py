"""What every page of the console shares: POST-only actions, refusals that are audited, read-only pages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property

from hub.address import client_address
from hub.theme import ModelAdmin
from integrations.engine.faults import Fault
from integrations.services.audit import audit
from lookups.only_listed import OnlyListed

M = TypeVar("M", bound=Model)
COUNTED = 5_000  # rows a list counts at most: beyond, it is narrowed with filters and search


def actor_of(request: HttpRequest) -> str:
    """The name the audit trail knows this person by."""
    return request.user.get_username()


def address_of(request: HttpRequest) -> str | None:
    """Where the request came from; proxies are believed as far as they are trusted."""
    return client_address(request) or None


def subject_of(row: Model) -> str:
    """A row as the audit trail names it: model:id."""
    return f"{row._meta.model_name}:{row.pk}"


def refuse(request: HttpRequest, *, action: str, subject: str) -> NoReturn:
    """Answer 403 and write the attempt to the audit trail."""
    audit(
        actor=actor_of(request),
        action="refused",
        subject=subject,
        detail={"action": action, "path": request.path[:200]},
        address=address_of(request),
    )
    raise PermissionDenied


@dataclass(frozen=True, slots=True)
class PostAction:
    """Something a page's button does, by POST alone; its method is `post_<name>(request, row)`."""

    name: str
    permission: str


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # Django takes none at run time
    """Counts at most COUNTED rows, so that a list of millions costs no more than one of thousands."""

    @cached_property
    def count(self) -> int:
        """The number of rows, or COUNTED where there are more."""
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by()[:COUNTED].count()


class ConsoleAdmin(OnlyListed, ModelAdmin[M]):
    """A page with a panel above its form, and buttons that POST."""

    post_actions: ClassVar[tuple[PostAction, ...]] = ()
    panel_template: ClassVar[str] = ""
    change_form_template = "admin/integrations/change_form.html"
    change_list_template = "admin/integrations/change_list.html"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    list_per_page = 50

    class Media:
        """The console's own style, beside the theme's."""

        css = {"all": ["integrations/console.css", "integrations/instances.css"]}

    def get_urls(self) -> list[URLPattern]:
        """The actions' URLs before the stock ones, whose last catches everything."""
        own = [
            path(
                f"<path:object_id>/{action.name}/",
                self.admin_site.admin_view(self._post_view(action)),
                name=self.url_name(action.name),
            )
            for action in self.post_actions
        ]
        return own + super().get_urls()

    def url_name(self, name: str) -> str:
        """A page of this model, without the site's namespace."""
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def page_of(self, row: Model) -> str:
        """The URL of a row's page."""
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])

    def back_to(self, row: Model) -> HttpResponse:
        """Where a POST ends: the row's page."""
        return HttpResponseRedirect(self.page_of(row))

    def allowed(self, request: HttpRequest) -> dict[str, str]:
        """Names of the actions this person may use, for the page's buttons."""
        return {item.name: item.name for item in self.post_actions if request.user.has_perm(item.permission)}

    def _post_view(self, action: PostAction) -> Callable[..., HttpResponseBase]:
        def view(request: HttpRequest, object_id: str) -> HttpResponseBase:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            if not request.user.has_perm(action.permission):
                refuse(
                    request, action=action.name, subject=f"{self.opts.model_name}:{unquote(object_id)}"[:200]
                )
            row = self.get_object(request, unquote(object_id))
            if row is None:
                return self.gone(request, object_id)
            return self._done(request, action, row)

        return view

    def _done(self, request: HttpRequest, action: PostAction, row: M) -> HttpResponse:
        """Run the action; a fault becomes a message on the row's page."""
        handler: Callable[[HttpRequest, M], HttpResponse | None] = getattr(self, f"post_{action.name}")
        try:
            answer = handler(request, row)
        except Fault as fault:
            self.say_fault(request, fault)
            answer = None
        return answer or self.back_to(row)

    def gone(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Where a row that is not there leads: the list, which says so."""
        name = self.opts.verbose_name
        self.message_user(request, f"There is no {name} {unquote(object_id)[:100]}", messages.WARNING)
        return HttpResponseRedirect(reverse(f"admin:{self.url_name('changelist')}"))

    def say_fault(self, request: HttpRequest, fault: Fault) -> None:
        """A fault and what to do, as an error message."""
        text = fault.text if fault.text.endswith((".", "!", "?")) or not fault.hint else f"{fault.text}."
        self.message_user(request, f"{text} {fault.hint}".strip(), messages.ERROR)

    def panel(self, request: HttpRequest, row: M | None) -> dict[str, Any]:
        """What the template of the panel needs; {} by default."""
        return {}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The stock page with the panel's context; a POST without permission is refused and audited."""
        row = self.get_object(request, unquote(object_id)) if object_id else None
        may = self.has_change_permission(request, row) if object_id else self.has_add_permission(request)
        if request.method == "POST" and not may:
            refuse(request, action="save", subject=f"{self.opts.model_name}:{object_id or 'new'}"[:200])
        context = {"allowed": self.allowed(request), "panel_template": self.panel_template}
        if row is not None and self.has_view_permission(request, row):
            context |= self.panel(request, row)
        return super().changeform_view(request, object_id, form_url, context | (extra_context or {}))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The stock list; a bulk action posted without its permission is refused and audited."""
        name = request.POST.get("action", "")
        if name and name in self._action_names() and name not in self.get_actions(request):
            refuse(request, action=name, subject=f"{self.opts.model_name}:list")
        return super().changelist_view(request, extra_context)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list; unfiltered, what it shows is all there is to be counted."""
        listed: Any = super().get_changelist_instance(request)
        if not listed.has_active_filters and not listed.query:
            listed.full_result_count = listed.result_count
        listed.bound = COUNTED if listed.result_count == COUNTED else 0
        return listed

    def _action_names(self) -> set[str]:
        return {item if isinstance(item, str) else item.__name__ for item in self.actions or ()}

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The stock page; a POST without permission is refused and audited."""
        row = self.get_object(request, unquote(object_id))
        if request.method == "POST" and row is not None and not self.has_delete_permission(request, row):
            refuse(request, action="delete", subject=subject_of(row))
        return super().delete_view(request, object_id, extra_context)


class RecordAdmin(ConsoleAdmin[M]):
    """A record of what happened: nobody adds, changes or deletes it here; its page is `panel_template` alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: the engine writes these."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: what may be done to it are POST actions."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: `manage.py purge` does, by age."""
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The record's page."""
        row = self.get_object(request, unquote(object_id)) if object_id else None
        if request.method == "POST":
            refuse(request, action="save", subject=f"{self.opts.model_name}:{object_id}"[:200])
        if row is None:
            return self.gone(request, object_id or "")
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return self.page(request, row, {**self.panel(request, row), **(extra_context or {})})

    def page(
        self, request: HttpRequest, row: M, context: dict[str, Any], template: str = ""
    ) -> TemplateResponse:
        """A page about one row, in the console's frame."""
        return TemplateResponse(
            request,
            "admin/integrations/page.html",
            {
                **self.admin_site.each_context(request),
                "title": str(row)[:120],
                "original": row,
                "object_id": str(row.pk),
                "opts": self.opts,
                "media": self.media,
                "has_view_permission": True,
                "allowed": self.allowed(request),
                "panel_template": template or self.panel_template,
                **context,
            },
        )
