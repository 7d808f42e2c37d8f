"""Close a connection's breaker by hand, so that waiting instances may try at once."""

from django.db import transaction
from django.utils import timezone

from integrations.models import Breaker, Connection, Instance
from integrations.services.audit import audit


def breaker_close(*, connection: Connection, actor: str, address: str | None = None) -> int:
    """Close it and make the flows' waiting instances due now; how many became due.

    An instance's connection is not on its row, so all that wait are made due: those that wait for another
    connection go on waiting by themselves.
    """
    with transaction.atomic():
        Breaker.objects.filter(connection=connection).update(failures=0, open_until=None, last_fault="")
        waiting = Instance.objects.filter(status=Instance.Status.WAITING, fault_code="HUB-BREAKER-OPEN")
        due = waiting.filter(due_at__gt=timezone.now()).update(due_at=timezone.now())
        audit(
            actor=actor,
            action="breaker_close",
            subject=f"connection:{connection.pk}",
            detail={"name": connection.name, "instances_due": due},
            address=address,
        )
    return due
