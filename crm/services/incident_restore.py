"""An incident is restored: those who asked for it are called back (seed 004 chapter 3)."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crm.config import Config, config
from crm.models import Incident
from crm.outage.callback_make import make_callbacks, turn_callbacks
from crm.outage.holding import hold_open_incident
from crm.outage.incident_ends import close_finished
from crm.outage.incident_history import sign
from integrations.engine.faults import InvalidMessage
from integrations.services.audit import audit


@dataclass(frozen=True, slots=True)
class Restored:
    """How many calls are to be made; without any the incident was closed at once."""

    callbacks: int
    closed: bool


def incident_restore(*, incident: Incident, actor: str, at: datetime | None = None) -> Restored:
    """Restore an open incident, now or as of `at`, and queue a callback for each of its tickets that asked for one.

    Callbacks that wait to tell of a new estimated restoration tell of this instead. Conflict where it is not open any
    more, InvalidMessage where `at` is still to come. The instance is up to date afterwards.
    """
    settings, now = config(), timezone.now()
    moment = _moment(at, now)
    with transaction.atomic():
        row = hold_open_incident(incident.pk)
        _save(row, settings, actor, moment, now)
        callbacks = _callbacks(row, settings, now)
        closed = bool(close_finished([row.pk], settings=settings, now=now))
        detail = {"restored_at": moment.isoformat(), "callbacks": callbacks, "closed": closed}
        audit(actor=actor, action="incident_restore", subject=f"incident:{row.pk}", detail=detail)
    incident.refresh_from_db()
    return Restored(callbacks, closed)


def _moment(at: datetime | None, now: datetime) -> datetime:
    if at is None:
        return now
    if timezone.is_naive(at):
        raise InvalidMessage("The time of the restoration has no time zone")
    if at > now:
        raise InvalidMessage(
            f"The time of the restoration, {timezone.localtime(at):%Y-%m-%d %H:%M}, is still to come",
            hint="Set the estimated restoration instead.",
        )
    return at


def _save(row: Incident, settings: Config, actor: str, at: datetime, now: datetime) -> None:
    row.restored_at = at
    row.confirmed_at = row.confirmed_at or now
    row.status = settings.properties.text("incident.status.restored", "Field Completed")
    sign(row, f"Restored by {actor}")
    row.save()


def _callbacks(row: Incident, settings: Config, now: datetime) -> int:
    restored = settings.properties.text("callback.reason.restored", "Restored")
    earlier = settings.properties.text("callback.reason.etr", "Estimated restoration changed")
    turned = turn_callbacks(row, reason=earlier, into=restored, now=now)
    return turned + make_callbacks(row, reason=restored, now=now)
