"""How incidents end: restored, then closed with their last callback, then archived with their tickets."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from crm.config import Config
from crm.models import Callback, Incident
from crm.outage.holding import hold_in_order
from crm.outage.incident_history import note_history


def close_finished(incidents: Collection[UUID], *, settings: Config, now: datetime) -> int:
    """Close those of the restored incidents that have no callback left open; how many. Inside a transaction."""
    if not incidents:
        return 0
    # Held, or of two results at the same time neither would see that the other was the last but one.
    restored = Incident.objects.filter(pk__in=incidents, restored_at__isnull=False, closed_at__isnull=True)
    held = hold_in_order(restored)
    open_ones = Callback.objects.filter(incident__in=held).exclude(state=Callback.State.CLOSED)
    over = list(Incident.objects.filter(pk__in=held).exclude(pk__in=open_ones.values("incident")))
    if not over:
        return 0
    status = settings.properties.text("incident.status.closed", "Closed")
    Incident.objects.filter(pk__in=[row.pk for row in over]).update(
        closed_at=now, status=status, updated_at=now
    )
    for row in over:
        row.closed_at, row.status = now, status
    note_history(over, reason="Closed: no callback is left")
    return len(over)
