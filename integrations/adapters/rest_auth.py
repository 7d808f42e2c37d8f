"""How a REST call shows who calls: Basic, OAuth2 client credentials, bearer token, API key.

Tokens are shared within the process and renewed shortly before they end, or when a target no longer takes one.
"""

import base64
import json
import threading
import time
from dataclasses import dataclass, field

from integrations.adapters.contract import Endpoint, Field
from integrations.adapters.errors import AdapterError, LoginRefused, Unreachable
from integrations.adapters.http_session import endpoint_key, session_for
from integrations.adapters.rest_answers import http_errors, read_body, refused

NONE, BASIC, OAUTH2, BEARER, API_KEY = "none", "basic", "oauth2", "bearer", "api_key"
KINDS = (NONE, BASIC, OAUTH2, BEARER, API_KEY)
RENEW_BEFORE = 30.0  # seconds before a token's end
SHORTEST_LIFE = 60.0  # seconds, where the answer names none
_LARGEST_TOKEN = 256 * 1024
_TRY_LATER = (408, 429)
_SERVER_ERROR = 500

AUTH_FIELDS = (
    Field("auth", "Authentication", choices=KINDS, default=NONE),
    Field("user", "User", help="For basic."),
    Field("password", "Password", secret=True, help="For basic."),
    Field("token_url", "Token URL", help="For oauth2."),
    Field("client_id", "Client id", help="For oauth2."),
    Field("client_secret", "Client secret", secret=True, help="For oauth2."),
    Field("scope", "Scope", help="For oauth2, where the target wants one."),
    Field(
        "client_secret_in",
        "Client secret is sent",
        choices=("header", "body"),
        default="header",
        help="For oauth2.",
    ),
    Field("token", "Bearer token", secret=True, multiline=True, help="For bearer."),
    Field("api_key_header", "Header of the API key", default="X-API-Key", help="For api_key."),
    Field("api_key", "API key", secret=True, help="For api_key."),
)
_NEEDED = {
    BASIC: ("user", "password"),
    OAUTH2: ("token_url", "client_id", "client_secret"),
    BEARER: ("token",),
    API_KEY: ("api_key",),
}


@dataclass
class _Token:
    """A token, and when (monotonic seconds) it is to be renewed."""

    value: str = ""
    until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


_tokens: dict[str, _Token] = {}
_tokens_lock = threading.Lock()


def kind_of(endpoint: Endpoint) -> str:
    """The connection's kind of authentication."""
    return str(endpoint.settings.get("auth") or NONE)


def auth_problems(endpoint: Endpoint) -> list[str]:
    """What the chosen authentication lacks, a sentence each."""
    labels = {item.name: item for item in AUTH_FIELDS}
    found = []
    for name in _NEEDED.get(kind_of(endpoint), ()):
        given = endpoint.secrets if labels[name].secret else endpoint.settings
        if not given.get(name):
            found.append(f"{labels[name].label} is missing; {kind_of(endpoint)} needs it")
    return found


def auth_headers(endpoint: Endpoint) -> dict[str, str]:
    """The headers that show who calls; fetches a token where one is needed. AdapterError, with sent=False."""
    kind, secrets, settings = kind_of(endpoint), endpoint.secrets, endpoint.settings
    if kind == BASIC:
        return {"Authorization": _basic(str(settings.get("user", "")), secrets.get("password", ""))}
    if kind == BEARER:
        return {"Authorization": f"Bearer {secrets.get('token', '').strip()}"}
    if kind == API_KEY:
        return {str(settings.get("api_key_header") or "X-API-Key"): secrets.get("api_key", "")}
    if kind == OAUTH2:
        return {"Authorization": f"Bearer {_current_token(endpoint)}"}
    return {}


def token_rejected(endpoint: Endpoint, headers: dict[str, str]) -> bool:
    """Forget the token these headers carried; whether a new one may help."""
    if kind_of(endpoint) != OAUTH2:
        return False
    token = _kept(endpoint)
    with token.lock:
        if headers.get("Authorization") == f"Bearer {token.value}":
            token.value, token.until = "", 0.0
    return True


def forget_tokens() -> None:
    """Drop all shared tokens."""
    with _tokens_lock:
        _tokens.clear()


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _kept(endpoint: Endpoint) -> _Token:
    with _tokens_lock:
        return _tokens.setdefault(endpoint_key(endpoint), _Token())


def _current_token(endpoint: Endpoint) -> str:
    """The shared token, or a new one; callers that come meanwhile wait for the one being fetched."""
    token = _kept(endpoint)
    with token.lock:
        if not token.value or time.monotonic() >= token.until:
            try:
                token.value, life = _fetch_token(endpoint)
            except AdapterError as error:
                error.sent = False  # the call itself has not been made
                raise
            token.until = time.monotonic() + max(life - RENEW_BEFORE, life / 2)
        return token.value


def _fetch_token(endpoint: Endpoint) -> tuple[str, float]:
    """Ask the token endpoint (RFC 6749 section 4.4): the token, and its life in seconds."""
    settings = endpoint.settings
    url, client = str(settings.get("token_url", "")), str(settings.get("client_id", ""))
    secret = endpoint.secrets.get("client_secret", "")
    form, headers = {"grant_type": "client_credentials"}, {"Accept": "application/json"}
    if scope := settings.get("scope"):
        form["scope"] = str(scope)
    if settings.get("client_secret_in") == "body":
        form |= {"client_id": client, "client_secret": secret}
    else:
        headers["Authorization"] = _basic(client, secret)
    what = f"POST {url}"
    with (
        http_errors(endpoint, what),
        session_for(endpoint).post(
            url,
            data=form,
            headers=headers,
            timeout=(endpoint.connect_timeout, endpoint.read_timeout),
            allow_redirects=False,
            stream=True,
        ) as answer,
    ):
        if not answer.ok or answer.is_redirect:
            refusal = refused(answer, endpoint, what)
            down = refusal.status in _TRY_LATER or refusal.status >= _SERVER_ERROR
            kind = Unreachable if down else LoginRefused
            raise kind(f"No token for {client!r}: {refusal.text}", hint="Check client id, secret and scope.")
        return _token_in(read_body(answer, endpoint, _LARGEST_TOKEN, what), what)


def _token_in(body: bytes, what: str) -> tuple[str, float]:
    try:
        found = json.loads(body)
        return str(found["access_token"]), float(found.get("expires_in") or SHORTEST_LIFE)
    except (ValueError, KeyError, TypeError) as error:
        raise LoginRefused(
            f"{what} answered with success, but not with a token", hint="Is this the token URL?"
        ) from error
