"""Callbacks for the IVR: taken from the queue, taken again, and the message about them (seed 004 chapter 9)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm.config import config
from crm.models import Callback
from crm.operations.callback_replies import callbacks_reply
from crm.operations.headers import sent_header
from crm.outage.callback_queue import assign_automatic
from crm.outage.holding import hold_in_order
from crm.wire.codec import to_json
from crm.wire.types import message_type

Plain = dict[str, Any]
Taken = dict[str, Any]  # as a run keeps it: {"callbacks": [mRID, …], "to": who has them, "at": since when}
NOUN, MESSAGE = "CallBacks", "CreatedCallBacks"


def callbacks_take_for_ivr() -> Taken | None:
    """The next callbacks for the IVR, assigned to the adapter; None where there is none.

    Unassigned ones that are marked as automatic or of `ivr.priorities`, `ivr.batch` at most. They stay assigned for
    `callback.release.minutes`, whatever becomes of the message.
    """
    settings, now = config(), timezone.now()
    with transaction.atomic():
        rows = assign_automatic(
            settings.properties.number("ivr.batch", 100),
            priorities=settings.ivr_priorities,
            to=settings.adapter_csr,
            minutes=settings.release_minutes,
            now=now,
        )
    if not rows:
        return None
    return {"callbacks": [str(row.pk) for row in rows], "to": settings.adapter_csr, "at": now.isoformat()}


def callbacks_take_again(*, taken: Taken) -> int:
    """Keep them assigned for the whole time again, as a person has them sent once more; how many that are.

    Not those that an agent was given meanwhile, that went back to the queue by hand, or that are closed.
    """
    release_at = timezone.now() + timedelta(minutes=config().release_minutes)
    with transaction.atomic():
        held = hold_in_order(_still_taken(taken))
        return Callback.objects.filter(pk__in=held).update(release_at=release_at)


def callbacks_message(*, taken: Taken, run: UUID) -> Plain | None:
    """CreatedCallBacks as JSON, with those callbacks that the adapter still has and the IVR has not told of.

    None where it has none any more. `run`: who sends it; the same callbacks sent again have the same MessageID.
    """
    now = timezone.now()
    rows = list(_still_taken(taken).filter(release_at__gt=now))
    if not rows:
        return None
    key = str(uuid5(run, " ".join(str(row.pk) for row in rows)))
    # Table 10.20: the CorrelationID is the message's own id.
    header = sent_header(config(), now, verb="created", noun=NOUN, key=key, correlation=key)
    document = {"Header": header, "Payload": {NOUN: {"CallBack": callbacks_reply(rows)}}}
    return to_json(document, message_type(NOUN, MESSAGE))


def _still_taken(taken: Taken) -> "QuerySet[Callback]":
    """Those that were assigned then and to nobody since, and of which no result has come."""
    at = datetime.fromisoformat(taken["at"])
    rows = Callback.objects.filter(
        pk__in=taken["callbacks"], state=Callback.State.ASSIGNED, assigned_to=taken["to"], assigned_at=at
    )
    return rows.exclude(result_at__gte=at)
