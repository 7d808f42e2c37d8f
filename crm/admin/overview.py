"""The call centre's figures on the console's overview."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from crm.models import Callback, Incident, TroubleTicket
from crm.outage.callback_queue import waiting
from crm.present import list_address
from hub.dashboard import Figure, also


def figures(at: datetime) -> Iterator[tuple[str, Figure]]:
    """Open incidents, callbacks to be made, tickets of today that nothing locates; by indexes alone."""
    incidents = Incident.objects.filter(restored_at__isnull=True).order_by().count()
    yield (
        "crm.incident",
        Figure("Open incidents", incidents, list_address(Incident, "stage=open")),
    )
    queued = waiting(at).exclude(state=Callback.State.CLOSED).order_by().count()
    yield ("crm.callback", Figure("Callbacks to make", queued, list_address(Callback, "state=queued")))
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    lost = TroubleTicket.objects.filter(pk__gte=first_key(midnight), kind=TroubleTicket.Kind.UNLOCATED)
    number = lost.order_by().count()
    link = list_address(TroubleTicket, f"kind=unlocated&id__gte={first_key(midnight)}&set=all")
    yield ("crm.troubleticket", Figure("Unlocated tickets today", number, link, "warn" if number else ""))


def first_key(at: datetime) -> UUID:
    """The least key of what was made then or later: keys begin with their milliseconds."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


also("Call centre", figures)
