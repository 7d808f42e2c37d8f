"""Letting go of contents that nothing refers to any more."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.utils import timezone

from integrations.models import Payload
from integrations.storage.backend import Backend, Stored, current_backend, key_of
from integrations.storage.seal import plain_size

_AT_ONCE = 500
_DIGEST = 64


def payload_delete_unreferenced(older_than: timedelta) -> int:
    """Delete rows and bytes nothing refers to and nobody put for `older_than`; answers how many.

    Bytes that a crash left without a row get one, and go the same way the next time. StoreUnavailable stops it;
    what was deleted stays so, and the rest is found again.
    """
    backend = current_backend()
    before = timezone.now() - older_than
    count = 0
    while digests := list(_unreferenced(before).values_list("pk", flat=True)[:_AT_ONCE]):
        count += sum(_delete(backend, digest, before) for digest in digests)
    _adopt_orphans(backend, before)
    return count


def _unreferenced(before: datetime) -> QuerySet[Payload]:
    """Old payloads to which no foreign key of any table points."""
    rows = Payload.objects.filter(created_at__lte=before)
    for relation in _referring():
        holders = relation.related_model._base_manager.filter(**{relation.field.name: OuterRef("pk")})
        rows = rows.filter(~Exists(holders))
    return rows


def _referring() -> Iterator[ForeignObjectRel]:
    """Every foreign key to Payload, those without a name for the way back included."""
    for field in Payload._meta.get_fields(include_hidden=True):
        if isinstance(field, ForeignObjectRel):
            yield field


def _delete(backend: Backend, digest: str, before: datetime) -> bool:
    """Delete one, if it is still old and unreferenced.

    The bytes go while the row is locked: a put of the same content either dated the row anew before, and it is
    spared, or waits for this transaction and then finds the bytes gone and writes them again. That is why one
    delete on the store happens inside a transaction, against the rule that keeps the network out of them.
    """
    with transaction.atomic():
        row = _unreferenced(before).filter(pk=digest).select_for_update(of=("self",)).first()
        if row is None:
            return False
        for encrypted in (False, True):
            backend.delete(key_of(digest, encrypted=encrypted))
        row.delete()
    return True


def _adopt_orphans(backend: Backend, before: datetime) -> None:
    found = backend.sweep(before)
    while group := {item.key.rpartition("/")[2]: item for item in islice(found, _AT_ONCE)}:
        known = set(
            Payload.objects.filter(pk__in=[_digest(name) for name in group]).values_list("pk", flat=True)
        )
        Payload.objects.bulk_create(
            [
                _row_for(name, item)
                for name, item in group.items()
                if _adoptable(name) and _digest(name) not in known
            ],
            ignore_conflicts=True,
        )


def _digest(name: str) -> str:
    return name.removesuffix(".enc")


def _adoptable(name: str) -> bool:
    digest = _digest(name)
    return len(digest) == _DIGEST and all(character in "0123456789abcdef" for character in digest)


def _row_for(name: str, item: Stored) -> Payload:
    encrypted = name.endswith(".enc")
    size = max(0, plain_size(item.size)) if encrypted else item.size
    return Payload(digest=_digest(name), size=size, encrypted=encrypted)
