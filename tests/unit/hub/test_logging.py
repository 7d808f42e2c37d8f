"""Logs: one line an event, without secrets (S14)."""

import io
import json
import logging
import logging.config

import pytest
import structlog

from hub.logging import MASK, logging_config, masked

CANARY = "canary-7f3e-secret"


@pytest.fixture
def lines():
    """What the root logger writes, as the JSON it is."""
    config = logging_config(form="json", level="INFO")
    stream = io.StringIO()
    config["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(config)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.config.dictConfig(logging_config(form="text", level="INFO"))


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "Authorization",
        "api_key",
        "X-Api-Key",
        "client_secret",
        "HUB_FERNET_KEYS",
        "passphrase",
        "cookie",
    ],
)
def test_a_value_is_masked_by_its_name(name):
    assert masked({name: CANARY, "nested": [{name: CANARY}]}) == {name: MASK, "nested": [{name: MASK}]}


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Basic {CANARY}",
        f"Bearer {CANARY}",
        f"password={CANARY}&x=1",
        f'{{"client_secret": "{CANARY}"}}',
        f"sftp://ccs:{CANARY}@127.0.0.1/",
        f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----",
    ],
)
def test_a_value_is_masked_by_its_shape_in_a_text(text):
    assert CANARY not in masked(text)


def test_what_is_no_secret_is_left_alone():
    event = {
        "flow": "OUTL-BA-CCS_DACS_CUST_SYNC_FTP",
        "size": 17,
        "ok": True,
        "token_type": "Bearer",
        "password": "",
    }
    assert masked(event) == event


def test_bytes_and_bottomless_values_do_not_flood_the_log():
    endless: list[object] = []
    endless.append(endless)
    assert masked(b"x" * 100) == "<100 bytes>"
    assert "…" in str(masked(endless))


def test_an_event_is_one_line_of_json_with_its_fields(lines):
    structlog.get_logger("hub.test").info("instance ended", flow="X", password=CANARY)
    assert [(line["event"], line["flow"], line["level"], line["password"]) for line in lines()] == [
        ("instance ended", "X", "info", MASK)
    ]


def test_a_library_s_message_is_masked_too(lines):
    logging.getLogger("some.library").warning("login with password=%s failed", CANARY)
    assert CANARY not in json.dumps(lines())
    assert len(lines()) == 1


def test_a_secret_in_a_traceback_is_masked(lines):
    try:
        raise ValueError(f"cannot use Bearer {CANARY}")
    except ValueError:
        structlog.get_logger("hub.test").exception("it failed")
    assert "ValueError" in lines()[0]["exception"]
    assert CANARY not in json.dumps(lines())


def test_an_unknown_form_is_refused_by_name():
    with pytest.raises(ValueError, match="HUB_LOG_FORMAT is 'xml'"):
        logging_config(form="xml", level="INFO")
