"""System checks: a setting that cannot work is said at start, with what to do."""

from dataclasses import replace

import pytest

from integrations import checks
from integrations.engine.registry import coded


def _ids(messages):
    return [message.id for message in messages]


def _all():
    return [
        message
        for check in (
            checks.check_keys,
            checks.check_networks,
            checks.check_queue,
            checks.check_leases,
            checks.check_places,
            checks.check_production,
            checks.check_flows,
        )
        for message in check(None)
    ]


def test_the_settings_as_they_come_have_nothing_wrong():
    assert _all() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("HUB_FERNET_KEYS", ["short"], "integrations.E001"),
        ("HUB_FERNET_KEYS", [], "integrations.E001"),
        ("HUB_ALLOWED_NETWORKS", ["10.0.0.0/99"], "integrations.E002"),
        ("HUB_TRUSTED_PROXIES", ["proxy"], "integrations.E002"),
        ("HUB_LEASE_SECONDS", 20, "integrations.E004"),
        ("HUB_HEARTBEAT_SECONDS", 0, "integrations.E004"),
        ("PAYLOAD_STORE", "ftp://x", "integrations.E005"),
        ("HUB_URL", "hub.example.com", "integrations.E006"),
    ],
)
def test_a_wrong_setting_is_said_with_a_hint(settings, name, value, expected):
    setattr(settings, name, value)
    found = _all()
    assert _ids(found) == [expected]
    assert found[0].hint


@pytest.mark.parametrize(
    "change", [{"max_attempts": 3}, {"ack_failures": False}, {"retry": 10}, {"scheduler": True}], ids=str
)
def test_queue_settings_that_lose_or_repeat_work_are_refused(settings, change):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, **change}
    assert _ids(_all()) == ["integrations.E003"]


def test_a_key_is_not_in_the_message(settings):
    settings.HUB_FERNET_KEYS = ["canary-key"]
    assert "canary-key" not in str(_all())


def test_production_on_sqlite_without_https_is_warned_of(settings):
    settings.EMBEDDED = False
    settings.HUB_URL = "http://hub.example.com"
    settings.DATABASES["default"] = {**settings.DATABASES["default"], "ENGINE": "django.db.backends.sqlite3"}
    assert {"integrations.W001", "integrations.W002"} <= set(_ids(_all()))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"calls": ("NO-SUCH-FLOW",)}, "integrations.E010"),
        ({"aliases": ("OUTL-BA-CCS_DACS_OS_TRANSFER",)}, "integrations.W010"),
    ],
)
def test_a_flow_that_does_not_hold_together_is_said(monkeypatch, change, expected):
    one = (
        "OUTL-BA-DACS_FTP_TRANSFER"  # which answers at the same resource as the flow whose name it takes here
    )
    wrong = [replace(spec, **change) if spec.identifier == one else spec for spec in coded()]
    monkeypatch.setattr(checks, "coded", lambda: wrong)
    assert expected in _ids(_all())


def test_a_broken_mapping_is_said(monkeypatch):
    spec = next(spec for spec in coded() if spec.mapping_names)
    broken = replace(spec)
    broken.__dict__["mappings"] = dict.fromkeys(spec.mapping_names, '{"a": ')
    monkeypatch.setattr(checks, "coded", lambda: [broken, *[other for other in coded() if other is not spec]])
    assert "integrations.E011" in _ids(_all())
