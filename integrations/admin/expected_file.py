"""Expected files: what should come by when, and whether it has."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import ConsoleAdmin, actor_of, address_of
from integrations.models import ExpectedFile, FileTransfer, Flow, Instance
from integrations.present import badge, between, in_words
from integrations.services.expected_file_save import (
    coming_checks,
    expected_file_delete,
    expected_file_problems,
    expected_file_save,
)

RUNS = 100  # the newest runs of a flow whose files are shown
MOVES_FILES = (Flow.Pattern.FILE, Flow.Pattern.CHILD)


def state_of(row: ExpectedFile) -> tuple[str, str, str]:
    """(badge's text, its colour, the sentence) of how a file stands."""
    if row.trouble:
        return "trouble", "bad", f"It cannot be looked for: {row.trouble}"
    if not row.enabled:
        return "off", "plain", "It is switched off and not looked for."
    if row.late_since:
        since = between(row.late_since, timezone.now())
        if not row.flow.active:
            return (
                "late",
                "bad",
                f"It has been late for {since}: its flow is not active, so nothing moves it.",
            )
        return "late", "bad", f"It has been late for {since}: no file of this name was moved in time."
    if row.last_seen_at:
        return "came", "good", "It came; it is looked for again at the next time."
    return "not due", "plain", "It has not been due yet."


def moved_last(flow: int) -> list[FileTransfer]:
    """The newest few files of the flow's newest runs."""
    runs = Instance.objects.filter(flow=flow).order_by("-created_at").values_list("pk", flat=True)[:RUNS]
    return list(FileTransfer.objects.filter(instance__in=list(runs)).order_by("-pk")[:5])


class LateFilter(admin.SimpleListFilter):
    """Late, or not."""

    title = "late"
    parameter_name = "late"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Yes or no."""
        return [("yes", "Late"), ("no", "Not late")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What is switched off is not late."""
        if self.value() == "yes":
            return queryset.filter(enabled=True, late_since__isnull=False)
        return queryset.filter(late_since__isnull=True) if self.value() == "no" else queryset


class ExpectedFileForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    """Checked by the service's own rules, so that the page and the check agree."""

    class Meta:
        model = ExpectedFile
        fields = ["flow", "name", "pattern", "cron", "time_zone", "within_hours", "enabled"]
        labels = {"pattern": "File name", "cron": "Due at", "within_hours": "Within hours"}

    def full_clean(self) -> None:
        """The fields first, then the whole."""
        super().full_clean()
        if self.is_bound and not self.errors:
            for field, problem in expected_file_problems(self.instance).items():
                self.add_error(field, problem)


@admin.register(ExpectedFile)
class ExpectedFileAdmin(ConsoleAdmin[ExpectedFile]):
    """A flow may have any number of them."""

    form = ExpectedFileForm
    panel_template = "admin/integrations/expected_file/panel.html"
    list_display = ("name", "flow", "pattern", "state", "when", "next_check_at", "last_seen_at", "late_since")
    list_filter = (LateFilter, "enabled", "flow__package", "flow")
    search_fields = ("name", "pattern", "flow__identifier")
    list_select_related = ("flow",)
    fields = ("flow", "name", "pattern", "cron", "time_zone", "within_hours", "enabled")
    actions = None

    @display(description="State", ordering="late_since")
    def state(self, row: ExpectedFile) -> SafeString:
        """In colour."""
        text, variant, _ = state_of(row)
        return badge(text, variant=variant)

    @display(description="Due at", ordering="cron")
    def when(self, row: ExpectedFile) -> str:
        """The cron with its zone."""
        return f"{row.cron} {row.time_zone}"

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only flows that move files."""
        if db_field.name == "flow":
            kwargs["queryset"] = Flow.objects.filter(pattern__in=MOVES_FILES, present=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ExpectedFile, form: Any, change: bool) -> None:
        """By the service, which works out the next check and audits."""
        expected_file_save(expected=obj, actor=actor_of(request), address=address_of(request))

    def delete_model(self, request: HttpRequest, obj: ExpectedFile) -> None:
        """By the service, which audits."""
        expected_file_delete(expected=obj, actor=actor_of(request), address=address_of(request))

    def panel(self, request: HttpRequest, row: ExpectedFile | None) -> dict[str, Any]:
        """How it stands in words, when it is looked for next, and what its flow moved last."""
        if row is None:
            return {}
        text, variant, sentence = state_of(row)
        return {
            "state": badge(text, variant=variant),
            "sentence": sentence,
            "times": in_words(coming_checks(row)) if row.enabled else [],
            "moved": moved_last(row.flow_id),
        }
