"""What comes back from a REST target: read within bounds, and put into words where it is not success."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ssl import SSLError

import requests
from requests import exceptions as http
from urllib3.exceptions import ReadTimeoutError

from integrations.adapters.contract import Endpoint
from integrations.adapters.errors import AdapterError, Dropped, Misconfigured, Refused, TimedOut, Unreachable
from integrations.adapters.scrub import scrub, scrub_bytes
from integrations.adapters.tls import BROKEN_OFF, certificate_refused

REFUSAL_KEPT = 64 * 1024
SHOWN = 500  # characters of an answer that stand in the error's text
_PIECE = 64 * 1024
_HINTS = {
    401: "Check the connection's user, password, key or token.",
    403: "The log-in is good; the target does not allow it this operation.",
    404: "Check the connection's URL and the operation's path.",
    405: "Check the operation's method.",
    413: "The target does not take messages of this size.",
    429: "The target asks for fewer calls: it is tried again later.",
}

_MAYBE_CERTIFICATE = "A target that asks for a client certificate may break off like this where it gets none."


@contextmanager
def http_errors(endpoint: Endpoint, what: str) -> Iterator[None]:
    """requests' exceptions in the hub's words; `what` is `METHOD url`."""
    try:
        yield
    except http.ConnectTimeout as error:
        raise Unreachable(f"{what}: no connection within {endpoint.connect_timeout:g} s") from error
    except http.ReadTimeout as error:
        raise _silent(endpoint, what) from error
    except (http.InvalidURL, http.InvalidSchema, http.MissingSchema, http.InvalidHeader) as error:
        raise Misconfigured(f"{what} cannot be called", detail=scrub(str(error), endpoint)) from error
    except http.RequestException as error:
        if _caused_by(error, ReadTimeoutError, TimeoutError):
            raise _silent(endpoint, what) from error
        detail = scrub(str(error), endpoint)
        if _caused_by(error, SSLError) and not _caused_by(error, *BROKEN_OFF):
            raise certificate_refused(_tls_cause(error), what) from error
        raise Dropped(
            f"{what}: the connection broke before the answer was whole",
            detail=detail,
            hint=_MAYBE_CERTIFICATE if _caused_by(error, *BROKEN_OFF) else "",
        ) from error


def _silent(endpoint: Endpoint, what: str) -> TimedOut:
    return TimedOut(f"{what}: no whole answer within {endpoint.read_timeout:g} s")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all it holds: causes, contexts and arguments, which is where urllib3 keeps them."""
    todo: list[object] = [error]
    seen: set[int] = set()
    while todo:
        found = todo.pop()
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        todo += [found.__cause__, found.__context__, getattr(found, "reason", None)]
        todo += found.args


def _caused_by(error: BaseException, *kinds: type[BaseException]) -> bool:
    return any(isinstance(found, kinds) for found in _chain(error))


def _tls_cause(error: BaseException) -> SSLError:
    found = (cause for cause in _chain(error) if isinstance(cause, SSLError))
    return next(found, SSLError(str(error)))


def read_body(answer: requests.Response, endpoint: Endpoint, limit: int, what: str) -> bytes:
    """The whole body, decompressed, at most `limit` bytes and read_timeout seconds; AdapterError past either."""
    body = bytearray()
    with _deadline(answer, endpoint, what):
        for piece in answer.iter_content(_PIECE):
            body += piece
            if len(body) > limit:
                raise _too_large(what, limit)
    return bytes(body)


@contextmanager
def _deadline(answer: requests.Response, endpoint: Endpoint, what: str) -> Iterator[None]:
    """The block's reading ends after read_timeout seconds in all: the socket's own timeout is for each byte."""
    struck = threading.Event()

    def strike() -> None:
        struck.set()
        with suppress(OSError, ValueError, RuntimeError):  # it may be over in this very moment
            answer.raw.shutdown()

    timer = threading.Timer(endpoint.read_timeout, strike)
    timer.daemon = True
    timer.start()
    try:
        yield
    except http.RequestException as error:
        if struck.is_set():
            raise _silent(endpoint, what) from error
        raise
    finally:
        timer.cancel()
    if struck.is_set():
        raise _silent(endpoint, what)


def _too_large(what: str, limit: int) -> AdapterError:
    error = AdapterError(
        f"{what} answered with more than {limit} bytes",
        hint="Raise the connection's largest answer, or ask the target for less.",
    )
    error.sent = True
    return error


def refused(answer: requests.Response, endpoint: Endpoint, what: str) -> Refused:
    """A non-success answer: its status, the first of its body, when to try again."""
    body = scrub_bytes(_first(answer, endpoint, what), endpoint)
    shown = " ".join(body.decode("utf-8", "replace").split())[:SHOWN]
    text = f"{what} answered {answer.status_code} {answer.reason or ''}".rstrip()
    return Refused(
        f"{text}: {shown}" if shown else text,
        status=answer.status_code,
        body=body,
        retry_after=retry_after(answer.headers.get("Retry-After", "")),
        hint=_hint(answer),
    )


def _first(answer: requests.Response, endpoint: Endpoint, what: str) -> bytes:
    """The first 64 KiB; an answer that breaks off has said its status, and that is what counts."""
    body = bytearray()
    try:
        with _deadline(answer, endpoint, what):
            for piece in answer.iter_content(_PIECE):
                body += piece
                if len(body) >= REFUSAL_KEPT:
                    break
    except (http.RequestException, TimedOut):
        body += b" [the answer broke off]"
    return bytes(body[:REFUSAL_KEPT])


def _hint(answer: requests.Response) -> str:
    if 300 <= answer.status_code < 400:  # noqa: PLR2004  (the class of redirects)
        where = answer.headers.get("Location", "nowhere")
        return f"It points to {where}; redirects are not followed: put the final address in the connection."
    return _HINTS.get(answer.status_code, "")


def retry_after(value: str) -> float | None:
    """Seconds from a Retry-After header, given as seconds or as a date (RFC 9110 section 10.2.3)."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
