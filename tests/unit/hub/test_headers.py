"""Security headers, and pages that ask nothing from outside (S15)."""

import re
from html.parser import HTMLParser

import pytest
from django.urls import reverse


class _Loads(HTMLParser):
    """What a page makes a browser load, and its inline scripts and handlers."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag in ("script", "img", "iframe", "link", "source") and (
            address := found.get("src") or found.get("href")
        ):
            self.addresses.append(address)
        if tag == "script" and "src" not in found and found.get("type") != "application/json":
            self.inline.append(tag)
        self.inline += [name for name in found if re.match(r"on[a-z]+$", name)]


def loads(html: str) -> _Loads:
    page = _Loads()
    page.feed(html)
    return page


def outside(html: str) -> list[str]:
    """Addresses on other hosts."""
    return [address for address in loads(html).addresses if re.match(r"(https?:)?//", address)]


def policy(response) -> dict[str, str]:
    parts = [part.strip().partition(" ") for part in response["Content-Security-Policy"].split(";")]
    return {name: value for name, _, value in parts}


@pytest.mark.django_db
def test_the_console_runs_no_inline_script_and_only_its_own_files(client):
    found = policy(client.get("/admin/login/"))
    assert found["default-src"] == "'none'"
    assert found["script-src"] == "'self' 'unsafe-eval'"
    assert found["frame-ancestors"] == "'none'"


def test_only_the_console_may_evaluate(client):
    assert "script-src" not in policy(client.get("/healthz"))
    assert policy(client.get("/docs/api/"))["script-src"] == "'self'"


def test_every_answer_has_the_other_headers(client):
    for path in ["/healthz", "/docs/api/", "/nowhere"]:
        answer = client.get(path)
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert "camera=()" in answer["Permissions-Policy"]
        assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "name", ["admin:index", "admin:auth_user_changelist", "admin:auth_user_add", "admin:auth_group_add"]
)
def test_pages_of_the_console_keep_to_the_policy(console, name):
    html = console.get(reverse(name)).content.decode()
    assert outside(html) == []
    assert loads(html).inline == []


@pytest.mark.django_db
def test_the_log_in_page_and_the_api_pages_keep_to_it_too(client):
    for path in ["/admin/login/", "/docs/api/"]:
        html = client.get(path).content.decode()
        assert outside(html) == []
        assert loads(html).inline == []


@pytest.mark.django_db
def test_the_api_is_described_in_openapi(client):
    answer = client.get("/docs/api/openapi.json")
    assert answer.json()["openapi"].startswith("3.")
    assert any(path.startswith("/ic/api/integration/") for path in answer.json()["paths"])


def test_the_root_leads_to_the_console(client):
    assert client.get("/")["Location"] == "/admin/"


@pytest.mark.parametrize("path", ["authorize/", "introspect/", "applications/", "register/", "device/"])
def test_of_oauth2_only_the_token_endpoints_have_an_address(client, path):
    assert client.get(f"/o/{path}").status_code == 404
