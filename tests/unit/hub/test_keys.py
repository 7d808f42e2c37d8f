"""Rotating the keys of stored secrets."""

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from integrations.crypto import SecretUnreadable
from integrations.models import AlertRule, Connection
from integrations.storage import payload_bytes, payload_put

SECRETS: Any = {"password": "canary"}
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


@pytest.fixture
def connection(db, settings) -> Connection:
    settings.HUB_FERNET_KEYS = [OLD]
    return Connection.objects.create(name="Rotated", adapter="sftp", secrets=SECRETS)


def test_after_rotation_the_old_key_can_go(connection, settings, capsys):
    settings.HUB_FERNET_KEYS = [NEW, OLD]
    call_command("secrets_rotate")
    settings.HUB_FERNET_KEYS = [NEW]
    assert Connection.objects.get(name="Rotated").secrets == {"password": "canary"}
    assert "Under the newest key: secrets of" in capsys.readouterr().out


def test_without_rotation_it_cannot_and_the_error_says_so(connection, settings):
    settings.HUB_FERNET_KEYS = [NEW]
    with pytest.raises(SecretUnreadable, match="not in HUB_FERNET_KEYS"):
        Connection.objects.get(name="Rotated")
    with pytest.raises(CommandError, match="Put that key back"):
        call_command("secrets_rotate")


def test_a_webhooks_address_is_rotated_too(db, settings):
    settings.HUB_FERNET_KEYS = [OLD]
    AlertRule.objects.create(name="R", event="family", webhook_url="https://chat.example.org/canary")
    settings.HUB_FERNET_KEYS = [NEW, OLD]
    call_command("secrets_rotate", stdout=StringIO())
    settings.HUB_FERNET_KEYS = [NEW]
    assert AlertRule.objects.get().webhook_url == "https://chat.example.org/canary"


def test_rotation_leaves_no_trace_in_history(connection, settings):
    before = connection.history.count()
    settings.HUB_FERNET_KEYS = [NEW, OLD]
    call_command("secrets_rotate")
    assert connection.history.count() == before


def test_encrypted_payloads_are_rotated_too(db, settings):
    settings.PAYLOAD_ENCRYPT, settings.HUB_FERNET_KEYS = True, [OLD]
    payload = payload_put(b"a message", content_type="text/plain")
    settings.HUB_FERNET_KEYS = [NEW, OLD]
    call_command("secrets_rotate", stdout=StringIO())
    settings.HUB_FERNET_KEYS = [NEW]
    assert payload_bytes(payload) == b"a message"


def test_a_payload_that_cannot_be_rotated_is_named(db, settings):
    settings.PAYLOAD_ENCRYPT, settings.HUB_FERNET_KEYS = True, [OLD]
    payload = payload_put(b"a message", content_type="text/plain")
    settings.HUB_FERNET_KEYS = [NEW]
    with pytest.raises(CommandError, match=f"keep the older keys:\n{payload.digest[:12]}"):
        call_command("secrets_rotate", stdout=StringIO())
