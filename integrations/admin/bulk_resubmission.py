"""Bulk resubmissions: the preview, the start, and the progress of each."""

from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import PostAction, RecordAdmin, actor_of, refuse
from integrations.admin.bulk_choice import Choice, choice_of
from integrations.admin.error_filters import order_errors
from integrations.engine.faults import Fault, InvalidMessage
from integrations.models import BulkItem, BulkResubmission, ErrorInstance
from integrations.present import badge, duration
from integrations.services.bulk_approve import bulk_approve
from integrations.services.bulk_cancel import bulk_cancel
from integrations.services.bulk_dry_run import DryRun, bulk_dry_run
from integrations.services.bulk_pause import bulk_pause, bulk_resume
from integrations.services.bulk_preview import Preview, bulk_preview
from integrations.services.bulk_progress import bulk_progress
from integrations.services.bulk_start import LEAVE_OUT, bulk_start

RESUBMIT = "integrations.resubmit_instance"
CHANGE = "integrations.change_bulkresubmission"
RATES, USUAL = (6, 60, 300, 600, 1_500, 6_000), 60  # instances a minute
SHOWN = 50
State = BulkResubmission.State
LIVE = (State.RUNNING, State.AWAITING, State.PAUSED)


@admin.register(BulkResubmission)
class BulkResubmissionAdmin(RecordAdmin[BulkResubmission]):
    """Orders are made on the preview page; theirs shows how far they are."""

    post_actions = (
        PostAction("approve", "integrations.approve_bulkresubmission"),
        PostAction("pause", CHANGE),
        PostAction("resume", CHANGE),
        PostAction("cancel", CHANGE),
    )
    panel_template = "admin/integrations/bulk/page.html"
    list_display = ("current", "title", "total", "rate", "actor", "approved_by", "created_at")
    list_display_links = ("current", "title")
    list_filter = ("state",)
    search_fields: ClassVar[tuple[str, ...]] = ()
    actions = None

    class Media:
        """The pages' own few styles."""

        css = {"all": ["integrations/console.css", "integrations/bulk.css"]}

    def get_urls(self) -> list[URLPattern]:
        """The preview and what it posts to."""
        wrap = self.admin_site.admin_view
        return [
            path("preview/", wrap(self.preview_view), name=self.url_name("preview")),
            path("dry-run/", wrap(self.dry_run_view), name=self.url_name("dry_run")),
            path("start/", wrap(self.start_view), name=self.url_name("start")),
            path("<path:object_id>/progress/", wrap(self.progress_view), name=self.url_name("progress")),
            *super().get_urls(),
        ]

    @display(description="State", ordering="state")
    def current(self, row: BulkResubmission) -> SafeString:
        """In colour."""
        return badge(row.state, str(row.get_state_display()), _variant(row))

    # -- before ------------------------------------------------------------------------------------------

    def preview_view(self, request: HttpRequest) -> HttpResponseBase:
        """What it would do; nothing is changed."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        return self._with_choice(request, request.GET, "preview_resubmission", self._previewed)

    def dry_run_view(self, request: HttpRequest) -> HttpResponseBase:
        """The preview, with what a rehearsal of the first of them tells."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return self._with_choice(request, request.POST, "dry_run", self._rehearsed)

    def start_view(self, request: HttpRequest) -> HttpResponseBase:
        """Write the order."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return self._with_choice(request, request.POST, "bulk_resubmit", self._started)

    def _with_choice(
        self, request: HttpRequest, asked: QueryDict, action: str, then: Any
    ) -> HttpResponseBase:
        """What may be done with the errors asked for; a fault leads back to where they were chosen."""
        if not request.user.has_perm(RESUBMIT):
            refuse(request, action=action, subject="errorinstance:list")
        back = reverse("admin:integrations_errorinstance_changelist")
        try:
            choice = choice_of(request, asked)
            back = choice.back
            answer: HttpResponseBase = then(request, choice)
        except Fault as fault:
            self.say_fault(request, fault)
            return HttpResponseRedirect(back)
        return answer

    def _previewed(self, request: HttpRequest, choice: Choice, dry: DryRun | None = None) -> HttpResponse:
        seen = bulk_preview(errors=choice.errors, discarded=choice.discarded)
        context = {
            **self.admin_site.each_context(request),
            "title": "Resubmit: what will happen",
            "opts": self.opts,
            "media": self.media,
            "choice": choice,
            "seen": seen,
            "dry": dry,
            "rates": _rates(seen),
            "asked": request.POST,
            "approve_above": _approve_above(seen),
            "panel_template": "admin/integrations/bulk/preview.html",
        }
        return TemplateResponse(request, "admin/integrations/page.html", context)

    def _rehearsed(self, request: HttpRequest, choice: Choice) -> HttpResponse:
        dry = bulk_dry_run(errors=choice.errors, actor=actor_of(request), discarded=choice.discarded)
        return self._previewed(request, choice, dry)

    def _started(self, request: HttpRequest, choice: Choice) -> HttpResponse:
        selection = choice.selection | ({LEAVE_OUT: True} if request.POST.get(LEAVE_OUT) else {})
        order = bulk_start(
            errors=choice.errors,
            selection=selection,
            title=choice.title,
            rate=_rate(request.POST.get("rate", "")),
            actor=actor_of(request),
            user=request.user,  # type: ignore[arg-type]  # admin pages know no anonymous user
            reason=request.POST.get("reason", "").strip(),
            from_start=request.POST.get("from") == "start",
            discarded=choice.discarded,
        )
        waits = order.state == State.AWAITING
        said = "It waits for a second person's approval." if waits else "Started."
        self.message_user(request, said, messages.WARNING if waits else messages.SUCCESS)
        return self.back_to(order)

    # -- meanwhile ---------------------------------------------------------------------------------------

    def panel(self, request: HttpRequest, row: BulkResubmission | None) -> dict[str, Any]:
        """How far it is, which were refused, and which failed again."""
        if row is None:
            return {}
        items = row.items.select_related("instance__flow", "instance__error").order_by("position")
        again = items.filter(
            outcome=BulkItem.Outcome.RESUBMITTED, instance__error__state=ErrorInstance.State.OPEN
        )
        return {
            "title": row.title,
            "own": row.actor == actor_of(request),
            "refused": items.filter(outcome=BulkItem.Outcome.REFUSED)[:SHOWN],
            "again": again[:SHOWN],
            "leave_out": row.selection.get(LEAVE_OUT),
            **_progress(row),
        }

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The part of the page that changes, for the script that asks for it."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self.gone(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        context = {"original": row, **_progress(row)}
        return TemplateResponse(request, "admin/integrations/bulk/progress.html", context)

    def post_approve(self, request: HttpRequest, row: BulkResubmission) -> None:
        """The second person's yes."""
        bulk_approve(order=row, actor=actor_of(request), user=request.user)  # type: ignore[arg-type]  # as above
        self.message_user(request, "Approved: it has begun.", messages.SUCCESS)

    def post_pause(self, request: HttpRequest, row: BulkResubmission) -> None:
        """Send no more for now."""
        bulk_pause(order=row, actor=actor_of(request))
        self.message_user(request, "Paused. What was sent goes on.", messages.SUCCESS)

    def post_resume(self, request: HttpRequest, row: BulkResubmission) -> None:
        """Go on."""
        bulk_resume(order=row, actor=actor_of(request))
        self.message_user(request, "It goes on.", messages.SUCCESS)

    def post_cancel(self, request: HttpRequest, row: BulkResubmission) -> None:
        """Send no more, ever."""
        dropped = bulk_cancel(order=row, actor=actor_of(request))
        self.message_user(
            request, f"Cancelled: {dropped} were not reached and stay as they are.", messages.SUCCESS
        )


def _variant(row: BulkResubmission) -> str:
    return {State.AWAITING: "warn", State.PAUSED: "warn", State.FINISHED: "good"}.get(State(row.state), "")


def _progress(row: BulkResubmission) -> dict[str, Any]:
    progress = bulk_progress(order=row)
    left = duration(progress.left.total_seconds() * 1000) if progress.left else ""
    return {
        "progress": progress,
        "lists": _lists(row),
        "left": left,
        "moving": row.state == State.RUNNING or progress.under_way > 0,
        "variant": _variant(row),
        "live": row.state in LIVE,
    }


def _lists(row: BulkResubmission) -> dict[str, str]:
    """The errors behind each figure of the progress, however many."""
    done, became = BulkItem.Outcome, ErrorInstance.State
    return {
        "recovered": order_errors(row, done.RESUBMITTED, became.RECOVERED),
        "under_way": order_errors(row, done.RESUBMITTED, became.RESUBMITTED),
        "failed_again": order_errors(row, done.RESUBMITTED, became.OPEN),
        "refused": order_errors(row, done.REFUSED),
        "waiting": order_errors(row, done.WAITING),
        "dropped": order_errors(row, done.DROPPED),
    }


def _rates(seen: Preview) -> list[dict[str, Any]]:
    """The rates offered, each with the time it takes."""
    return [
        {
            "rate": rate,
            "usual": rate == USUAL,
            "takes": duration(timedelta(minutes=seen.count / rate).total_seconds() * 1000),
        }
        for rate in RATES
    ]


def _rate(text: str) -> int:
    if not text.isdecimal() or len(text) > 6:  # noqa: PLR2004  (far beyond the fastest)
        raise InvalidMessage("Say at what rate: a number of instances a minute")
    return int(text)


def _approve_above(seen: Preview) -> int:
    """The number above which a second person has to agree, where this is more; 0 otherwise."""
    above: int = settings.HUB_APPROVE_ABOVE
    return above if 0 < above < seen.count else 0
