"""The flows' list: how the instances of the last 24 hours stand, each number leading to them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.listed import listed
from integrations.models import Instance
from integrations.present import badge, link
from integrations.services.flow_counts import ABORTED, ERRORS, PROCESSED, SUCCESS, flow_counts

DAY = timedelta(hours=24)
COUNTERS = ("received_24h", "processed_24h", "succeeded_24h", "errored_24h", "aborted_24h")


class CountersMixin:
    """Put it before ConsoleAdmin, and COUNTERS among the columns."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, its rows with the same numbers that monitoring/integrations answers."""
        shown: Any = super().get_changelist_instance(request)  # type: ignore[misc]  # of the ModelAdmin beside it
        shown.result_list = list(shown.result_list)
        since = timezone.now() - DAY
        counts = flow_counts(since=since)
        for row in shown.result_list:
            row.ends, row.ends_since, row.ends_exact = counts.ends(row.pk), since, counts.exact
        return shown

    @display(description="Received 24 h")
    def received_24h(self, row: Any) -> SafeString | int:
        """All that came."""
        return _figure(row, row.ends.received)

    @display(description="Processed")
    def processed_24h(self, row: Any) -> SafeString | int:
        """What has ended, however."""
        return _figure(row, row.ends.processed, PROCESSED)

    @display(description="Succeeded")
    def succeeded_24h(self, row: Any) -> SafeString | int:
        """Succeeded or skipped."""
        return _figure(row, row.ends.succeeded, SUCCESS)

    @display(description="Errored")
    def errored_24h(self, row: Any) -> SafeString | int:
        """Failed or held."""
        return _figure(row, row.ends.errors, ERRORS, "failed")

    @display(description="Aborted")
    def aborted_24h(self, row: Any) -> SafeString | int:
        """Discarded."""
        return _figure(row, row.ends.aborted, ABORTED)


def _figure(row: Any, number: int, statuses: Sequence[str] = (), state: str = "") -> SafeString | int:
    """A number, linked to the instances behind it; `3+` where hours were too many to be counted now."""
    if not number:
        return 0
    only = {"status__in": ",".join(statuses)} if statuses else {}
    address = listed(Instance, flow__id__exact=row.pk, created_at__gte=row.ends_since, **only)
    text = f"{number}{'' if row.ends_exact else '+'}"
    return link(address, badge(state, text) if state else text)
