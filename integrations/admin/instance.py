"""Instances: found by business key, read line by line, sent again or discarded."""

from typing import Any

import orjson
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import PostAction, RecordAdmin, actor_of, address_of, refuse, subject_of
from integrations.admin.filters import RecentFilter
from integrations.admin.instance_page import find_instances, instance_context, payload_of, resubmit_context
from integrations.admin.payload import EDITED_UP_TO, download, payload_text, preview
from integrations.engine.faults import InvalidMessage
from integrations.models import Instance
from integrations.present import badge, between, short
from integrations.services.audit import audit
from integrations.services.instance_discard import instance_discard
from integrations.services.instance_resubmit import instance_resubmit


@admin.register(Instance)
class InstanceAdmin(RecordAdmin[Instance]):
    """The list counts no further than it must; the page is read-only but for its POST buttons."""

    post_actions = (
        PostAction("resubmit", "integrations.resubmit_instance"),
        PostAction("discard", "integrations.discard_instance"),
    )
    panel_template = "admin/integrations/instance/page.html"
    list_display = ("state", "flow", "key", "cause", "created_at", "took", "fault")
    list_display_links = ("state", "key")
    list_filter = ("status", RecentFilter, "cause", "flow__package", "flow")
    list_select_related = ("flow",)
    search_fields = ("id",)  # the box; what it finds is get_search_results
    search_help_text = "Exact: a business key's value, name=value, a message id, or an instance id."
    sortable_by = ("created_at",)
    actions = None

    @display(description="Status", ordering="status")
    def state(self, row: Instance) -> SafeString:
        """In colour."""
        return badge(row.status, str(row.get_status_display()))

    @display(description="Business key")
    def key(self, row: Instance) -> str:
        """The primary one, or the instance's id."""
        return row.primary_key_value or str(row.pk)

    @display(description="Took")
    def took(self, row: Instance) -> str:
        """From its first start to its end."""
        return between(row.started_at, row.ended_at)

    @display(description="Fault")
    def fault(self, row: Instance) -> str:
        """The first line of what went wrong, while it does."""
        return "" if row.status == row.Status.SUCCEEDED else short(row.fault_text)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Instance], search_term: str
    ) -> tuple[QuerySet[Instance], bool]:
        """By index alone: no part of a word is looked for in millions of rows."""
        term = search_term.strip()
        return (find_instances(queryset, term) if term else queryset), False

    def panel(self, request: HttpRequest, row: Instance | None) -> dict[str, Any]:
        """The whole page."""
        return instance_context(request, row) if row else {}

    # -- the buttons -------------------------------------------------------------------------------------

    def post_resubmit(self, request: HttpRequest, row: Instance) -> HttpResponse:
        """Send it again: from its checkpoint or the start, as it was or with an edited message."""
        message = self._edited(request, row)
        instance = instance_resubmit(
            instance=row,
            actor=actor_of(request),
            user=request.user,  # type: ignore[arg-type]  # admin pages know no anonymous user
            from_start=request.POST.get("from") == "start",
            message=message,
            reason=request.POST.get("reason", "").strip(),
        )
        said = "A replay is queued." if instance.pk != row.pk else "Resubmitted: it goes on in a new attempt."
        self.message_user(request, said, messages.SUCCESS)
        return self.back_to(instance)

    def _edited(self, request: HttpRequest, row: Instance) -> bytes | None:
        """The message as a person changed it; None where it was not touched."""
        if "message" not in request.POST:
            return None
        if not request.user.has_perm("integrations.read_payload"):
            refuse(request, action="edit_payload", subject=subject_of(row))
        text = request.POST["message"].replace("\r\n", "\n").strip()
        original = payload_text(row.message_payload) if row.message_payload else ""
        if text == original.strip():
            return None
        return _checked_json(text)

    def post_discard(self, request: HttpRequest, row: Instance) -> None:
        """End it for good, with a reason."""
        instance_discard(instance=row, actor=actor_of(request), reason=request.POST.get("reason", ""))
        self.message_user(request, "Discarded.", messages.SUCCESS)

    # -- payloads ----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Payloads are pages of the instance they belong to."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "<path:object_id>/payload/<slug:digest>/",
                wrap(self.payload_view),
                name=self.url_name("payload"),
            ),
            path(
                "<path:object_id>/payload/<slug:digest>/download/",
                wrap(self.download_view),
                name=self.url_name("payload_download"),
            ),
            path("<path:object_id>/edit/", wrap(self.edit_view), name=self.url_name("edit")),
            *super().get_urls(),
        ]

    def _readable(self, request: HttpRequest, object_id: str, *, action: str, digest: str = "") -> Instance:
        """The instance, for a person who may read payloads; the reading is audited."""
        subject = f"instance:{unquote(object_id)}"[:200]
        may = self.has_view_permission(request) and request.user.has_perm("integrations.read_payload")
        if not may:
            refuse(request, action=action, subject=subject)
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404("There is no such instance")
        detail = {"digest": digest} if digest else {}
        audit(
            actor=actor_of(request),
            action=action,
            subject=subject,
            detail=detail,
            address=address_of(request),
        )
        return row

    def payload_view(self, request: HttpRequest, object_id: str, digest: str) -> HttpResponseBase:
        """A payload's text, escaped, up to a bound."""
        row = self._readable(request, object_id, action="read_payload", digest=digest)
        payload = payload_of(row, digest)
        if payload is None:
            raise Http404("This instance has no such payload")
        context = {"title": f"Payload of {row}", "payload": payload, **preview(payload)}
        return self.page(request, row, context, "admin/integrations/instance/payload.html")

    def download_view(self, request: HttpRequest, object_id: str, digest: str) -> HttpResponseBase:
        """A payload's bytes as a file, never shown by the browser."""
        row = self._readable(request, object_id, action="download_payload", digest=digest)
        payload = payload_of(row, digest)
        if payload is None:
            raise Http404("This instance has no such payload")
        return download(payload, row.attachment_name if digest == row.attachment_id else "")

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The message in a box, to be changed and sent again; the form posts to `resubmit`."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        if not request.user.has_perm("integrations.resubmit_instance"):
            refuse(request, action="edit_payload", subject=f"instance:{unquote(object_id)}"[:200])
        row = self._readable(request, object_id, action="read_payload")
        payload = row.message_payload
        large = payload is not None and payload.size > EDITED_UP_TO
        context = {
            "title": f"Edit the message of {row}",
            "text": "" if payload is None or large else payload_text(payload),
            "large": large,
            "payload": payload,
            **resubmit_context(row),
        }
        return self.page(request, row, context, "admin/integrations/instance/edit.html")


def _checked_json(text: str) -> bytes:
    """The text as bytes, if it is JSON; InvalidMessage says where it is not."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidMessage(
            f"The edited message is no JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        ) from None
    return text.encode()
