"""Giving a client new credentials; the old ones end at once."""

import secrets as random

from django.db import transaction
from oauth2_provider.models import get_access_token_model

from integrations.models import Client
from integrations.services.audit import audit
from integrations.services.client_create import SECRET_BYTES, api_key_digest, hash_secret


def client_rotate_secret(
    *, client: Client, actor: str, secret: str | None = None, address: str | None = None
) -> str:
    """A new secret for Basic and OAuth2, returned to be shown once; tokens got with the old one are revoked.

    InvalidMessage for a given `secret` under 24 characters.
    """
    secret = secret or random.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        client.secret_hash = hash_secret(secret)
        client.save(update_fields=["secret_hash"])
        if client.application is not None:
            client.application.client_secret = client.secret_hash
            client.application.save(update_fields=["client_secret"])
        revoke_tokens(client)
        audit(
            actor=actor, action="client_rotate_secret", subject=f"client:{client.client_id}", address=address
        )
    return secret


def client_rotate_api_key(*, client: Client, actor: str, address: str | None = None) -> str:
    """A new API key, returned to be shown once."""
    key = random.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        client.api_key_hash = api_key_digest(key)
        client.save(update_fields=["api_key_hash"])
        audit(
            actor=actor, action="client_rotate_api_key", subject=f"client:{client.client_id}", address=address
        )
    return key


def revoke_tokens(client: Client) -> int:
    """End every access token the client holds; how many there were."""
    if client.application_id is None:
        return 0
    deleted, _ = get_access_token_model().objects.filter(application_id=client.application_id).delete()
    return int(deleted)
