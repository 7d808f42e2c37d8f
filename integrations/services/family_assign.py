"""Who looks after a kind of error."""

from django.db import transaction

from integrations.models import ErrorFamily
from integrations.services.audit import audit


def family_assign(*, family: ErrorFamily, actor: str, address: str | None = None) -> ErrorFamily:
    """Save the family's owner, which may be nobody; nothing else of it, as the engine counts on meanwhile."""
    before = ErrorFamily.objects.select_related("owner").get(pk=family.pk).owner
    if before == family.owner:
        return family
    with transaction.atomic():
        family.save(update_fields=["owner"])
        audit(
            actor=actor,
            action="family_assign",
            subject=f"errorfamily:{family.pk}",
            detail={"owner": _name(family.owner), "was": _name(before)},
            address=address,
        )
    return family


def _name(person: object) -> str:
    return str(person) if person is not None else ""
