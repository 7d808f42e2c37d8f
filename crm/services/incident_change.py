"""An operator changes what is known of an incident (seed 004 chapters 3 and 9.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from crm.config import Config, config
from crm.models import Crew, Incident
from crm.outage.callback_make import make_callbacks
from crm.outage.holding import hold_incident
from crm.outage.incident_history import sign
from crm.services.texts import expect_text, plain
from integrations.engine.faults import Conflict, InvalidMessage
from integrations.services.audit import audit


class Unset(Enum):
    """Stands for a value that is not given, where None is a value."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
Plain = dict[str, Any]
_ON_RESTORED = {"comment"}


@dataclass(frozen=True, slots=True)
class Changed:
    """What is different now, by field, and how many callbacks that has created."""

    fields: tuple[str, ...]
    callbacks: int = 0


def incident_change(
    *,
    incident: Incident,
    actor: str,
    status: str | None = None,
    comment: str | None = None,
    cause: str | None = None,
    subcause: str | None = None,
    crews: Sequence[Crew] | None = None,
    estimated_restoration_at: datetime | Unset | None = UNSET,
    confirmed: bool | None = None,
) -> Changed:
    """Change what is given and differs; None leaves a value alone, UNSET does for the estimated restoration.

    A status other than the first confirms the incident. A changed estimated restoration calls those back who asked
    for it, where `callback.on.etr.change` is true. InvalidMessage where a value is none; Conflict where the incident
    is not open (the comment of a restored one can still be changed). The instance is up to date afterwards.
    """
    settings, now = config(), timezone.now()
    given: Plain = {"comment": comment, "cause": cause, "subcause": subcause}
    given = {name: plain(text) for name, text in given.items() if text is not None}
    if status is not None:
        given["status"] = settings.statuses.find(status) or status
    if not isinstance(estimated_restoration_at, Unset):
        given["estimated_restoration_at"] = estimated_restoration_at
    with transaction.atomic():
        row = hold_incident(incident.pk)
        changes = {name: value for name, value in given.items() if getattr(row, name) != value}
        new_crews = _new_crews(row, crews)
        _expect_changeable(row, {*changes, *(() if new_crews is None else ("crews",))}, confirmed)
        _expect_good(changes, settings)
        changes |= _confirmation(row, changes, settings, confirmed, now)
        callbacks = 0
        if changes or new_crews is not None:
            _save(row, changes, new_crews, actor)
            callbacks = _callbacks(row, changes, settings, now)
            _on_record(row, changes, new_crews, callbacks, actor)
    incident.refresh_from_db()
    return Changed((*changes, *(() if new_crews is None else ("crews",))), callbacks)


def _expect_good(changes: Plain, settings: Config) -> None:
    """InvalidMessage where what is new is no status, no text that goes out, no moment."""
    for name, most in (("comment", settings.comment_limit), ("cause", 100), ("subcause", 100)):
        expect_text(name.capitalize(), changes.get(name, ""), most)
    _expect_status(changes.get("status"), settings)
    moment = changes.get("estimated_restoration_at")
    if moment is not None and timezone.is_naive(moment):
        raise InvalidMessage("The estimated restoration has no time zone")


def _expect_status(wanted: str | None, settings: Config) -> None:
    active = settings.active_statuses()
    if wanted is not None and wanted not in active:
        raise InvalidMessage(
            f"{wanted!r} is no status that an operator sets",
            hint=f"It has to be one of {', '.join(active)} (lookup GRIDOPS-CRM_IncidentStatuses, Set: active).",
        )


def _confirmation(
    row: Incident, changes: Plain, settings: Config, confirmed: bool | None, now: datetime
) -> Plain:
    """What the status and the operator's word make of the confirmation."""
    first = settings.properties.text("incident.status.new", "New")
    at_first = changes.get("status", row.status).strip().casefold() == first.casefold()
    if confirmed is False and row.confirmed_at is not None:
        if not at_first:
            raise InvalidMessage(
                f"An incident that is {changes.get('status', row.status)} is confirmed",
                hint=f"Set its status to {first} as well to take its confirmation back.",
            )
        return {"confirmed_at": None}
    if row.confirmed_at is None and (confirmed or ("status" in changes and not at_first)):
        return {"confirmed_at": now}
    return {}


def _new_crews(row: Incident, crews: Sequence[Crew] | None) -> list[Crew] | None:
    if crews is None or set(row.crews.all()) == set(crews):
        return None
    return list(crews)


def _expect_changeable(row: Incident, named: set[str], confirmed: bool | None) -> None:
    """Conflict where the incident is too far for what is to be changed."""
    if confirmed is not None and confirmed != (row.confirmed_at is not None):
        named = named | {"confirmed"}
    if row.restored_at is None or not named:
        return
    if row.closed_at is not None:
        raise Conflict(f"Incident {row.pk} is {row.stage} already and cannot be changed")
    if wrong := sorted(named - _ON_RESTORED):
        raise Conflict(
            f"Incident {row.pk} is restored already: its {', '.join(wrong).replace('_', ' ')} cannot be changed",
            hint="Its comment can, until it is closed.",
        )


def _save(row: Incident, changes: Plain, crews: list[Crew] | None, actor: str) -> None:
    """One entry in its history, crews and all."""
    for name, value in changes.items():
        setattr(row, name, value)
    if crews is not None:
        row.skip_history_when_saving = True  # type: ignore[attr-defined]  # simple_history's
        row.crews.set(crews)
        del row.skip_history_when_saving  # type: ignore[attr-defined]  # as above
    sign(row, f"Changed by {actor}")
    row.save()


def _callbacks(row: Incident, changes: Plain, settings: Config, now: datetime) -> int:
    """Those for a changed estimated restoration."""
    flag = settings.properties.flag
    if "estimated_restoration_at" not in changes or not flag("callback.on.etr.change", False):
        return 0
    reason = settings.properties.text("callback.reason.etr", "Estimated restoration changed")
    return make_callbacks(row, reason=reason, now=now)


def _on_record(row: Incident, changes: Plain, crews: list[Crew] | None, callbacks: int, actor: str) -> None:
    detail: Plain = {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in changes.items()
    }
    if crews is not None:
        detail["crews"] = [crew.mrid for crew in crews]
    if callbacks:
        detail["callbacks"] = callbacks
    audit(actor=actor, action="incident_change", subject=f"incident:{row.pk}", detail=detail)
