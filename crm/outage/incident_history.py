"""The history of incidents: who did what, also where hundreds were changed at once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from simple_history.models import HistoricalRecords

from crm.models import Incident


def sign(row: Incident, reason: str) -> None:
    """Set what the history's next entry of this row says; `reason`: what happened, and by whom."""
    signed: Any = row  # simple_history looks for these two attributes
    signed._change_reason, signed._history_user = reason[:100], _person()


def note_history(rows: Sequence[Incident], *, reason: str) -> None:
    """Write the rows as they are now to their histories, with their crews: three statements, however many there are."""
    if not rows:
        return
    for row in rows:
        sign(row, reason)
    made = Incident.history.bulk_history_create(rows, update=True)
    history: dict[UUID, int] = {row.id: row.pk for row in made}
    crews = Incident.history.model.crews.model
    crews.objects.bulk_create(
        crews(
            id=one.pk, crew_id=one.crew_id, incident_id=one.incident_id, history_id=history[one.incident_id]
        )
        for one in Incident.crews.through.objects.filter(incident__in=history)
    )


def _person() -> Any:
    """Who is at the console; None where the request is a client's: a history names people only."""
    user = getattr(getattr(HistoricalRecords.context, "request", None), "user", None)
    return user if isinstance(user, get_user_model()) else None
