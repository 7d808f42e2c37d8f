"""Keeping an endpoint's secrets out of texts and bodies that others wrote (security case S14).

A target may echo what it was sent, an error page the header it did not like.
"""

import base64

from integrations.adapters.contract import Endpoint

SHORTEST = 4  # shorter secrets would blank out ordinary words
MASK = "•••"


def scrub(text: str, endpoint: Endpoint) -> str:
    """The text with every secret of the endpoint masked, plain or as HTTP Basic carries it."""
    for secret in _spellings(endpoint):
        text = text.replace(secret, MASK)
    return text


def scrub_bytes(content: bytes, endpoint: Endpoint) -> bytes:
    """The same for bytes in UTF-8."""
    for secret in _spellings(endpoint):
        content = content.replace(secret.encode(), MASK.encode())
    return content


def _spellings(endpoint: Endpoint) -> list[str]:
    user = str(endpoint.settings.get("user", ""))
    found = []
    for secret in endpoint.secrets.values():
        if len(secret) >= SHORTEST:
            found.append(secret)
            found.append(base64.b64encode(f"{user}:{secret}".encode()).decode())
    return sorted(found, key=len, reverse=True)
