"""An operator confirms that an incident is one: its tickets' service points count as without power."""

from django.db import transaction
from django.utils import timezone

from crm.models import Incident
from crm.outage.holding import hold_open_incident
from crm.outage.incident_history import sign
from integrations.engine.faults import Conflict
from integrations.services.audit import audit


def incident_confirm(*, incident: Incident, actor: str) -> None:
    """Confirm an open incident. Conflict where it is not open any more, or confirmed already."""
    with transaction.atomic():
        row = hold_open_incident(incident.pk)
        if row.confirmed_at is not None:
            raise Conflict(f"Incident {row.pk} is confirmed already")
        row.confirmed_at = timezone.now()
        sign(row, f"Confirmed by {actor}")
        row.save()
        audit(actor=actor, action="incident_confirm", subject=f"incident:{row.pk}")
    incident.refresh_from_db()
