"""Making the log-in of an edge system."""

import hashlib
import re
import secrets as random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from oauth2_provider.models import get_application_model

from hub.hashers import MachineSecretHasher
from integrations.engine.faults import Conflict, InvalidMessage
from integrations.models import Client, Flow
from integrations.services.audit import audit

SECRET_BYTES = 32
# No colon, which ends the id in Basic, and nothing that a header or a URL would have to escape.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")


@dataclass(frozen=True)
class NewClient:
    """The client, and what is shown once and never again."""

    client: Client
    secret: str = field(repr=False)
    api_key: str = field(default="", repr=False)


def client_create(
    *,
    client_id: str,
    name: str = "",
    flows: Iterable[Flow | str] = (),
    user: AbstractBaseUser | None = None,
    secret_expires_on: date | None = None,
    secret: str | None = None,
    api_key: bool = False,
    actor: str = "system",
    address: str | None = None,
) -> NewClient:
    """A client that may call `flows` (rows or identifiers), with id and secret for Basic and OAuth2.

    `secret`: of at least 24 characters, else one is made; `api_key`: make one too; `user`: whose permissions it
    has on the monitoring API; `secret_expires_on`: when it should be rotated by. Conflict where the id is taken;
    InvalidMessage for an id, a secret or a flow that will not do.
    """
    if not _ID.fullmatch(client_id):
        raise InvalidMessage(
            f"{client_id!r} is no client id", hint="Letters, digits, . _ @ - and at most 100 of them."
        )
    secret = secret or random.token_urlsafe(SECRET_BYTES)
    secret_hash = hash_secret(secret)
    key = random.token_urlsafe(SECRET_BYTES) if api_key else ""
    rows = _flow_rows(flows)
    with transaction.atomic():
        if Client.objects.filter(client_id=client_id).exists():
            raise Conflict(f"There is a client {client_id} already", hint="Rotate its secret instead.")
        client = Client.objects.create(
            client_id=client_id,
            name=name,
            secret_hash=secret_hash,
            api_key_hash=api_key_digest(key) if key else "",
            user_id=user.pk if user else None,
            secret_expires_on=secret_expires_on,
        )
        client.flows.set(rows)
        register_application(client)
        detail = {"flows": sorted(row.identifier for row in rows), "api_key": api_key}
        audit(
            actor=actor, action="client_create", subject=f"client:{client_id}", detail=detail, address=address
        )
    return NewClient(client, secret, key)


def hash_secret(secret: str) -> str:
    """The stored form of a client's secret; InvalidMessage where it is too short for the fast hash."""
    try:
        return make_password(secret, hasher=MachineSecretHasher.algorithm)
    except ValueError as error:
        raise InvalidMessage(str(error)) from None


def api_key_digest(key: str) -> str:
    """How a client's row keeps its API key: findable, and no way back to the key."""
    return hashlib.sha256(key.encode()).hexdigest()


def register_application(client: Client) -> None:
    """Let the client get tokens by client credentials with the same id and secret (the hash is taken over)."""
    application = get_application_model()
    client.application = application.objects.create(
        client_id=client.client_id,
        client_secret=client.secret_hash,
        name=client.client_id,
        client_type=application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=application.GRANT_CLIENT_CREDENTIALS,
    )
    client.save(update_fields=["application"])


def _flow_rows(flows: Iterable[Flow | str]) -> list[Flow]:
    given = list(flows)
    rows = [flow for flow in given if isinstance(flow, Flow)]
    names = {flow for flow in given if isinstance(flow, str)}
    named = list(Flow.objects.filter(identifier__in=names))
    missing = sorted(names - {flow.identifier for flow in named})
    if missing:
        raise InvalidMessage(f"There is no flow {', '.join(missing)}")
    return [*rows, *named]
