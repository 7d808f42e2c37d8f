"""REST: operations of an HTTP target, called one at a time over pooled connections."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

from integrations.adapters.contract import CHUNK, Caller, Endpoint, Reader, Request, Response, TestStep
from integrations.adapters.errors import BadName, Misconfigured, Refused
from integrations.adapters.http_session import session_for
from integrations.adapters.openapi import operations_in
from integrations.adapters.rest_answers import http_errors, read_body, refused
from integrations.adapters.rest_auth import NONE, auth_headers, kind_of, token_rejected
from integrations.adapters.rest_settings import (
    REST_FIELDS,
    largest_answer,
    operations_of,
    path_names,
    settings_problems,
)
from integrations.adapters.steps import Steps
from integrations.adapters.web_steps import address_steps

_UNAUTHORIZED, _NOT_ALLOWED, _NOT_UP = 401, (401, 403, 407), 500
_OURS = ("authorization", "host", "content-length", "transfer-encoding", "connection")


class Rest(Caller):
    """Operations of an HTTP target; the URL and each operation's method and path are settings."""

    name = "rest"
    label = "REST"
    fields = REST_FIELDS

    def __init__(self, endpoint: Endpoint) -> None:
        """Nothing is connected yet; raises Misconfigured where settings cannot work."""
        super().__init__(endpoint)
        self.url = str(endpoint.settings.get("url") or "").rstrip("/")
        self._operations = operations_of(endpoint)

    @classmethod
    def problems(cls, endpoint: Endpoint) -> list[str]:
        """What is wrong with these settings, a sentence each."""
        return settings_problems(endpoint)

    def operations(self) -> dict[str, str]:
        """Name → `METHOD path`."""
        return {name: f"{method} {path}" for name, (method, path) in self._operations.items()}

    def invoke(self, request: Request) -> Response:
        """Call one operation; a token that is no longer taken is renewed once. Refused unless 2xx."""
        if request.operation not in self._operations:
            raise Misconfigured(
                f"{self.endpoint.name} has no operation {request.operation!r}",
                hint=f"Add it to the connection's operations; it has {', '.join(self._operations) or 'none'}.",
            )
        method, path = self._operations[request.operation]
        return self._with_token(method, self.url + fill_path(path, request.path_values), request)

    def catalog_operations(self) -> dict[str, str]:
        """`METHOD path` → operation id, from the connection's catalog URL; {} where it has none."""
        url = self.endpoint.catalog_url
        if not url:
            return {}
        shows_who = _origin(url) == _origin(self.url)  # credentials go to the target, not to another host
        answer = self._with_token("GET", url, Request("catalog"), shows_who=shows_who)
        return operations_in(answer.body, self.url)

    def test(self) -> list[TestStep]:
        """Resolve, connect, TLS, log in, call the health path, read the catalog."""
        steps = Steps()
        with steps.until_failure():
            address_steps(self.endpoint, self.url, steps)
            if kind_of(self.endpoint) != NONE:
                with steps.step("Log in") as said:
                    auth_headers(self.endpoint)
                    said.append(kind_of(self.endpoint))
            with steps.step("Call") as said:
                said.append(self._probe())
            if self.endpoint.catalog_url:
                with steps.step("Read catalog") as said:
                    said.append(f"{len(self.catalog_operations())} operations")
        return steps.done

    def _probe(self) -> str:
        """GET the health path. Without one, any answer of the base URL that is no log-in or server error will do."""
        path = str(self.endpoint.settings.get("health_path") or "")
        url = self.url + path
        try:
            answer = self._with_token("GET", url, Request("health"))
        except Refused as error:
            if path or error.status in _NOT_ALLOWED or error.status >= _NOT_UP:
                raise
            return f"GET {url} answered {error.status}: it is up (set a health path to test more)"
        return f"GET {url} answered {answer.status}"

    def _with_token(self, method: str, url: str, request: Request, *, shows_who: bool = True) -> Response:
        """The call, and once more with a new token where the first was refused with 401."""
        shown = auth_headers(self.endpoint) if shows_who else {}
        try:
            return self._call(method, url, request, shown)
        except Refused as error:
            once = error.status != _UNAUTHORIZED or request.stream is not None or not shows_who
            if once or not token_rejected(self.endpoint, shown):
                raise
        return self._call(method, url, request, auth_headers(self.endpoint))

    def _call(self, method: str, url: str, request: Request, shown: Mapping[str, str]) -> Response:
        what, endpoint = f"{method} {url}", self.endpoint
        with _sending(request) as data, http_errors(endpoint, what):
            answer = session_for(endpoint).request(
                method,
                url,
                params=dict(request.query),
                data=data,
                headers={**_headers(request), **shown},
                timeout=(endpoint.connect_timeout, endpoint.read_timeout),
                allow_redirects=False,
                stream=True,
            )
            with answer:
                if not 200 <= answer.status_code < 300:  # noqa: PLR2004  (the class of successes)
                    raise refused(answer, endpoint, what)
                body = read_body(answer, endpoint, largest_answer(endpoint), what)
        return Response(answer.status_code, answer.headers, body, method, url)


def fill_path(path: str, values: Mapping[str, str]) -> str:
    """The path with each {name} replaced by its value, percent-encoded whole; Misconfigured or BadName."""
    filled = {}
    for name in path_names(path):
        value = str(values.get(name, ""))
        if name not in values:
            raise Misconfigured(f"The path {path} needs a value for {{{name}}}, which the flow does not give")
        if value in ("", ".", ".."):
            raise BadName(f"{name} is {value!r}, which cannot stand in the path {path}")
        filled[name] = quote(value, safe="")
    return path.format_map(filled)


def _headers(request: Request) -> dict[str, str]:
    """The request's own headers; those that are the connection's to set are Misconfigured."""
    for name in request.headers:
        if name.lower() in _OURS:
            raise Misconfigured(f"The header {name} is set by the connection, not by a flow")
    headers = {"Accept": "application/json", "User-Agent": "Busbar", **request.headers}
    if request.body is not None or request.stream is not None:
        headers["Content-Type"] = request.content_type
    return headers


@contextmanager
def _sending(request: Request) -> Iterator[bytes | Iterator[bytes] | None]:
    """The body to send; what a stream raises while it is read comes out as it is, not as the target's fault."""
    if request.stream is None:
        yield request.body
        return
    stream = _Stream(request.stream)
    try:
        yield stream.chunks()
    except Exception as error:
        if stream.failure is not None and error is not stream.failure:
            raise stream.failure from error
        raise


class _Stream:
    """A Reader as chunks, which remembers how it failed."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.failure: Exception | None = None

    def chunks(self) -> Iterator[bytes]:
        """Chunks to the end."""
        try:
            while chunk := self._reader.read(CHUNK):
                yield chunk
        except Exception as error:
            self.failure = error
            raise


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
