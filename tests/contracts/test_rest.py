"""REST against real HTTP servers, plain and with TLS."""

import gzip
import json
import re
import socket
import ssl
import struct
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response as Answer

from integrations.adapters import adapter_class
from integrations.adapters.contract import Endpoint, Request
from integrations.adapters.errors import (
    AdapterError,
    AddressRefused,
    BadName,
    CertificateRefused,
    Dropped,
    LoginRefused,
    Misconfigured,
    Refused,
    TimedOut,
    Unreachable,
)
from integrations.adapters.openapi import missing_operations
from integrations.adapters.rest import Rest
from tests.contracts.certificates import make

SYNC = {"F1-SyncRequest": {"method": "PATCH", "path": "/rest/apis/sync/{syncRequestId}"}}
PATH = "/ccs/rest/apis/sync/17"


@pytest.fixture(scope="module")
def running():
    with HTTPServer(host="127.0.0.1", threaded=True) as found:
        yield found


@pytest.fixture
def server(running):
    yield running
    running.clear()


def endpoint(url, secrets=None, **changes):
    settings = {"url": f"{url}/ccs", "operations": SYNC, **changes.pop("settings", {})}
    return Endpoint("CCS", "rest", settings, secrets or {}, **{"read_timeout": 5.0, **changes})


def base(server):
    return f"http://127.0.0.1:{server.port}"


def opened(found) -> Rest:
    return Rest(found)


def call(found, *, request=None):
    with opened(found) as adapter:
        return adapter.invoke(request or Request("F1-SyncRequest", {"syncRequestId": "17"}, body=b'{"a":1}'))


def test_an_operation_is_called_with_its_method_path_body_and_type(server):
    server.expect_request(
        PATH, method="PATCH", data=b'{"a":1}', headers={"Content-Type": "application/json"}
    ).respond_with_json({"ok": True}, status=202)
    answer = call(endpoint(base(server)))
    assert (answer.status, json.loads(answer.body)) == (202, {"ok": True})
    assert (answer.method, answer.url) == ("PATCH", f"{base(server)}{PATH}")


def test_query_and_headers_are_sent(server):
    server.expect_request(PATH, query_string={"a": "b c"}, headers={"X-One": "1"}).respond_with_data("")
    request = Request("F1-SyncRequest", {"syncRequestId": "17"}, {"a": "b c"}, {"X-One": "1"})
    assert call(endpoint(base(server)), request=request).status == 200


@pytest.mark.parametrize("value", ["a/b", "../x", "a b", "ä%2F", "?#&", "a..b"])
def test_path_values_are_encoded_whole(server, value):
    seen = []

    def answer(request):
        seen.append(request.environ["RAW_URI"])
        return Answer("")

    server.expect_request(re.compile(".*")).respond_with_handler(answer)
    call(endpoint(base(server)), request=Request("F1-SyncRequest", {"syncRequestId": value}))
    assert seen[0].startswith("/ccs/rest/apis/sync/")
    assert seen[0].count("/") == 5
    assert "?" not in seen[0]


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_path_values_that_would_change_the_path_are_refused(value):
    with pytest.raises(BadName, match="syncRequestId"):
        call(endpoint("http://127.0.0.1:9"), request=Request("F1-SyncRequest", {"syncRequestId": value}))


def test_an_unknown_operation_and_a_missing_value_name_what_is_missing():
    with pytest.raises(Misconfigured, match="no operation 'nope'"):
        call(endpoint("http://127.0.0.1:9"), request=Request("nope"))
    with pytest.raises(Misconfigured, match="syncRequestId"):
        call(endpoint("http://127.0.0.1:9"), request=Request("F1-SyncRequest"))


def test_a_flow_cannot_set_the_connections_own_headers():
    request = Request("F1-SyncRequest", {"syncRequestId": "1"}, headers={"authorization": "x"})
    with pytest.raises(Misconfigured, match="authorization"):
        call(endpoint("http://127.0.0.1:9"), request=request)


# -- who calls -----------------------------------------------------------------------------------------------


def test_basic_bearer_and_api_key_are_shown(server):
    server.expect_request(PATH, headers={"Authorization": "Basic Y2NzOnDDpHNz"}).respond_with_data("basic")
    server.expect_request(PATH, headers={"Authorization": "Bearer tok"}).respond_with_data("bearer")
    server.expect_request(PATH, headers={"X-Key": "k-123"}).respond_with_data("key")
    kinds = {
        "basic": ({"auth": "basic", "user": "ccs"}, {"password": "päss"}),
        "bearer": ({"auth": "bearer"}, {"token": "tok"}),
        "key": ({"auth": "api_key", "api_key_header": "X-Key"}, {"api_key": "k-123"}),
    }
    for expected, (settings, secrets) in kinds.items():
        assert call(endpoint(base(server), secrets, settings=settings)).body == expected.encode()


class TokenServer:
    """A token endpoint and a target that takes the newest token only."""

    def __init__(self, server) -> None:
        self.issued, self.calls, self.taken, self.life = 0, 0, "", 3600.0
        self.forms: list[tuple[Any, dict[str, str]]] = []
        server.expect_request("/token", method="POST").respond_with_handler(self.token)
        server.expect_request(PATH).respond_with_handler(self.target)

    def token(self, request):
        self.issued += 1
        self.forms.append((request.authorization, dict(request.form)))
        self.taken = f"token-{self.issued}"
        return Answer(json.dumps({"access_token": self.taken, "expires_in": self.life}))

    def target(self, request):
        self.calls += 1
        good = request.headers["Authorization"] == f"Bearer {self.taken}"
        return Answer("done" if good else "stale", status=200 if good else 401)


def oauth(server, **settings):
    settings = {
        "auth": "oauth2", "token_url": f"{base(server)}/token", "client_id": "hub", "scope": "all", **settings,
    }  # fmt: skip
    return endpoint(base(server), {"client_secret": "client-secret-1"}, settings=settings)


def test_a_token_is_fetched_once_and_shared(server):
    tokens = TokenServer(server)
    assert [call(oauth(server)).body for _ in range(3)] == [b"done"] * 3
    assert tokens.issued == 1
    authorization, form = tokens.forms[0]
    assert (authorization.username, authorization.password) == ("hub", "client-secret-1")
    assert form == {"grant_type": "client_credentials", "scope": "all"}


def test_the_client_secret_can_go_in_the_body(server):
    tokens = TokenServer(server)
    call(oauth(server, client_secret_in="body"))
    assert tokens.forms[0][1]["client_secret"] == "client-secret-1"


def test_a_token_no_longer_taken_is_renewed_once(server):
    tokens = TokenServer(server)
    call(oauth(server))
    tokens.taken = "revoked"
    assert call(oauth(server)).body == b"done"
    assert (tokens.issued, tokens.calls) == (2, 3)


def test_a_target_that_takes_no_token_is_asked_twice_only(server):
    tokens = TokenServer(server)
    server.clear()
    server.expect_request("/token").respond_with_handler(tokens.token)
    server.expect_request(PATH).respond_with_data("no", status=401)
    with pytest.raises(Refused) as raised:
        call(oauth(server))
    assert (raised.value.status, tokens.issued) == (401, 2)


def test_a_token_is_renewed_before_it_ends(server):
    tokens = TokenServer(server)
    tokens.life = 0.2
    call(oauth(server))
    time.sleep(0.15)
    call(oauth(server))
    assert tokens.issued == 2


def test_many_callers_fetch_one_token(server):
    tokens = TokenServer(server)
    threads = [threading.Thread(target=call, args=(oauth(server),)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tokens.issued == 1


@pytest.mark.parametrize(
    ("status", "body", "kind", "passing"),
    [
        (401, '{"error":"invalid_client"}', LoginRefused, False),
        (503, "", Unreachable, True),
        (200, "<html>", LoginRefused, False),
        (302, "", LoginRefused, False),
    ],
)
def test_no_token_means_nothing_was_sent(server, status, body, kind, passing):
    server.expect_request("/token").respond_with_data(body, status=status)
    with pytest.raises(kind) as raised:
        call(oauth(server))
    assert (raised.value.passing, raised.value.sent) == (passing, False)
    assert "client-secret-1" not in str(vars(raised.value))


# -- what comes back -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "passing"), [(400, False), (404, False), (409, False), (429, True), (503, True)]
)
def test_a_refusal_keeps_status_and_answer_and_names_the_call(server, status, passing):
    server.expect_request(PATH).respond_with_data("no such sync request", status=status)
    with pytest.raises(Refused) as raised:
        call(endpoint(base(server)))
    error = raised.value
    assert (error.status, error.passing, error.sent, error.body) == (
        status,
        passing,
        True,
        b"no such sync request",
    )
    assert error.text.startswith(f"PATCH {base(server)}{PATH} answered {status}")
    assert error.text.endswith("no such sync request")


def test_retry_after_is_read_as_seconds_and_as_a_date(server):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    for value, low, high in (("17", 17, 17), (later, 80, 91), ("soon", None, 0), ("", None, 0)):
        server.clear()
        server.expect_request(PATH).respond_with_data("", status=503, headers={"Retry-After": value})
        with pytest.raises(Refused) as raised:
            call(endpoint(base(server)))
        found = raised.value.retry_after
        assert found == low if low is None or found is None else low <= found <= high


def test_redirects_are_not_followed(server):
    server.expect_request(PATH).respond_with_data("", status=307, headers={"Location": "http://elsewhere/x"})
    with pytest.raises(Refused) as raised:
        call(endpoint(base(server)))
    assert raised.value.status == 307
    assert "http://elsewhere/x" in raised.value.hint


def test_secrets_that_the_target_echoes_are_masked(server):
    echo = "bad header Basic Y2NzOnZlcnktc2VjcmV0 for very-secret"
    server.expect_request(PATH).respond_with_data(echo, status=400)
    settings = {"auth": "basic", "user": "ccs"}
    with pytest.raises(Refused) as raised:
        call(endpoint(base(server), {"password": "very-secret"}, settings=settings))
    everything = f"{raised.value.text}{raised.value.body.decode()}"
    assert "very-secret" not in everything
    assert "Y2NzOnZlcnktc2VjcmV0" not in everything


def test_an_answer_that_is_too_large_is_not_taken(server):
    server.expect_request(PATH).respond_with_data(b"x" * 5000)
    with pytest.raises(AdapterError, match="more than 1000 bytes") as raised:
        call(endpoint(base(server), settings={"max_response_bytes": 1000}))
    assert raised.value.sent


def test_a_compressed_answer_counts_as_what_it_becomes(server):
    bomb = gzip.compress(b"0" * 3_000_000)
    server.expect_request(PATH).respond_with_data(bomb, headers={"Content-Encoding": "gzip"})
    assert len(call(endpoint(base(server))).body) == 3_000_000
    with pytest.raises(AdapterError, match="more than"):
        call(endpoint(base(server), settings={"max_response_bytes": 100_000}))


# -- when it goes wrong --------------------------------------------------------------------------------------


def test_a_target_that_is_down_was_sent_nothing():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable) as raised:
            call(endpoint(f"http://127.0.0.1:{held.getsockname()[1]}"))
    assert (raised.value.passing, raised.value.sent) == (True, False)


def test_a_target_that_is_silent_is_timed_out_and_may_have_it(server):
    release = threading.Event()

    def wait(request):
        release.wait(5)
        return Answer("")

    server.expect_request(PATH).respond_with_handler(wait)
    with pytest.raises(TimedOut) as raised:
        call(endpoint(base(server), read_timeout=0.3))
    release.set()
    assert (raised.value.passing, raised.value.sent) == (True, True)


@contextmanager
def raw_server(serve):
    """A listener that hands each connection to `serve`."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)

        def run():
            try:
                conn, _ = listening.accept()
            except OSError:
                return
            with conn:
                serve(conn)

        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut_after_request(conn):
    conn.recv(65536)
    reset(conn)


def cut_in_answer(conn):
    conn.recv(65536)
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def cut_in_chunks(conn):
    conn.recv(65536)
    conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf")


def not_http(conn):
    conn.recv(65536)
    conn.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")


@pytest.mark.parametrize("serve", [cut_after_request, cut_in_answer, cut_in_chunks, not_http])
def test_a_connection_that_breaks_is_dropped_and_may_have_been_served(serve):
    with raw_server(serve) as url, pytest.raises(Dropped) as raised:
        call(endpoint(url))
    assert (raised.value.passing, raised.value.sent) == (True, True)


def drip(conn):
    conn.recv(65536)
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    try:
        for _ in range(100):
            conn.sendall(b"x" * 100)
            time.sleep(0.05)
    except OSError:
        return


def test_an_answer_that_drips_does_not_hold_a_worker_for_ever():
    began = time.monotonic()
    with raw_server(drip) as url, pytest.raises(TimedOut):
        call(endpoint(url, read_timeout=0.5))
    assert time.monotonic() - began < 4


class Source:
    """A Reader, perhaps one that fails."""

    def __init__(self, *chunks) -> None:
        self.chunks = list(chunks)

    def read(self, size=-1, /):
        found = self.chunks.pop(0) if self.chunks else b""
        if isinstance(found, Exception):
            raise found
        return found


def test_a_stream_is_sent_as_it_is_read(server):
    server.expect_request(PATH, data=b"onetwo").respond_with_data("ok")
    request = Request("F1-SyncRequest", {"syncRequestId": "17"}, stream=Source(b"one", b"two"))
    assert call(endpoint(base(server)), request=request).body == b"ok"


def test_a_stream_that_fails_is_not_the_targets_fault(server):
    server.expect_request(PATH).respond_with_data("ok")
    broken = OSError("the payload store is gone")
    request = Request("F1-SyncRequest", {"syncRequestId": "17"}, stream=Source(b"one", broken))
    with pytest.raises(OSError, match="payload store") as raised:
        call(endpoint(base(server)), request=request)
    assert raised.value is broken


# -- TLS -----------------------------------------------------------------------------------------------------


@contextmanager
def tls_server(pair, tmp_path, *, client_authority=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.file(tmp_path / "server.pem"))
    if client_authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_authority.certificate)
    with HTTPServer(host="127.0.0.1", ssl_context=context, threaded=True) as server:
        server.expect_request(PATH).respond_with_data("secure")
        yield f"https://127.0.0.1:{server.port}"


def test_an_uploaded_certificate_or_authority_is_trusted(tmp_path):
    authority = make("Own CA", authority=True)
    own = make()
    for pair, trust in ((own, own), (make(signer=authority), authority)):
        with tls_server(pair, tmp_path) as url:
            assert call(endpoint(url, trust=(trust.certificate,))).body == b"secure"


def test_a_servers_own_certificate_is_trusted_without_its_authority(tmp_path):
    pair = make(signer=make("Somebody's CA", authority=True))
    with tls_server(pair, tmp_path) as url:
        assert call(endpoint(url, trust=(pair.certificate,))).body == b"secure"


def test_certificates_that_cannot_be_trusted_are_refused_with_the_reason(tmp_path):
    authority = make("Own CA", authority=True)
    other = make("Other CA", authority=True)
    cases = [
        (make(), (), "self-signed", "Upload"),
        (make(), (authority.certificate,), "self-signed", "Upload"),
        (make(signer=authority, days=-1), (authority.certificate,), "expired", "renew"),
        (make("ccs.example", signer=authority), (authority.certificate,), "mismatch", "issued for"),
        (make(signer=other), (authority.certificate,), "issuer", "Upload"),
    ]
    for pair, trust, reason, hint in cases:
        with tls_server(pair, tmp_path) as url, pytest.raises(CertificateRefused, match=reason) as raised:
            call(endpoint(url, trust=trust))
        assert hint in raised.value.hint
        assert not raised.value.sent


def test_a_client_certificate_is_shown(tmp_path):
    authority = make("Client CA", authority=True)
    own, client = make(), make("hub", signer=authority)
    secrets = {"client_certificate": client.certificate, "client_key": client.key}
    with tls_server(own, tmp_path, client_authority=authority) as url:
        assert call(endpoint(url, secrets, trust=(own.certificate,))).body == b"secure"


def test_without_the_client_certificate_it_says_so(tmp_path):
    own = make()
    with (
        tls_server(own, tmp_path, client_authority=make("Client CA", authority=True)) as url,
        pytest.raises((CertificateRefused, Dropped)) as raised,  # its alert may be lost in the reset
    ):
        call(endpoint(url, trust=(own.certificate,)))
    assert "client certificate" in raised.value.hint


def test_https_to_a_plain_server_says_so(server):
    with pytest.raises(CertificateRefused) as raised:
        call(endpoint(base(server).replace("http:", "https:")))
    assert "does not speak TLS" in raised.value.hint


# -- addresses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"])
def test_metadata_services_are_never_reached(host):
    with pytest.raises(AddressRefused):
        call(endpoint(f"http://{host}"))


def test_only_allowed_networks_are_reached(server):
    server.expect_request(PATH).respond_with_data("ok")
    assert call(endpoint(base(server), allowed_networks=("127.0.0.0/8",))).body == b"ok"
    with pytest.raises(AddressRefused, match=r"127\.0\.0\.1"):
        call(endpoint(base(server), allowed_networks=("10.0.0.0/8",)))


def test_proxies_of_the_environment_are_not_used(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.expect_request(PATH).respond_with_data("ok")
    assert call(endpoint(base(server))).body == b"ok"


# -- test, catalog, settings ---------------------------------------------------------------------------------


def test_test_names_each_step(server):
    server.expect_request("/ccs/health").respond_with_data("up")
    settings = {"health_path": "/health", "auth": "basic", "user": "ccs"}
    with opened(endpoint(base(server), {"password": "p"}, settings=settings)) as adapter:
        steps = adapter.test()
    assert [(step.what, step.ok) for step in steps] == [
        ("Resolve name", True), ("Connect", True), ("Log in", True), ("Call", True),
    ]  # fmt: skip


def test_test_stops_at_wrong_credentials_and_shows_the_answer(server):
    server.expect_request("/ccs").respond_with_data("wrong password", status=401)
    with opened(endpoint(base(server))) as adapter:
        last = adapter.test()[-1]
    assert (last.what, last.ok) == ("Call", False)
    assert "401" in last.detail


def test_test_of_a_refused_certificate_says_how_to_trust_it(tmp_path):
    with tls_server(make(), tmp_path) as url, opened(endpoint(url)) as adapter:
        last = adapter.test()[-1]
    assert (last.what, last.ok) == ("Check TLS certificate", False)
    assert "Upload" in last.hint


OPENAPI = {
    "openapi": "3.0.0",
    "servers": [{"url": "https://somewhere/ccs"}],
    "paths": {"/rest/apis/sync/{id}": {"patch": {"operationId": "F1-SyncRequest"}, "parameters": []}},
}
SWAGGER = {"swagger": "2.0", "basePath": "/other", "paths": {"/x": {"get": {}}}}


def test_the_catalog_says_what_is_offered(server):
    server.expect_request("/api.json").respond_with_json(OPENAPI)
    with opened(endpoint(base(server), catalog_url=f"{base(server)}/api.json")) as adapter:
        offered = adapter.catalog_operations()
        assert offered == {"PATCH /rest/apis/sync/{id}": "F1-SyncRequest"}
        assert missing_operations({**adapter.operations(), "X": "GET /x"}, offered) == ["X"]


def test_an_older_catalog_with_a_base_path_is_read(server):
    server.expect_request("/api.json").respond_with_json(SWAGGER)
    with opened(endpoint(base(server), catalog_url=f"{base(server)}/api.json")) as adapter:
        assert adapter.catalog_operations() == {"GET /other/x": ""}


@pytest.mark.parametrize("body", ["openapi: 3.0.0", "[]", '{"paths": 1}'])
def test_what_is_no_catalog_is_said_so(server, body):
    server.expect_request("/api.json").respond_with_data(body)
    with (
        opened(endpoint(base(server), catalog_url=f"{base(server)}/api.json")) as adapter,
        pytest.raises(AdapterError, match="catalog"),
    ):
        adapter.catalog_operations()


def test_a_catalog_on_another_host_gets_no_credentials(server):
    seen = []

    def answer(request):
        seen.append(request.headers.get("Authorization"))
        return Answer(json.dumps(SWAGGER))

    server.expect_request("/api.json").respond_with_handler(answer)
    settings = {"url": "http://localhost:1/ccs", "auth": "basic", "user": "ccs"}
    found = endpoint(
        base(server), {"password": "p"}, settings=settings, catalog_url=f"{base(server)}/api.json"
    )
    with opened(found) as adapter:
        adapter.catalog_operations()
    assert seen == [None]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": ""}, "Base URL is missing"),
        ({"url": "ftp://x"}, "begins with https"),
        ({"url": "https://user:pw@host"}, "fields of their own"),
        ({"url": "https://host?x=1"}, "query"),
        ({"auth": "basic"}, "User is missing"),
        ({"auth": "magic"}, "Authentication is 'magic'"),
        ({"auth": "oauth2", "token_url": "x"}, "Client id is missing"),
        ({"operations": []}, "not a JSON object"),
        ({"operations": {"a": {"method": "FETCH", "path": "/"}}}, "FETCH"),
        ({"operations": {"a": {"method": "GET", "path": "x"}}}, "'x'"),
        ({"operations": {"a": {"method": "GET", "path": "/x?y"}}}, "no query"),
        ({"operations": {"a": {"method": "GET", "path": "/{x"}}}, "braces"),
        ({"max_response_bytes": "many"}, "not a whole number"),
    ],
)
def test_settings_that_cannot_work_are_named(given, said):
    problems = adapter_class("rest").problems(endpoint("https://host", settings=given))
    assert any(said in problem for problem in problems), problems


def test_certificates_that_cannot_be_read_are_named():
    pair = make()
    for changes in (
        {"trust": ("no pem",)},
        {"secrets": {"client_certificate": pair.certificate, "client_key": make().key}},
    ):
        assert adapter_class("rest").problems(endpoint("https://host", **changes))
