"""A list's filters under a name: one's own, and those that others share."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse

from integrations.admin.base import address_of, refuse
from integrations.engine.faults import Fault
from integrations.models import SavedFilter
from integrations.services.filter_delete import filter_delete
from integrations.services.filter_save import filter_save, kept_query

SHOWN = 60
ADMINISTERS = "auth.change_user"  # who may delete what others share


class SavedFilterMixin:
    """Put it before RecordAdmin or ConsoleAdmin; the list's template shows what `saved_filters` has."""

    def get_urls(self: Any) -> list[URLPattern]:
        """Saving and deleting, by POST."""
        wrap = self.admin_site.admin_view
        return [
            path("filters/save/", wrap(self.filter_save_view), name=self.url_name("filter_save")),
            path(
                "filters/<int:key>/delete/",
                wrap(self.filter_delete_view),
                name=self.url_name("filter_delete"),
            ),
            *super().get_urls(),  # type: ignore[misc]  # of the ModelAdmin beside it
        ]

    def changelist_view(self: Any, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, with the filters that are kept for it."""
        context = {"saved_filters": self._saved(request), **(extra_context or {})}
        return super().changelist_view(request, context)  # type: ignore[misc]  # as above

    def _saved(self: Any, request: HttpRequest) -> dict[str, Any]:
        now = kept_query(request.META.get("QUERY_STRING", "")[:4000])
        rows = SavedFilter.objects.filter(page=self.opts.label_lower).select_related("user")
        mine = Q(user_id=request.user.pk)
        rows = rows.filter(mine | Q(shared=True)).order_by("name", "id")[:SHOWN]
        administers = request.user.has_perm(ADMINISTERS)
        return {
            "rows": [
                {
                    "row": row,
                    "address": f"?{row.query}",
                    "current": row.query == now,
                    "mine": row.user_id == request.user.pk,
                    "delete": reverse(f"admin:{self.url_name('filter_delete')}", args=[row.pk])
                    if row.user_id == request.user.pk or administers
                    else "",
                }
                for row in rows
            ],
            "now": now,
            "save": reverse(f"admin:{self.url_name('filter_save')}"),
        }

    def _list(self: Any, query: str = "") -> HttpResponse:
        address = reverse(f"admin:{self.url_name('changelist')}")
        return HttpResponseRedirect(f"{address}?{query}" if query else address)

    def _checked(self: Any, request: HttpRequest, action: str) -> HttpResponse | None:
        """Only who may see a list keeps filters of it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            refuse(request, action=action, subject=f"{self.opts.model_name}:list")
        return None

    def filter_save_view(self: Any, request: HttpRequest) -> HttpResponse:
        """Keep the filters the list was shown with."""
        if answer := self._checked(request, "filter_save"):
            return answer  # type: ignore[no-any-return]  # Any, as the mixin's self is
        query = kept_query(request.POST.get("query", "")[:4000])
        try:
            row = filter_save(
                user=request.user,  # type: ignore[arg-type]  # admin pages know no anonymous user
                page=self.opts.label_lower,
                name=request.POST.get("name", ""),
                query=query,
                shared=bool(request.POST.get("shared")),
                address=address_of(request),
            )
        except Fault as fault:
            self.say_fault(request, fault)
        else:
            self.message_user(request, f"The filter {row.name} is saved.", messages.SUCCESS)
        return self._list(query)  # type: ignore[no-any-return]  # as above

    def filter_delete_view(self: Any, request: HttpRequest, key: int) -> HttpResponse:
        """Forget one."""
        if answer := self._checked(request, "filter_delete"):
            return answer  # type: ignore[no-any-return]  # as above
        row = SavedFilter.objects.filter(pk=key, page=self.opts.label_lower).first()
        if row is None or (row.user_id != request.user.pk and not row.shared):
            self.message_user(request, "There is no such filter.", messages.WARNING)
            return self._list()  # type: ignore[no-any-return]  # as above
        others = request.user.has_perm(ADMINISTERS)
        if row.user_id != request.user.pk and not others:
            refuse(request, action="filter_delete", subject=f"savedfilter:{key}")
        name = row.name
        filter_delete(
            row=row,
            user=request.user,  # type: ignore[arg-type]  # as above
            others=others,
            address=address_of(request),
        )
        self.message_user(request, f"The filter {name} is deleted.", messages.SUCCESS)
        query = QueryDict(request.POST.get("query", "")[:4000]).urlencode()
        return self._list(query)  # type: ignore[no-any-return]  # as above
