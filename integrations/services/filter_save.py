"""Keeping a list's filters under a name."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.http import QueryDict

from integrations.engine.faults import InvalidMessage
from integrations.models import SavedFilter
from integrations.services.audit import audit

MOST = 100  # filters a person keeps of one list
LONGEST = 2000
_PLACES = (
    "after",
    "before",
    "last",
    "p",
    "e",
    "all",
    "_popup",
)  # where one was in the list, not what it shows


def filter_save(
    *,
    user: AbstractBaseUser,
    page: str,
    name: str,
    query: str,
    shared: bool = False,
    address: str | None = None,
) -> SavedFilter:
    """Save a query string under a name, anew or in place of one's own; `page` is the list's model, app.model.

    InvalidMessage where there is no name, nothing to save, too much, or too many already.
    """
    name = " ".join(name.split())[:100]
    kept = kept_query(query)
    if not name:
        raise InvalidMessage("A filter needs a name", hint="Write what the list shows, e.g. Failed today.")
    if not kept:
        raise InvalidMessage("The list shows everything: there is no filter to save", hint="Set one first.")
    if len(kept) > LONGEST:
        raise InvalidMessage("This filter is too long to be saved")
    mine = SavedFilter.objects.filter(user_id=user.pk, page=page)
    if mine.count() >= MOST and not mine.filter(name=name).exists():
        raise InvalidMessage(f"You have {MOST} filters of this list", hint="Delete one first.")
    with transaction.atomic():
        row, _ = SavedFilter.objects.update_or_create(
            user_id=user.pk, page=page, name=name, defaults={"query": kept, "shared": shared}
        )
        audit(
            actor=user.get_username(),
            action="filter_save",
            subject=f"savedfilter:{row.pk}",
            detail={"page": page, "name": name, "query": kept, "shared": shared},
            address=address,
        )
    return row


def kept_query(query: str) -> str:
    """What of an address is a filter: without the place in the list, and what is empty."""
    found = QueryDict(query.lstrip("?"), mutable=True)
    for name in _PLACES:
        found.pop(name, None)
    for name in [name for name, values in found.lists() if not any(values)]:
        del found[name]
    return found.urlencode()
