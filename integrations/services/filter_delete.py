"""Forgetting a saved filter."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from integrations.engine.faults import Conflict
from integrations.models import SavedFilter
from integrations.services.audit import audit


def filter_delete(
    *, row: SavedFilter, user: AbstractBaseUser, others: bool = False, address: str | None = None
) -> None:
    """Delete one's own filter; with `others`, a shared one of somebody else. Conflict where it is neither."""
    if row.user_id != user.pk and not (others and row.shared):
        raise Conflict(f"The filter {row.name} belongs to somebody else")
    with transaction.atomic():
        audit(
            actor=user.get_username(),
            action="filter_delete",
            subject=f"savedfilter:{row.pk}",
            detail={"page": row.page, "name": row.name, "query": row.query},
            address=address,
        )
        row.delete()
