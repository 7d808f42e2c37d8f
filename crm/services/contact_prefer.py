"""Which of a ticket's contacts is to be used first (seed 004 table 10.10)."""

from django.db import transaction

from crm.models import CallerContact
from crm.outage.holding import hold_ticket
from integrations.engine.faults import Conflict
from integrations.services.audit import audit


def contact_prefer(*, contact: CallerContact, preferred: bool, actor: str) -> None:
    """Prefer this contact to all others of its ticket, or no longer. Conflict where it is gone or archived."""
    with transaction.atomic():
        # The ticket is held, not its contacts: of two that prefer another one at once the later wins.
        hold_ticket(contact.ticket_id)
        others = CallerContact.objects.filter(ticket=contact.ticket_id, preferred=True).exclude(pk=contact.pk)
        if preferred:
            others.update(preferred=False)
        if not CallerContact.objects.filter(pk=contact.pk).update(preferred=preferred):
            raise Conflict(f"The contact {contact} is not there any more")
        audit(
            actor=actor,
            action="contact_prefer" if preferred else "contact_prefer_no_longer",
            subject=f"troubleticket:{contact.ticket_id}",
            detail={"contact": contact.pk},
        )
    contact.preferred = preferred
