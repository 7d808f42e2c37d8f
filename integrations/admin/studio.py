"""The mapping studio: a base beside the extension being written, tried live, replayed and saved with a reason."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from integrations.admin.base import RecordAdmin, actor_of, address_of, refuse
from integrations.admin.mapping_extension import may_see_sample, studio_url
from integrations.admin.studio_bench import (
    LISTED,
    base_context,
    bench_of,
    may_edit,
    offered,
    recording_context,
    result_context,
    sight,
)
from integrations.admin.studio_form import PASTED, SAMPLE, StudioForm, extension_in
from integrations.engine.faults import Fault
from integrations.models import Mapping
from integrations.present import differences
from integrations.services.extension_save import ExtensionProblems, extension_save
from integrations.services.shadow_report import KINDS
from integrations.services.shadow_run import MOST, SECONDS, shadow_run
from integrations.services.studio_try import studio_try

PAGE = "admin/integrations/mapping/studio.html"
SHADOW = "admin/integrations/mapping/shadow.html"
RESULT = "admin/integrations/mapping/studio_result.html"
LIVE = "X-Studio-Live"  # the header by which the page's script asks for the result alone
Handler = Callable[[HttpRequest, Mapping], HttpResponse]


class StudioPages(RecordAdmin[Mapping]):
    """The studio's pages of a mapping; every POST needs the right to write extensions."""

    def get_urls(self) -> list[URLPattern]:
        """Below the mapping's own page."""
        wrap = self.admin_site.admin_view
        posts: list[tuple[str, Handler]] = [
            ("try", self.post_try),
            ("save", self.post_save),
            ("shadow", self.post_shadow),
        ]
        return [
            path("<path:object_id>/studio/", wrap(self.studio_view), name=self.url_name("studio")),
            *[
                path(
                    f"<path:object_id>/studio/{name}/",
                    wrap(self.editing(name, handler)),
                    name=self.url_name(f"studio_{name}"),
                )
                for name, handler in posts
            ],
            *super().get_urls(),
        ]

    def editing(self, name: str, handler: Handler) -> Callable[..., HttpResponseBase]:
        """A view that answers POST from who may write extensions; others are refused and audited."""

        def view(request: HttpRequest, object_id: str, **_: Any) -> HttpResponseBase:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            if not (may_edit(request) and self.has_view_permission(request)):
                refuse(request, action=f"studio_{name}", subject=f"mapping:{unquote(object_id)}"[:200])
            row = self.get_object(request, unquote(object_id))
            return self.gone(request, object_id) if row is None else handler(request, row)

        return view

    def studio_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The studio with an extension as it is saved, or a new one."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self.gone(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        form = StudioForm.of_row(row, extension_in(request, row))
        if not may_see_sample(request):
            form.sample = ""
        form.source = request.GET.get("source", "")
        return self._studio(request, form)

    def post_try(self, request: HttpRequest, row: Mapping) -> HttpResponse:
        """The draft on its source: the whole page, or the result alone where the page's script asks."""
        form = StudioForm.of_post(row, extension_in(request, row), request.POST)
        if request.headers.get(LIVE):
            return TemplateResponse(
                request, RESULT, {"original": row, "live": True, **result_context(request, form)}
            )
        return self._studio(request, form)

    def post_save(self, request: HttpRequest, row: Mapping) -> HttpResponse:
        """A new version, once it compiles and works on its sample and on the source that is chosen."""
        form = StudioForm.of_post(row, extension_in(request, row), request.POST)
        if not form.errors:
            self._save(request, form)
        if form.errors:
            self.message_user(request, "Not saved: see what is marked below.", messages.ERROR)
            return self._studio(request, form)
        self.message_user(request, "Saved: it counts from the next message on.", messages.SUCCESS)
        extension = form.row.pk if form.row else ""
        source = "" if form.source == PASTED else form.source
        return HttpResponseRedirect(studio_url(row.pk, extension, source))

    def _save(self, request: HttpRequest, form: StudioForm) -> None:
        """Save, or note in the form's errors why not."""
        bench = bench_of(request, form)
        if bench.there and form.source != SAMPLE and not bench.masked:
            trouble = studio_try(draft=form.draft, source=bench.document).trouble
            if trouble is not None and trouble.where in ("expression", "pointer"):
                form.errors[trouble.where] = f"On the source chosen: {trouble.text} {trouble.hint}".strip()
                return
        counts = form.seen.isascii() and form.seen.isdigit() and len(form.seen) < 19  # noqa: PLR2004  (a 64-bit number)
        seen = int(form.seen) if form.row and counts else None
        unsaved = form.row is None
        try:
            form.row = extension_save(
                extension=form.filled(), actor=actor_of(request), address=address_of(request), seen=seen
            )
        except ExtensionProblems as error:
            form.errors |= error.problems
        except Fault as fault:
            form.errors["reason"] = f"{fault.text}. {fault.hint}"
        if form.errors and unsaved:
            form.row = None

    def post_shadow(self, request: HttpRequest, row: Mapping) -> HttpResponse:
        """Replay stored messages through the draft and show what would differ; only the audit trail is written."""
        form = StudioForm.of_post(row, extension_in(request, row), request.POST)
        wanted = request.POST.get("messages", "")
        most = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 5 else 50  # noqa: PLR2004
        seen = sight(request, row)
        try:
            shadow = shadow_run(
                draft=form.draft, most=most, sight=seen, actor=actor_of(request), address=address_of(request)
            )
        except Fault as fault:
            self.say_fault(request, fault)
            return self._studio(request, form)
        context = {
            "title": f"Shadow run: {row}",
            "form": form,
            "shadow": shadow,
            "totals": [
                {"count": count, "text": KINDS[kind], "bad": kind == "fails"}
                for kind, count in shadow.totals.items()
            ],
            "fields": shadow.fields[:LISTED],
            "sight": seen,
            "bound": SECONDS,
            **recording_context(request, row),
        }
        return self.page(request, row, context, SHADOW)

    def _studio(self, request: HttpRequest, form: StudioForm) -> TemplateResponse:
        sources = offered(request, form.mapping)
        if not form.source:
            form.source = _first_source(form, [one.key for one in sources])
        result = result_context(request, form)
        context = {
            "title": f"Studio: {form.mapping}",
            "form": form,
            "may_edit": may_edit(request),
            "may_read": request.user.has_perm("integrations.read_payload"),
            "sources": sources,
            "extensions": list(form.mapping.extensions.all()),
            "most": MOST,
            "base_diff": _base_diff(form),
            **result,
            **base_context(form, result),
            **recording_context(request, form.mapping),
        }
        return self.page(request, form.mapping, context, PAGE)


def _first_source(form: StudioForm, recorded: list[str]) -> str:
    """What a page begins with: the sample, else the newest message on record, else what is pasted."""
    if form.sample.strip():
        return SAMPLE
    return recorded[0] if recorded else PASTED


def _base_diff(form: StudioForm) -> list[dict[str, str]]:
    """How the base differs from the one the extension was saved with; [] where it does not, or is not known."""
    if form.row is None or not form.row.base_changed:
        return []
    return differences(form.row.base_expression.encode(), form.mapping.expression.encode())
