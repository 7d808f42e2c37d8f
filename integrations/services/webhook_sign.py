"""Signing webhooks by the Standard Webhooks scheme (standardwebhooks.com, specification 1.0.0).

The receiver computes HMAC-SHA256 over `id.timestamp.body` with the secret, and compares; docs/console/alerts.md shows
how.
"""

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

PREFIX = "whsec_"
KEY_BYTES = 32
OLD_SECRET_LASTS = timedelta(hours=24)


def new_secret() -> str:
    """A random secret, as the scheme writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def rotated(kept: dict[str, Any], secret: str) -> dict[str, Any]:
    """What a rule keeps once it has a new secret: the old one signs too for a day, so that no message is refused."""
    if not kept.get("key"):
        return {"key": secret}
    return {
        "key": secret,
        "old": kept["key"],
        "old_until": (timezone.now() + OLD_SECRET_LASTS).isoformat(),
    }


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the signature in base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signed_headers(kept: dict[str, Any], message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The three headers; with two signatures while an old secret still counts, {} without any secret."""
    until = parse_datetime(kept.get("old_until", "")) if kept.get("old") else None
    keys = [kept.get("key"), kept.get("old") if until and until > now else None]
    timestamp = int(now.timestamp())
    made = [signature(key, message_id, timestamp, body) for key in keys if key]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(made),
    }


def body_bytes(body: dict[str, Any]) -> bytes:
    """The JSON that is signed and sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
