"""Prometheus metrics, counted from the database when asked for, so every web process tells the same."""

import hmac
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address

from django.conf import settings
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from hub.errors import fault_answer
from integrations.api.errors import Forbidden
from integrations.models import (
    Breaker,
    ErrorInstance,
    FileTransfer,
    Heartbeat,
    Instance,
    Notification,
    SyncRequest,
)

LIVE = ("ready", "running", "waiting", "held")
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"busbar_{name}", text, value=value)


def _by_flow(name: str, text: str, instances: "QuerySet[Instance]") -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"busbar_{name}", text, labels=["flow", "status"])
    rows = instances.order_by().values_list("flow__identifier", "status").annotate(number=Count("id"))
    for flow, status, number in rows:
        family.add_metric([flow, status], number)
    return family


class HubCollector(Collector):
    """All metrics of the hub; each a query over a partial index, none over the whole history."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One pass of counting."""
        yield from self._instances()
        yield from self._waiting()
        yield from self._trouble()

    def _instances(self) -> Iterator[GaugeMetricFamily]:
        hour_ago = timezone.now() - timedelta(hours=1)
        yield _by_flow("instances_live", "Instances not ended.", Instance.objects.filter(status__in=LIVE))
        yield _by_flow(
            "instances_last_hour",
            "Instances received in the last hour, by where they stand now.",
            Instance.objects.filter(created_at__gte=hour_ago),
        )

    def _waiting(self) -> Iterator[GaugeMetricFamily]:
        now = timezone.now()
        due = Instance.objects.filter(status__in=["ready", "waiting"], due_at__lte=now)
        oldest = due.order_by("due_at").values_list("due_at", flat=True).first()
        age = (now - oldest).total_seconds() if oldest else 0
        mails = Notification.objects.filter(state__in=["pending", "sending"])
        overdue = SyncRequest.objects.filter(status="awaiting", overdue_at__lt=now)
        yield _gauge("queue_backlog", "Instances due and not claimed.", due.count())
        yield _gauge("queue_oldest_due_seconds", "How long the oldest of them has been due.", age)
        yield _gauge("outbox_backlog", "E-mails not sent yet.", mails.count())
        yield _gauge("acknowledgements_overdue", "Sync requests overdue.", overdue.count())
        unsettled = FileTransfer.objects.exclude(state="done")
        yield _gauge("file_transfers_unsettled", "Files under way or stuck.", unsettled.count())

    def _trouble(self) -> Iterator[GaugeMetricFamily]:
        now = timezone.now()
        errors = ErrorInstance.objects.filter(state="open")
        yield _gauge("errors_open", "Error instances open.", errors.count())
        breakers = GaugeMetricFamily("busbar_breaker_open", "1 while instances wait.", labels=["connection"])
        for name, until in Breaker.objects.values_list("connection__name", "open_until"):
            breakers.add_metric([name], 1 if until and until > now else 0)
        yield breakers
        signs = GaugeMetricFamily("busbar_heartbeat_age_seconds", "Last sign of life.", labels=["process"])
        recent = Heartbeat.objects.filter(at__gte=now - timedelta(days=1))
        for name, at in recent.values_list("name", "at"):
            signs.add_metric([name], (now - at).total_seconds())
        yield signs


def _allowed(request: HttpRequest) -> bool:
    """With HUB_METRICS_TOKEN, who has it; without, who calls from this machine and through no proxy."""
    token: str = settings.HUB_METRICS_TOKEN
    if token:
        shown = request.headers.get("Authorization", "")
        return hmac.compare_digest(shown.encode(), f"Bearer {token}".encode())
    if any(request.META.get(header) for header in _FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics in Prometheus' or OpenMetrics' text form; 403 for whoever may not see them."""
    if not _allowed(request):
        text = "Metrics need the token of HUB_METRICS_TOKEN as Bearer, or a call from the machine itself"
        return fault_answer(Forbidden(text))
    registry = CollectorRegistry()
    registry.register(HubCollector())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)
