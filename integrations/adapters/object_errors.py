"""boto's exceptions in the hub's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from ssl import SSLError

from botocore import exceptions as boto

from integrations.adapters.contract import Endpoint
from integrations.adapters.errors import (
    AdapterError,
    Dropped,
    LoginRefused,
    Misconfigured,
    NotFound,
    NotPermitted,
    Refused,
    TargetFull,
    TimedOut,
    Unreachable,
)
from integrations.adapters.scrub import scrub
from integrations.adapters.tls import certificate_refused

_GONE = {"NoSuchKey", "NoSuchBucket", "NoSuchUpload", "NotFound", "BucketNotFound", "ObjectNotFound", "404"}
_LOGIN = {
    "SignatureDoesNotMatch",
    "InvalidAccessKeyId",
    "ExpiredToken",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "AuthorizationHeaderMalformed",
    "NotAuthenticated",
    "401",
}
_FULL = {"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "EntityTooLarge", "507"}
_FORBIDDEN = 403


@contextmanager
def object_errors(endpoint: Endpoint, path: str) -> Iterator[None]:
    """What the store or the network says about `path` (bucket, or bucket/object)."""
    try:
        yield
    except boto.ClientError as error:
        raise _answer(error, endpoint, path) from error
    except (boto.ConnectTimeoutError, boto.EndpointConnectionError) as error:
        raise Unreachable(f"{endpoint.name} cannot be reached", detail=str(error)) from error
    except boto.ReadTimeoutError as error:
        raise TimedOut(
            f"{endpoint.name} said nothing about {path} for {endpoint.read_timeout:g} s"
        ) from error
    except (boto.ParamValidationError, ValueError) as error:
        raise Misconfigured(f"{path} cannot be asked for", detail=str(error)) from error
    except boto.BotoCoreError as error:
        raise _connection(error, endpoint, path) from error


def _connection(error: boto.BotoCoreError, endpoint: Endpoint, path: str) -> AdapterError:
    """What happened below HTTP: our own error, wrapped by botocore on its way; a TLS failure; a broken line."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AdapterError):
            return cause
        if isinstance(cause, SSLError):
            return certificate_refused(cause, endpoint.name)
        cause = cause.__cause__ or cause.__context__
    return Dropped(f"{endpoint.name} dropped the connection at {path}", detail=scrub(str(error), endpoint))


def _answer(error: boto.ClientError, endpoint: Endpoint, path: str) -> AdapterError:
    said = error.response.get("Error", {})
    code, words = str(said.get("Code", "")), scrub(str(said.get("Message", "")), endpoint)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    detail = f"{code}: {words}" if words else code
    if code in _GONE:
        what = "There is no bucket" if "Bucket" in code else "There is no"
        return NotFound(f"{what} {path} at {endpoint.name}", detail=detail)
    if code in _LOGIN:
        return LoginRefused(
            f"{endpoint.name} refuses the access key",
            detail=detail,
            hint="Check access key, secret key, region.",
        )
    if code in _FULL:
        return TargetFull(f"{endpoint.name} has no room for {path}", detail=detail)
    if code == "AccessDenied" or status == _FORBIDDEN:
        return NotPermitted(f"{endpoint.name} does not permit the access key to use {path}", detail=detail)
    return Refused(f"{endpoint.name} answered {status} for {path}: {detail}", status=status)
