"""What a REST connection is set up with, checked when it is saved."""

import re
import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from integrations.adapters.contract import Endpoint, Field, missing_fields
from integrations.adapters.errors import AdapterError, Misconfigured
from integrations.adapters.rest_auth import AUTH_FIELDS, auth_problems
from integrations.adapters.tls import client_context

LARGEST_ANSWER = 50 * 1024 * 1024
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
_PATH = re.compile(r"/[^\s?#]*$")

REST_FIELDS = (
    Field("url", "Base URL", required=True, help="e.g. https://host/ccs; operations' paths follow it."),
    *AUTH_FIELDS,
    Field("client_certificate", "Client certificate", secret=True, multiline=True, help="PEM."),
    Field("client_key", "Key of the client certificate", secret=True, multiline=True, help="PEM."),
    Field("client_key_password", "Password of that key", secret=True),
    Field(
        "operations",
        "Operations",
        kind=dict,
        multiline=True,
        help='As JSON, e.g. {"F1-SyncRequest": {"method": "PATCH", "path": "/rest/x/{syncRequestId}"}}.',
    ),
    Field("health_path", "Path that Test calls", help="A GET that changes nothing; empty: the base URL."),
    Field("max_response_bytes", "Largest answer in bytes", kind=int, default=LARGEST_ANSWER),
)


def operations_of(endpoint: Endpoint) -> dict[str, tuple[str, str]]:
    """Operation → (method, path); Misconfigured names the first that is not well-formed."""
    given = endpoint.settings.get("operations")
    if given in (None, ""):
        return {}
    if not isinstance(given, Mapping):
        raise Misconfigured("Operations are not a JSON object", hint='{"name": {"method": …, "path": …}}')
    return {str(name): _operation(str(name), value) for name, value in given.items()}


def _operation(name: str, value: Any) -> tuple[str, str]:
    if not isinstance(value, Mapping):
        raise Misconfigured(f"Operation {name!r} is not an object with method and path")
    method, path = str(value.get("method", "POST")).upper(), str(value.get("path", ""))
    if method not in METHODS:
        raise Misconfigured(f"Operation {name!r} has the method {method!r}; it can be {', '.join(METHODS)}")
    if not _PATH.match(path) or ".." in path.split("/"):
        raise Misconfigured(
            f"Operation {name!r} has the path {path!r}; it begins with /, has no query and does not climb"
        )
    path_names(path)
    return method, path


def path_names(path: str) -> list[str]:
    """The {names} in a path; Misconfigured where the braces do not match."""
    try:
        return [name for _, name, _, _ in string.Formatter().parse(path) if name is not None]
    except ValueError as error:
        raise Misconfigured(f"The braces in {path!r} do not match") from error


def largest_answer(endpoint: Endpoint) -> int:
    """Bytes of an answer that are taken."""
    return int(endpoint.settings.get("max_response_bytes") or LARGEST_ANSWER)


def settings_problems(endpoint: Endpoint) -> list[str]:
    """What is wrong with these settings, a sentence each."""
    found = missing_fields(REST_FIELDS, endpoint) + auth_problems(endpoint)
    for name, label in (("url", "Base URL"), ("token_url", "Token URL")):
        found += url_problems(label, str(endpoint.settings.get(name) or ""))
    for check in (operations_of, client_context):
        try:
            check(endpoint)
        except AdapterError as error:
            found.append(error.text)
    return found


def url_problems(label: str, url: str) -> list[str]:
    """What is wrong with a URL that requests are sent to; [] for an empty one."""
    if not url:
        return []
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        return [f"{label} is {url!r}; it begins with https:// (or http://) and a host"]
    if parts.username or parts.password:
        return [f"{label} has a user or password in it; they have fields of their own"]
    if parts.query or parts.fragment:
        return [f"{label} has a query or fragment in it"]
    return []
