"""Processes: who is at work, what waits, what is stuck. The queue's own pages are not shown: they run code."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Min, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from integrations.admin.base import RecordAdmin
from integrations.admin.breaker import breaker_badge
from integrations.models import Breaker, Heartbeat, Instance, Lease, Notification, Schedule
from integrations.present import between
from integrations.services.queue_depth import queue_depth

QUIET = timedelta(seconds=60)
COUNT_TO = 10_000
Status = Instance.Status


def up_to(rows: QuerySet[Any]) -> str:
    """How many, counted no further than COUNT_TO."""
    number = rows.order_by()[:COUNT_TO].count()
    return f"{number}+" if number == COUNT_TO else str(number)


def figures() -> list[dict[str, str]]:
    """What waits and what is late: label, value, tone."""
    now = timezone.now()
    due = Instance.objects.filter(status__in=[Status.READY, Status.WAITING], due_at__lte=now)
    expired = Instance.objects.filter(status=Status.RUNNING, lease_until__lt=now)
    mails = Notification.objects.filter(state=Notification.State.PENDING, next_try_at__lte=now)
    oldest = due.aggregate(oldest=Min("due_at"))["oldest"]
    late = oldest is not None and now - oldest > QUIET
    return [
        {"label": "Due, not yet claimed", "value": up_to(due), "tone": "bad" if late else ""},
        {"label": "Oldest waits", "value": between(oldest, now) or "—", "tone": "bad" if late else ""},
        {"label": "Running", "value": up_to(Instance.objects.filter(status=Status.RUNNING)), "tone": ""},
        {"label": "Lease expired", "value": up_to(expired), "tone": "warn" if expired.exists() else ""},
        {"label": "Wake-ups in the queue", "value": queue_depth(), "tone": ""},
        {"label": "Mails due", "value": up_to(mails), "tone": ""},
    ]


@admin.register(Heartbeat)
class HeartbeatAdmin(RecordAdmin[Heartbeat]):
    """One page instead of a list."""

    panel_template = "admin/integrations/health/process.html"
    list_display = ("name", "role", "host", "pid", "at")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = timezone.now()
        processes = [
            {
                "row": row,
                "quiet": now - row.at > QUIET,
                "ago": between(row.at, now),
                "up": between(row.started_at, now),
            }
            for row in Heartbeat.objects.order_by("role", "name")[:200]
        ]
        breakers = Breaker.objects.filter(failures__gt=0).select_related("connection")
        context = {
            **self.admin_site.each_context(request),
            "title": "Processes and queue",
            "opts": self.opts,
            "media": self.media,
            "figures": figures(),
            "processes": processes,
            "leases": Lease.objects.order_by("name"),
            "now": now,
            "breakers": [{"row": row, "badge": breaker_badge(row)} for row in breakers],
            "schedules": Schedule.objects.exclude(trouble="").select_related("flow"),
            "panel_template": "admin/integrations/health/page.html",
        }
        return TemplateResponse(request, "admin/integrations/page.html", context)
