"""Error families: errors with one cause, counted, and who looks after them."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import ConsoleAdmin, actor_of, address_of
from integrations.admin.bulk_choice import preview_url
from integrations.models import ErrorFamily, ErrorInstance, MissingValue
from integrations.present import badge, link, short
from integrations.services.family_assign import family_assign
from integrations.services.family_trend import Span, family_trend

OPEN = ErrorInstance.State.OPEN
BOUND = 1_000  # open errors counted for one family
WIDTH, BASE = 720, 96  # of the drawing; BASE: where the bars stand


class OpenFilter(admin.SimpleListFilter):
    """Families with open errors, by the index of the open ones."""

    title = "open errors"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """With or without."""
        return [("yes", "With open errors"), ("no", "Without")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By whether one is open."""
        still = Exists(ErrorInstance.objects.filter(family=OuterRef("pk"), state=OPEN))
        if self.value() == "yes":
            return queryset.filter(still)
        return queryset.exclude(still) if self.value() == "no" else queryset


@admin.register(ErrorFamily)
class ErrorFamilyAdmin(ConsoleAdmin[ErrorFamily]):
    """The owner can be set; all else the engine writes."""

    panel_template = "admin/integrations/family/panel.html"
    list_display = (
        "message_line",
        "flow",
        "fault_class",
        "fault_code",
        "open_now",
        "count",
        "first_seen",
        "last_seen",
        "owner",
    )
    list_filter = (OpenFilter, "fault_class", "flow__package", "flow")
    list_select_related = ("flow", "owner")
    search_fields = ("message", "fault_code", "flow__identifier")
    fields = ("owner",)
    actions = None

    class Media:
        """The trend's own few styles."""

        css = {"all": ["integrations/console.css", "integrations/bulk.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: made when an error is."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: its errors refer to it."""
        return False

    def save_model(self, request: HttpRequest, obj: ErrorFamily, form: Any, change: bool) -> None:
        """By the service, which audits."""
        family_assign(family=obj, actor=actor_of(request), address=address_of(request))

    @display(description="Message", ordering="message")
    def message_line(self, row: ErrorFamily) -> str:
        """Its first line."""
        return short(row.message, 110)

    @display(description="Open")
    def open_now(self, row: ErrorFamily) -> SafeString | int:
        """A link to the open ones, counted up to a bound."""
        number = _open_count(row)
        if not number:
            return 0
        return link(_open_url(row), f"more than {BOUND}" if number > BOUND else str(number))

    def panel(self, request: HttpRequest, row: ErrorFamily | None) -> dict[str, Any]:
        """How often it comes, the newest of its errors, what it lacks, and what can be done with all of them."""
        if row is None:
            return {}
        daily = request.GET.get("by") == "day"
        number = _open_count(row)
        lacking = MissingValue.objects.filter(settled_at=None, errors__family=row, errors__state=OPEN)
        return {
            "title": short(row.message),
            "newest": row.errors.select_related("instance").order_by("-last_failed_at")[:20],
            "kind": badge(row.fault_class),
            "daily": daily,
            "trend": drawn(family_trend(family=row, daily=daily), daily=daily),
            "open_count": f"more than {BOUND}" if number > BOUND else number,
            "open_url": _open_url(row),
            "lacking": lacking.distinct().order_by("-last_seen")[:10],
            "resubmit_url": preview_url(family=row.pk)
            if number and request.user.has_perm("integrations.resubmit_instance")
            else "",
        }


def _open_count(row: ErrorFamily) -> int:
    return row.errors.filter(state=OPEN).values("pk")[: BOUND + 1].count()


def _open_url(row: ErrorFamily) -> str:
    listed = reverse("admin:integrations_errorinstance_changelist")
    return f"{listed}?family__id__exact={row.pk}&state__exact={OPEN}"


def drawn(spans: list[Span], *, daily: bool) -> dict[str, Any]:
    """The bars of a trend, and the same in words."""
    most = max(span.count for span in spans) or 1
    step = WIDTH / len(spans)
    words = "%a %d %b" if daily else "%a %d %b %H:%M"
    bars = [
        {
            "x": f"{place * step + 1:.1f}",
            "y": f"{BASE - 92 * span.count / most:.1f}",
            "width": f"{step - 2:.1f}",
            "height": f"{92 * span.count / most:.1f}",
            "count": span.count,
            "when": f"{timezone.localtime(span.begin):{words}}",
        }
        for place, span in enumerate(spans)
    ]
    total = sum(span.count for span in spans)
    peak = max(bars, key=lambda bar: int(str(bar["count"])))
    said = f"{total} errors in the last {len(spans)} {'days' if daily else 'hours'}"
    if total:
        said += f", most of them, {peak['count']}, {'on' if daily else 'in the hour from'} {peak['when']}"
    return {"bars": bars, "words": said, "first": bars[0]["when"], "last": bars[-1]["when"]}
