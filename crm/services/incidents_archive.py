"""Closed incidents leave the active set with their tickets; they are still found as archived (seed 004 chapter 6)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm.config import Config, config
from crm.models import Incident, TroubleTicket
from crm.outage.holding import hold_many
from crm.outage.incident_history import note_history
from integrations.services.audit import audit

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Archived:
    """How much went."""

    incidents: int
    tickets: int


def incidents_archive(
    *,
    now: datetime | None = None,
    days: int | None = None,
    incidents: Iterable[UUID] | None = None,
    actor: str = "hub",
) -> Archived:
    """Archive incidents closed more than `days` ago (`incident.archive.days`), or those named that are closed.

    In several transactions, so that a long list keeps nobody waiting: what is archived stays so if it is cut off.
    """
    settings, moment = config(), now or timezone.now()
    found = [_archive(rows, settings, moment, actor) for rows in _batches(settings, moment, days, incidents)]
    done = Archived(sum(one.incidents for one in found), sum(one.tickets for one in found))
    if done.incidents:
        detail = {"incidents": done.incidents, "tickets": done.tickets}
        audit(actor=actor, action="incidents_archive", subject="incident:list", detail=detail)
    return done


def _batches(
    settings: Config, now: datetime, days: int | None, incidents: Iterable[UUID] | None
) -> Iterator[list[UUID]]:
    """Keys of those to archive, some at a time."""
    if incidents is not None:
        wanted = sorted(set(incidents))
        for start in range(0, len(wanted), AT_ONCE):
            yield wanted[start : start + AT_ONCE]
        return
    days = settings.properties.number("incident.archive.days", 30) if days is None else days
    over = _closed().filter(closed_at__lte=now - timedelta(days=days)).order_by("closed_at")
    while keys := list(over.values_list("pk", flat=True)[:AT_ONCE]):
        yield keys


def _closed() -> "QuerySet[Incident]":
    return Incident.objects.filter(closed_at__isnull=False, archived_at__isnull=True)


def _archive(keys: list[UUID], settings: Config, now: datetime, actor: str) -> Archived:
    status = settings.properties.text("incident.status.archived", "Archived")
    with transaction.atomic():
        rows = list(_closed().filter(pk__in=keys).select_for_update(of=("self",)).order_by("pk"))
        held = [row.pk for row in rows]
        tickets = TroubleTicket.objects.filter(incident__in=held, archived_at__isnull=True)
        hold_many(tickets)
        count = tickets.update(archived_at=now)
        Incident.objects.filter(pk__in=held).update(archived_at=now, status=status, updated_at=now)
        for row in rows:
            row.archived_at, row.status = now, status
        note_history(rows, reason=f"Archived by {actor}")
    return Archived(len(rows), count)
