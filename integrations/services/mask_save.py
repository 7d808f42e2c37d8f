"""Setting and lifting the masks on payloads' fields; who did is in the audit trail."""

from typing import Any

from django.db import transaction

from integrations.engine.masking import mask_value
from integrations.models import MaskedField
from integrations.services.audit import audit

_SAMPLE = ("name", "accountId", "taxId", "homePhone", "email")


def mask_save(*, row: MaskedField, actor: str, address: str | None = None) -> MaskedField:
    """Save a mask, new or changed; it holds from the next look on."""
    verb = "mask_set" if row.pk is None else "mask_change"
    with transaction.atomic():
        row.save()
        audit(actor=actor, action=verb, subject=f"maskedfield:{row.pk}", detail=_about(row), address=address)
    return row


def mask_delete(*, row: MaskedField, actor: str, address: str | None = None) -> None:
    """Take a mask away: the field is seen by everyone who may read payloads."""
    with transaction.atomic():
        audit(
            actor=actor,
            action="mask_delete",
            subject=f"maskedfield:{row.pk}",
            detail=_about(row),
            address=address,
        )
        row.delete()


def _about(row: MaskedField) -> dict[str, Any]:
    flow = row.flow.identifier if row.flow else ""
    return {"name": row.name, "flow": flow, "enabled": row.enabled, "reason": row.reason}


def try_mask(name: str) -> dict[str, str]:
    """What a mask of this name shows of a small document: a few usual names, and its own."""
    document = dict.fromkeys((*_SAMPLE, name.replace("*", "x").strip()), "shown")
    shown: dict[str, str] = mask_value(document, (name,))
    return shown
