"""Mail against a real SMTP server."""

import socket

import pytest

from demo.mail import MailServer
from integrations.adapters import adapter_class, open_adapter
from integrations.adapters.contract import Endpoint
from integrations.adapters.errors import (
    AddressRefused,
    CertificateRefused,
    Dropped,
    LoginRefused,
    Misconfigured,
    NotPermitted,
    TimedOut,
    Unreachable,
)
from integrations.adapters.mail import Mail
from tests.contracts.certificates import make

MAIL = {
    "sender": "hub@example.org",
    "recipients": ["ops@example.org", "more@example.org"],
    "subject": "Zählerstände: 2 files transferred",
    "body": "Grüße\n\n.a line with a dot\n",
    "headers": {"X-Busbar-Kind": "process-complete", "Message-ID": "<17.1@busbar>"},
}


@pytest.fixture
def server():
    with MailServer(slow_seconds=30) as found:
        yield found


def endpoint(server, secrets=None, **changes):
    settings = {"host": server.host, "port": server.port, **changes.pop("settings", {})}
    return Endpoint("Mail", "mail", settings, secrets or {}, **{"read_timeout": 5.0, **changes})


def send(found, **changes):
    with Mail(found) as mailer:
        mailer.send(**{**MAIL, **changes})


def test_a_mail_arrives_whole(server):
    send(endpoint(server))
    (mail,) = server.received()
    assert mail["recipients"] == MAIL["recipients"]
    assert (mail["subject"], mail["body"]) == (MAIL["subject"], MAIL["body"])
    assert mail["headers"]["X-Busbar-Kind"] == "process-complete"
    assert mail["headers"]["Message-ID"] == "<17.1@busbar>"
    assert mail["headers"]["Date"]


def test_a_url_says_where(server):
    send(Endpoint("Mail", "mail", {"url": server.url}))
    assert len(server.received()) == 1


def test_mails_are_kept_as_files_too(tmp_path):
    with MailServer(tmp_path / "mails") as server:
        send(endpoint(server))
    (path,) = (tmp_path / "mails").iterdir()
    assert b"X-Busbar-Kind: process-complete" in path.read_bytes()


@pytest.mark.parametrize("changes", [{"subject": "a\nBcc: x@y"}, {"headers": {"X-A": "b\r\nBcc: x@y"}}])
def test_line_breaks_do_not_get_into_headers(server, changes):
    with pytest.raises(Misconfigured):
        send(endpoint(server), **changes)
    assert server.received() == []


def test_a_server_that_is_down_was_sent_nothing():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        settings = {"host": "127.0.0.1", "port": held.getsockname()[1]}
        with pytest.raises(Unreachable) as raised:
            send(Endpoint("Mail", "mail", settings))
    assert (raised.value.passing, raised.value.sent) == (True, False)


def test_a_server_that_closes_at_once_is_unreachable(server):
    server.fail("down", 1)
    with pytest.raises(Unreachable):
        send(endpoint(server))
    send(endpoint(server))
    assert len(server.received()) == 1


def test_a_server_that_is_slow_is_timed_out(server):
    server.fail("slow", 1)
    with pytest.raises(TimedOut) as raised:
        send(endpoint(server, read_timeout=0.3))
    assert raised.value.sent


@pytest.mark.parametrize(("mode", "passing"), [("400", True), ("500", False)])
def test_a_refusal_for_now_is_passing_one_for_good_is_not(server, mode, passing):
    server.fail(mode, 1)
    with pytest.raises(NotPermitted) as raised:
        send(endpoint(server))
    assert (raised.value.passing, "as told" in raised.value.detail) == (passing, True)
    assert server.received() == []


def test_a_mail_taken_before_the_line_breaks_may_have_been_sent(server):
    server.fail("cut", 1)
    with pytest.raises(Dropped) as raised:
        send(endpoint(server))
    assert (raised.value.passing, raised.value.sent) == (True, True)
    assert len(server.received()) == 1


def test_a_log_in_is_made_and_a_wrong_one_refused_without_showing_it():
    with MailServer(users={"hub": "right-password"}) as server:
        send(endpoint(server, {"password": "right-password"}, settings={"user": "hub"}))
        with pytest.raises(LoginRefused) as raised:
            send(endpoint(server, {"password": "wrong-password"}, settings={"user": "hub"}))
        with pytest.raises(NotPermitted):
            send(endpoint(server))
    assert "wrong-password" not in str(vars(raised.value))
    assert len(server.received()) == 1


def test_starttls_checks_the_certificate(tmp_path):
    pair = make()
    with MailServer(certificate=pair.file(tmp_path / "mail.pem"), users={"hub": "right-password"}) as server:
        secrets, settings = {"password": "right-password"}, {"tls": "starttls", "user": "hub"}
        with pytest.raises(CertificateRefused):
            send(endpoint(server, secrets, settings=settings))
        send(endpoint(server, secrets, settings=settings, trust=(pair.certificate,)))
    assert len(server.received()) == 1


def test_starttls_at_a_server_without_it_is_said_so(server):
    with pytest.raises(Misconfigured, match="does not offer"):
        send(endpoint(server, settings={"tls": "starttls"}))


def test_metadata_addresses_are_refused():
    with pytest.raises(AddressRefused):
        send(Endpoint("Mail", "mail", {"host": "169.254.169.254"}))


def test_test_sends_nothing(server):
    with open_adapter(endpoint(server)) as mailer:
        steps = mailer.test()
    assert [(step.what, step.ok) for step in steps] == [
        ("Resolve name", True), ("Connect", True), ("Say NOOP", True),
    ]  # fmt: skip
    assert server.received() == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "neither a URL nor a host"),
        ({"url": "http://x"}, "begins with 'http'"),
        ({"url": "smtp://user:secret@x"}, "password in it"),
        ({"host": "x", "port": "0"}, "1 to 65535"),
        ({"host": "x", "tls": "maybe"}, "'maybe'"),
    ],
)
def test_settings_that_cannot_work_are_named(given, said):
    problems = adapter_class("mail").problems(Endpoint("Mail", "mail", given))
    assert any(said in problem for problem in problems), problems
    assert "secret" not in "".join(problems)
