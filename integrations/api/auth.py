"""Who calls: clients by Basic, bearer token or API key; on the monitoring API also people.

A machine's secret is long and random, so nobody guesses it and a fast hash keeps it (docs/security.md, S4). What
is wrong with credentials is never told: an unknown id, a wrong secret, an expired token and a disabled client get
the same text after the same work.
"""

import base64
import binascii
import hashlib
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, User
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from oauth2_provider.models import get_access_token_model
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from hub.address import client_address
from hub.asked import Asked
from hub.hashers import MachineSecretHasher
from hub.models import LoginAttempt
from hub.throttle import LOCKING_FAILURES, attempt_key, login_failed, login_succeeded
from integrations.api.passwords import person_by_password
from integrations.models import Client
from integrations.services.client_create import api_key_digest

CHALLENGE = 'Basic realm="Busbar", charset="UTF-8", Bearer realm="Busbar"'
SCOPE = "flows"
LONGEST_NAME = 150
_hasher = MachineSecretHasher()
_attempts = Asked(lambda key: LoginAttempt.objects.filter(key=key), str)
_clients = Asked(lambda client_id: Client.objects.select_related("user").filter(client_id=client_id), str)
_clients_by_key = Asked(
    lambda digest: Client.objects.select_related("user").filter(api_key_hash=digest, enabled=True), str
)
_NOBODYS = _hasher.encode("no client has this secret, it only takes the time", "nobody")


class CallerAuthentication(BaseAuthentication):
    """`request.user` becomes the Client; people are not let in here."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """The caller and how it showed who it is; None without credentials, AuthenticationFailed for wrong ones."""
        header = str(request.META.get("HTTP_AUTHORIZATION", ""))
        key = str(request.META.get("HTTP_X_API_KEY", ""))
        if not header and not key:
            return self.without_credentials(request)
        scheme, _, rest = header.partition(" ")
        caller: Client | AbstractBaseUser | None = None
        if scheme.lower() == "basic":
            caller = self._basic(request, rest.strip())
        elif scheme.lower() == "bearer":
            caller = client_by_token(rest.strip())
        elif not header:
            scheme, caller = "api-key", client_by_api_key(key)
        if caller is None:
            raise AuthenticationFailed
        return caller, scheme.lower()

    def authenticate_header(self, request: Request) -> str:
        """What WWW-Authenticate says with a 401."""
        return CHALLENGE

    def without_credentials(self, request: Request) -> tuple[Any, Any] | None:
        """Nobody."""
        return None

    def _basic(self, request: Request, encoded: str) -> Client | AbstractBaseUser | None:
        pair = _decoded(encoded)
        if pair is None:
            return None
        name, secret = pair
        address = client_address(request._request)
        attempts = _attempts.first(attempt_key(name, address))
        locked = attempts is not None and _locked(attempts)
        client = client_by_secret(name, secret)
        if client is None or locked:
            return self.no_client(request, name, secret, locked=locked)
        if attempts is not None:
            login_succeeded(username=name, address=address)
        return client

    def no_client(
        self,
        request: Request,
        name: str,
        secret: str,
        *,
        locked: bool,
    ) -> AbstractBaseUser | None:
        """A wrong log-in is counted: twenty in a row lock this id from this address (docs/security.md, S19)."""
        if not locked:
            login_failed(username=name, address=client_address(request._request))
        return None


class MonitoringAuthentication(CallerAuthentication):
    """Clients, people by Basic (their password), and the console's session for the documentation pages."""

    def no_client(
        self,
        request: Request,
        name: str,
        secret: str,
        *,
        locked: bool,
    ) -> AbstractBaseUser | None:
        """It may be a person's name and password; this takes as long whoever it is."""
        return person_by_password(request._request, name, secret)

    def without_credentials(self, request: Request) -> tuple[Any, Any] | None:
        """The session's user, who has to show the CSRF token where something changes."""
        return SessionAuthentication().authenticate(request)


def _locked(attempts: LoginAttempt) -> bool:
    """Only the lock counts for machines, not the pauses before it: a caller that retries is no attacker yet."""
    until = attempts.blocked_until
    return attempts.failures >= LOCKING_FAILURES and until is not None and until > timezone.now()


def _decoded(encoded: str) -> tuple[str, str] | None:
    """Name and secret of a Basic header; None where it is none."""
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    name, colon, secret = text.partition(":")
    if not colon or not name or len(name) > LONGEST_NAME or "\0" in text:
        return None
    return name, secret


def client_by_secret(client_id: str, secret: str) -> Client | None:
    """The enabled client with this id and secret; an unknown id takes as long as a known one."""
    client = _clients.first(client_id)
    right = _hasher.verify(secret, client.secret_hash if client and client.secret_hash else _NOBODYS)
    return client if right and client is not None and client.secret_hash and client.enabled else None


def client_by_token(token: str) -> Client | None:
    """The enabled client whose application holds this access token, unexpired and for flows."""
    checksum = hashlib.sha256(token.encode()).hexdigest()
    found = get_access_token_model().objects.filter(token_checksum=checksum).first()
    if found is None or found.application_id is None or not found.is_valid([SCOPE]):
        return None
    return (
        Client.objects.select_related("user")
        .filter(application_id=found.application_id, enabled=True)
        .first()
    )


def client_by_api_key(key: str) -> Client | None:
    """The enabled client with this API key."""
    digest = api_key_digest(key)
    client = _clients_by_key.first(digest)
    return client if client is not None and constant_time_compare(client.api_key_hash, digest) else None


def client_of(request: Request) -> Client | None:
    """The calling client, None for a person."""
    caller: Any = request.user
    return caller if isinstance(caller, Client) else None


def person_of(request: Request) -> User | None:
    """Whose permissions count on the monitoring API: the person's, or the client's user's."""
    caller: Any = request.user
    if isinstance(caller, Client):
        return caller.user
    return caller if isinstance(caller, User) else None


def actor_of(request: Request) -> str:
    """What the audit trail calls the caller."""
    caller: Any = request.user
    return str(caller.client_id if isinstance(caller, Client) else caller.get_username())
