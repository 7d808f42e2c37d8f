"""Putting what is encrypted under the newest of HUB_FERNET_KEYS, so that older keys can be taken away."""

from django.apps import apps
from django.db import models, transaction

from integrations.crypto import EncryptedField, SecretUnreadable
from integrations.models import Payload
from integrations.storage import StorageError, payload_rewrap


def _encrypted_fields() -> list[tuple[type[models.Model], str]]:
    return [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.fields
        if isinstance(field, EncryptedField)
    ]


def secrets_rotate() -> int:
    """Encrypt every stored secret anew; the number of rows. SecretUnreadable if a row's key is not there.

    Written past the models' own save, as nothing changes that history should tell.
    """
    done = 0
    with transaction.atomic():
        for model, name in _encrypted_fields():
            for row in model._base_manager.select_for_update().only("pk", name):
                model._base_manager.filter(pk=row.pk).update(**{name: getattr(row, name)})
                done += 1
    return done


def payloads_rotate() -> tuple[int, list[str]]:
    """Put encrypted payloads' keys under the newest; how many, and what was wrong with the others, a line each."""
    done, troubles = 0, []
    for payload in Payload.objects.filter(encrypted=True).order_by("pk").iterator():
        try:
            done += payload_rewrap(payload)
        except (StorageError, SecretUnreadable) as trouble:
            troubles.append(f"{payload}: {trouble}")
    return done, troubles
