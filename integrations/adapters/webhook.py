"""Webhooks: one POST to an address a person entered, under the rules that connections go by.

The name is resolved once, checked and connected to (addresses.py), redirects are not followed, and the path, which in
chats' webhooks is the secret, is in no error text: these are made of the status, the kind of fault and the host alone,
for what a receiver answers, or a library says, may have the path in any spelling.
"""

from collections.abc import Mapping, Sequence
from http.client import responses
from urllib.parse import SplitResult, urlsplit

from requests import Response

from integrations.adapters.addresses import resolve
from integrations.adapters.contract import Endpoint
from integrations.adapters.errors import AdapterError, AddressRefused, Misconfigured, Refused, Unreachable
from integrations.adapters.http_session import session_for
from integrations.adapters.rest_answers import http_errors, retry_after

LOOPBACK = ("127.0.0.0/8", "::1/128")
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0
_SCHEMES = ("https", "http")
_WITHOUT_TLS = (
    "A webhook without TLS (http://) may go to this machine only, or to networks named in HUB_ALLOWED_NETWORKS;"
    " use https://"
)
_MOVED = "It points to another address; redirects are not followed: put the final address in the rule."
_GONE = "The receiver does not know this address (any more): make a new one there, and put it in the rule."
_HINTS = {
    401: "The receiver does not take this address: make a new one there, and put it in the rule.",
    403: "The receiver does not take this address: make a new one there, and put it in the rule.",
    404: _GONE,
    410: _GONE,
    413: "The receiver does not take messages of this size.",
    429: "The receiver asks for fewer messages: it is tried again later.",
}


def webhook_problems(url: str, allowed: Sequence[str]) -> list[str]:
    """What is wrong with a webhook's URL, a sentence each; `allowed`: HUB_ALLOWED_NETWORKS. Asks no name server."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or any(char.isspace() for char in url):
        return ["The webhook's URL begins with https:// and a host"]
    if parts.username or parts.password:
        return ["The webhook's URL has a user or password in it, which is not sent"]
    return _address_problems(parts, allowed)


def _address_problems(parts: SplitResult, allowed: Sequence[str]) -> list[str]:
    host = str(parts.hostname)
    literal = host == "localhost" or ":" in host or host.replace(".", "").isdigit()
    if parts.scheme == "http" and not (allowed or literal):
        return [_WITHOUT_TLS]
    if literal:
        try:
            resolve(host, 1, timeout=1, allowed=_networks(parts.scheme, allowed))
        except (AddressRefused, Misconfigured, Unreachable) as error:
            return [f"{error.text}. {error.hint}".strip()]
    return []


def _networks(scheme: str, allowed: Sequence[str]) -> tuple[str, ...]:
    """Where such a URL may lead: without TLS to stated networks, and where none are stated to this machine."""
    return tuple(allowed) or (LOOPBACK if scheme == "http" else ())


def webhook_post(url: str, body: bytes, headers: Mapping[str, str], *, allowed: Sequence[str]) -> int:
    """POST a JSON body; the status of an answer of success. AdapterError, Refused with the status of any other."""
    problems = webhook_problems(url, allowed)
    if problems:
        raise Misconfigured(problems[0])
    parts = urlsplit(url)
    what = f"POST {parts.scheme}://{parts.netloc}"
    try:
        return _posted(url, body, headers, _endpoint(parts, allowed), what)
    except AdapterError as error:
        error.detail = f"It was a {type(error.__cause__).__name__}." if error.__cause__ else ""
        raise error from None  # the cause has the whole URL


def _posted(url: str, body: bytes, headers: Mapping[str, str], endpoint: Endpoint, what: str) -> int:
    with http_errors(endpoint, what):
        answer = session_for(endpoint).post(
            url,
            data=body,
            headers={"Content-Type": "application/json", "User-Agent": "Busbar", **headers},
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            allow_redirects=False,
            stream=True,
        )
        with answer:
            if not 200 <= answer.status_code < 300:  # noqa: PLR2004  (the class of successes)
                raise _refused(answer, what)
            return int(answer.status_code)


def _endpoint(parts: SplitResult, allowed: Sequence[str]) -> Endpoint:
    """As an adapter would see it; its "secret" is what follows the host, so that no text shows it."""
    rest = parts.path + (f"?{parts.query}" if parts.query else "")
    return Endpoint(
        name=f"webhook to {parts.netloc}",
        adapter="webhook",
        settings={"url": f"{parts.scheme}://{parts.netloc}"},
        secrets={"path": rest} if len(rest) > 1 else {},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
        allowed_networks=_networks(parts.scheme, allowed),
    )


def _refused(answer: Response, what: str) -> Refused:
    """Its status in the standard's words, and nothing that the receiver wrote but when to try again."""
    status = int(answer.status_code)
    return Refused(
        f"{what} answered {status} {responses.get(status, '')}".rstrip(),
        status=status,
        retry_after=retry_after(answer.headers.get("Retry-After", "")),
        hint=_MOVED if 300 <= status < 400 else _HINTS.get(status, ""),  # noqa: PLR2004  (the class of redirects)
    )
