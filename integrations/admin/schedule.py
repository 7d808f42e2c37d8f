"""Schedules: a cron in a zone, or an interval; refused when saved where it would never fire."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import ConsoleAdmin, actor_of, address_of, subject_of
from integrations.models import Flow, Schedule
from integrations.present import as_text, badge, in_words, short
from integrations.services.audit import audit
from integrations.services.lateness import late_schedules, why_late, with_refusal
from integrations.services.schedule_save import next_times, schedule_problems, schedule_save


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    """Checked by the service's own rules, so that the page and the tick agree."""

    class Meta:
        model = Schedule
        fields = ["flow", "name", "cron", "time_zone", "interval_seconds", "parameters", "enabled"]

    def full_clean(self) -> None:
        """The fields first, then the whole."""
        super().full_clean()
        if self.is_bound and not self.errors:
            for field, problem in schedule_problems(self.instance).items():
                self.add_error(field, problem)


class LateFilter(admin.SimpleListFilter):
    """Late or missed: what should have started its flow and has not."""

    title = "late or missed"
    parameter_name = "late"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Yes or no."""
        return [("yes", "Late or missed"), ("no", "In time")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """As the home page counts them."""
        late = late_schedules(timezone.now()).values("pk")
        if self.value() == "yes":
            return queryset.filter(pk__in=late)
        return queryset.exclude(pk__in=late) if self.value() == "no" else queryset


@admin.register(Schedule)
class ScheduleAdmin(ConsoleAdmin[Schedule]):
    """A flow may have any number of schedules, each with its own parameters."""

    form = ScheduleForm
    panel_template = "admin/integrations/schedule/panel.html"
    list_display = ("name", "flow", "when", "with_parameters", "state", "next_due_at", "last_due_at")
    list_filter = (LateFilter, "enabled", "flow__package", "flow")
    search_fields = ("name", "flow__identifier", "cron")
    list_select_related = ("flow",)
    fields = ("flow", "name", "cron", "time_zone", "interval_seconds", "parameters", "enabled")
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schedule]:
        """With why the last due time started nothing."""
        return with_refusal(super().get_queryset(request))

    @display(description="When", ordering="cron")
    def when(self, row: Schedule) -> str:
        """The cron with its zone, or the interval."""
        return f"{row.cron} {row.time_zone}" if row.cron else f"every {row.interval_seconds} s"

    @display(description="Parameters")
    def with_parameters(self, row: Schedule) -> str:
        """As one line of JSON."""
        return short(as_text(row.parameters), 60)

    @display(description="State", ordering="enabled")
    def state(self, row: Schedule) -> SafeString:
        """On, off, late or missed, or in trouble since the last tick."""
        if row.trouble:
            return badge("failed", "trouble")
        if why_late(row, timezone.now()):
            return badge("failed", "late or missed")
        return badge("active", "on") if row.enabled else badge("off")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only flows that a schedule can start."""
        if db_field.name == "flow":
            kwargs["queryset"] = Flow.objects.filter(pattern=Flow.Pattern.FILE, present=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Schedule, form: Any, change: bool) -> None:
        """By the service, which works out the next due time and audits."""
        schedule_save(schedule=obj, actor=actor_of(request), address=address_of(request))

    def delete_model(self, request: HttpRequest, obj: Schedule) -> None:
        """Deleted, and the trail says which."""
        audit(
            actor=actor_of(request),
            action="schedule_delete",
            subject=subject_of(obj),
            detail={"schedule": str(obj)},
            address=address_of(request),
        )
        super().delete_model(request, obj)

    def panel(self, request: HttpRequest, row: Schedule | None) -> dict[str, Any]:
        """The next five times and the last runs."""
        if row is None:
            return {}
        times = in_words(next_times(row)) if row.enabled else []
        runs = row.due_runs.select_related("instance").order_by("-due_at")[:10]
        late = "" if row.trouble else why_late(row, timezone.now())
        return {"times": times, "runs": runs, "late": late}
