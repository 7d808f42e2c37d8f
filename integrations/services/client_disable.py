"""Shutting a client out, and letting it in again."""

from django.db import transaction

from integrations.models import Client
from integrations.services.audit import audit
from integrations.services.client_create import register_application
from integrations.services.client_rotate import revoke_tokens


def client_disable(*, client: Client, actor: str, reason: str = "", address: str | None = None) -> None:
    """Refuse the client from its next call on: its tokens are revoked and it gets no new ones."""
    with transaction.atomic():
        client.enabled = False
        application, client.application = client.application, None
        client.save(update_fields=["enabled", "application"])
        if application is not None:
            application.delete()
        detail = {"reason": reason}
        audit(
            actor=actor,
            action="client_disable",
            subject=f"client:{client.client_id}",
            detail=detail,
            address=address,
        )


def client_enable(*, client: Client, actor: str, address: str | None = None) -> None:
    """Let the client in again with the credentials it had."""
    with transaction.atomic():
        client.enabled = True
        client.save(update_fields=["enabled"])
        revoke_tokens(client)
        if client.application is None and client.secret_hash:
            register_application(client)
        audit(actor=actor, action="client_enable", subject=f"client:{client.client_id}", address=address)
