"""What an instance's pages show of its payloads: one, two side by side, its message to edit, all in a zip.

Every look is checked, masked for who may not read masked fields, and noted in the audit trail.
"""

from collections.abc import Callable
from typing import Any

import orjson
from django.contrib.admin.utils import unquote
from django.db.models import Q
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponseBase,
    HttpResponseNotAllowed,
)
from django.urls import URLPattern, path

from integrations.admin.base import RecordAdmin, actor_of, address_of, refuse, subject_of
from integrations.admin.instance_page import resubmit_context
from integrations.admin.payload import EDITED_UP_TO, SHOWN, download, download_masked, preview, text_of
from integrations.differences import compare
from integrations.engine.faults import InvalidMessage
from integrations.engine.masking import DOTS, patterns_of
from integrations.models import Instance, Payload
from integrations.services.instance_zip import instance_zip
from integrations.services.payload_view import READ_MASKED, Seen, payload_looked_at, payload_view

READ_PAYLOAD = "integrations.read_payload"
COMPARED_BYTES = 200_000  # of one payload: more is downloaded and compared elsewhere
MASKED_EDIT = (
    "Some fields of this message are masked, and an edited message would be sent with dots in them. "
    "Who may read masked fields can edit it."
)


def payload_of(instance: Instance, digest: str) -> Payload | None:
    """The payload of this digest, if it belongs to this instance; None otherwise."""
    held = digest in (instance.message_payload_id, instance.answer_id, instance.attachment_id)
    held = held or instance.activities.filter(Q(payload_in=digest) | Q(payload_out=digest)).exists()
    held = held or instance.resubmissions.filter(Q(message_before=digest) | Q(message_after=digest)).exists()
    return Payload.objects.filter(pk=digest).first() if held else None


class PayloadPages(RecordAdmin[Instance]):
    """The pages below an instance's own that show contents."""

    def get_urls(self) -> list[URLPattern]:
        """Payloads are pages of the instance they belong to."""
        wrap = self.admin_site.admin_view
        pages: list[tuple[str, Callable[..., HttpResponseBase], str]] = [
            ("payload/<slug:digest>/", self.payload_view, "payload"),
            ("payload/<slug:digest>/download/", self.download_view, "payload_download"),
            ("compare/<slug:before>/<slug:after>/", self.compare_view, "compare"),
            ("edit/", self.edit_view, "edit"),
            ("zip/", self.zip_view, "zip"),
        ]
        own = [
            path(f"<path:object_id>/{at}", wrap(view), name=self.url_name(name)) for at, view, name in pages
        ]
        return own + super().get_urls()

    def _readable(self, request: HttpRequest, object_id: str, *, action: str) -> Instance:
        """The instance, for a person who may read payloads; a refusal is audited, the looks are as they happen."""
        subject = f"instance:{unquote(object_id)}"[:200]
        if not (self.has_view_permission(request) and request.user.has_perm(READ_PAYLOAD)):
            refuse(request, action=action, subject=subject)
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404("There is no such instance")
        return row

    def _seen(
        self, request: HttpRequest, row: Instance, payload: Payload, *, action: str, limit: int | None = None
    ) -> Seen:
        return payload_view(
            payload=payload,
            instance=row,
            actor=actor_of(request),
            address=address_of(request),
            unmasked=request.user.has_perm(READ_MASKED),
            action=action,
            limit=limit,
        )

    def _held(self, row: Instance, digest: str) -> Payload:
        payload = payload_of(row, digest)
        if payload is None:
            raise Http404("This instance has no such payload")
        return payload

    def payload_view(self, request: HttpRequest, object_id: str, digest: str) -> HttpResponseBase:
        """A payload's text, escaped, up to a bound."""
        row = self._readable(request, object_id, action="read_payload")
        payload = self._held(row, digest)
        seen = self._seen(request, row, payload, action="read_payload", limit=SHOWN)
        context = {"title": f"Payload of {row}", "payload": payload, **preview(seen)}
        return self.page(request, row, context, "admin/integrations/instance/payload.html")

    def download_view(self, request: HttpRequest, object_id: str, digest: str) -> HttpResponseBase:
        """A payload's bytes as a file, never shown by the browser."""
        row = self._readable(request, object_id, action="download_payload")
        payload = self._held(row, digest)
        name = row.attachment_name if digest == row.attachment_id else ""
        if request.user.has_perm(READ_MASKED) or not patterns_of(row.flow):
            payload_looked_at(
                payload=payload,
                instance=row,
                actor=actor_of(request),
                address=address_of(request),
                action="download_payload",
                masked=False,
            )
            return download(payload, name)
        seen = self._seen(request, row, payload, action="download_payload")
        if seen.trouble:
            context = {"title": f"Payload of {row}", "payload": payload, **preview(seen)}
            return self.page(request, row, context, "admin/integrations/instance/payload.html")
        return download_masked(payload, seen, name)

    def compare_view(self, request: HttpRequest, object_id: str, before: str, after: str) -> HttpResponseBase:
        """Two payloads side by side: what a mapping was given and what it made, or a message before and after."""
        row = self._readable(request, object_id, action="compare_payloads")
        sides = [self._held(row, digest) for digest in (before, after)]
        context: dict[str, Any] = {"title": f"Before and after, {row}", "sides": sides}
        if max(side.size for side in sides) > COMPARED_BYTES:
            context["trouble"] = "They are too large to be compared on a page. Download them instead."
        else:
            context |= self._compared(request, row, sides)
        return self.page(request, row, context, "admin/integrations/instance/compare.html")

    def _compared(self, request: HttpRequest, row: Instance, sides: list[Payload]) -> dict[str, Any]:
        seen = [self._seen(request, row, side, action="compare_payloads") for side in sides]
        if trouble := next((one.trouble for one in seen if one.trouble), ""):
            return {"trouble": trouble}
        line = row.activities.filter(payload_out=sides[0], payload_in=sides[1]).first()
        return {
            "found": compare(seen[0].content, seen[1].content),
            "masked": seen[0].masked,
            "heading": line.text if line else "The message and its edited version",
        }

    # -- editing and the zip ---------------------------------------------------------------------------

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The message in a box, to be changed and sent again; the form posts to `resubmit`."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        if not request.user.has_perm("integrations.resubmit_instance"):
            refuse(request, action="edit_payload", subject=f"instance:{unquote(object_id)}"[:200])
        row = self._readable(request, object_id, action="read_payload")
        payload = row.message_payload
        large = payload is not None and payload.size > EDITED_UP_TO
        text, trouble = ("", "") if payload is None or large else self._editable(request, row, payload)
        context = {
            "title": f"Edit the message of {row}",
            "text": text,
            "trouble": trouble,
            "large": large,
            "payload": payload,
            **resubmit_context(row),
        }
        return self.page(request, row, context, "admin/integrations/instance/edit.html")

    def _editable(self, request: HttpRequest, row: Instance, payload: Payload) -> tuple[str, str]:
        """The text to edit, and why there is none."""
        seen = self._seen(request, row, payload, action="read_payload")
        if seen.masked and (seen.trouble or DOTS.encode() in seen.content):
            return "", MASKED_EDIT
        return text_of(seen), seen.trouble

    def edited(self, request: HttpRequest, row: Instance) -> bytes | None:
        """The message as a person changed it; None where it was not touched. InvalidMessage where it is no JSON."""
        if "message" not in request.POST:
            return None
        if not request.user.has_perm(READ_PAYLOAD):
            refuse(request, action="edit_payload", subject=subject_of(row))
        text = request.POST["message"].replace("\r\n", "\n").strip()
        original, trouble = (
            self._editable(request, row, row.message_payload) if row.message_payload else ("", "")
        )
        if trouble:
            raise InvalidMessage(trouble)
        return None if text == original.strip() else _checked_json(text)

    def zip_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The diagnostic zip; by POST, as it reads payloads."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self._readable(request, object_id, action="download_zip")
        made = instance_zip(instance=row, actor=actor_of(request), address=address_of(request))
        return FileResponse(made, as_attachment=True, filename=f"instance-{row.pk}.zip")


def _checked_json(text: str) -> bytes:
    """The text as bytes, if it is JSON; InvalidMessage says where it is not."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidMessage(
            f"The edited message is no JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        ) from None
    return text.encode()
