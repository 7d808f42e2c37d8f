"""What the OCI SDK raises, in the hub's words."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from ssl import SSLError
from typing import Any

from urllib3 import exceptions as wire

from integrations.adapters.contract import Endpoint
from integrations.adapters.errors import (
    AdapterError,
    AlreadyExists,
    Dropped,
    LoginRefused,
    Misconfigured,
    NotFound,
    NotPermitted,
    Refused,
    TargetFull,
    TimedOut,
    Unreachable,
    Unwhole,
)
from integrations.adapters.rest_answers import retry_after
from integrations.adapters.scrub import scrub
from integrations.adapters.tls import BROKEN_OFF, certificate_refused

_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT = 401, 403, 404, 409
_NO_ROOM = (413, 507)
_NOT_PERMITTED = ("NotAuthorizedOrNotFound", "NotAuthorized", "InsufficientServicePermissions")
_OBJECT_GONE = "ObjectNotFound"
_CHECK_LOGIN = (
    "Check tenancy OCID, user OCID and fingerprint, that the key is the user's and active, and this machine's clock "
    "(five minutes off are too many)."
)


@contextmanager
def oci_errors(endpoint: Endpoint, path: str) -> Iterator[None]:
    """What the service or the network says about `path` (bucket, or bucket/object). Needs the SDK."""
    from oci import exceptions as oci  # noqa: PLC0415  (an extra that may be missing: imported where it is used)

    try:
        yield
    except oci.ServiceError as error:
        raise _answer(error, endpoint, path) from error
    except oci.ClientError as error:
        raise Misconfigured(f"{endpoint.name} cannot be used as it is set up", detail=str(error)) from error
    except (oci.BaseRequestException, wire.HTTPError, OSError) as error:
        raise _connection(error, endpoint, path) from error
    except ValueError as error:
        raise Misconfigured(f"{path} cannot be asked for", detail=scrub(str(error), endpoint)) from error


def only_the_object_is_gone(error: NotFound) -> bool:
    """Whether the service said that it was the object, and not its bucket, that is not there."""
    return error.detail.startswith(_OBJECT_GONE)


def _answer(error: Any, endpoint: Endpoint, path: str) -> AdapterError:
    status, code = int(error.status), str(error.code or "")
    detail = _detail(error, code, endpoint)
    if status == _UNAUTHORIZED:
        return LoginRefused(f"{endpoint.name} refuses the signature", detail=detail, hint=_CHECK_LOGIN)
    if status == _FORBIDDEN or code in _NOT_PERMITTED:
        return NotPermitted(
            f"{endpoint.name} does not permit the user to use {path}, or it is not there", detail=detail
        )
    if status == _NOT_FOUND:
        return _gone(code, endpoint, path, detail)
    return _not_done(error, endpoint, path, detail)


def _not_done(error: Any, endpoint: Endpoint, path: str, detail: str) -> AdapterError:
    status, code = int(error.status), str(error.code or "")
    if code == "IfNoneMatchFailed":
        return AlreadyExists(f"{path} is at {endpoint.name} already", detail=detail)
    if status in _NO_ROOM or "Quota" in code or code == "LimitExceeded":
        return TargetFull(f"{endpoint.name} has no room for {path}", detail=detail)
    if "contentmd5" in code.lower():
        return Unwhole(f"{path} did not reach {endpoint.name} as it was sent", detail=detail)
    refused = Refused(
        f"{endpoint.name} answered {status} for {path}: {detail}",
        status=status,
        retry_after=retry_after(error.headers.get("retry-after", "")),
    )
    # Somebody else changes the same object in this moment.
    refused.passing = refused.passing or status == _CONFLICT
    return refused


def _gone(code: str, endpoint: Endpoint, path: str, detail: str) -> AdapterError:
    bucket = path.partition("/")[0]
    if code == "NamespaceNotFound":
        return NotFound(f"There is no such namespace at {endpoint.name} for {path}", detail=detail)
    if code == "BucketNotFound":
        return NotFound(
            f"There is no bucket {bucket} at {endpoint.name}, or the user may not do this there ({path})",
            detail=detail,
            hint="Check the bucket's name and namespace, and the policy of the user's group.",
        )
    return NotFound(f"There is no {path} at {endpoint.name}", detail=detail)


def _detail(error: Any, code: str, endpoint: Endpoint) -> str:
    """The service's own words, and the id its support asks for."""
    words = error.message if isinstance(error.message, str) else json.dumps(error.message, default=str)
    said = f"{code}: {words}" if code else f"{error.status} {words if error.message else ''}".strip()
    return scrub(f"{said} (request {error.request_id})" if error.request_id else said, endpoint)[:1000]


def _connection(error: BaseException, endpoint: Endpoint, path: str) -> AdapterError:
    """What happened below HTTP: our own error, wrapped on its way; silence; TLS; a redirect; a broken line."""
    causes = list(_chain(error))
    for kind, made in (
        (AdapterError, lambda found: found),
        (wire.ConnectTimeoutError, lambda _: Unreachable(f"{endpoint.name} cannot be reached")),
        (wire.ReadTimeoutError, lambda _: _silent(endpoint, path)),
        (TimeoutError, lambda _: _silent(endpoint, path)),
    ):
        if found := next((cause for cause in causes if isinstance(cause, kind)), None):
            return made(found)
    secure = [cause for cause in causes if isinstance(cause, SSLError)]
    if secure and not isinstance(secure[0], BROKEN_OFF):
        return certificate_refused(secure[0], endpoint.name)
    detail = scrub(str(error), endpoint)
    if any(type(cause).__name__ == "TooManyRedirects" for cause in causes):
        return Misconfigured(
            f"{endpoint.name} points elsewhere; redirects are not followed",
            detail=detail,
            hint="Put the final address in the connection.",
        )
    return Dropped(f"{endpoint.name} dropped the connection at {path}", detail=detail)


def _silent(endpoint: Endpoint, path: str) -> TimedOut:
    return TimedOut(f"{endpoint.name} said nothing about {path} for {endpoint.read_timeout:g} s")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all it holds: causes, contexts and arguments, which is where the libraries keep them."""
    todo: list[object] = [error]
    seen: set[int] = set()
    while todo:
        found = todo.pop()
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        todo += [found.__cause__, found.__context__, getattr(found, "reason", None), *found.args]
