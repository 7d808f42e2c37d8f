"""Object storage on the loopback address: moto's S3 behind a check of keys and signatures, and faults.

moto keeps its buckets in the process: two servers in one process have the same ones.
"""

import hmac
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import ThreadedWSGIServer

from demo.faults import MODES, Faults

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_ERRORS = {
    "401": ("403 FORBIDDEN", "SignatureDoesNotMatch", "The signature does not match"),
    "400": ("400 BAD REQUEST", "InvalidRequest", "The request is refused, as the store was told to"),
    "500": ("500 INTERNAL SERVER ERROR", "InternalError", "The store failed, as it was told to"),
}
Environ = dict[str, Any]
Start = Callable[..., Any]


class ObjectServer:
    """An S3 endpoint with one access key. Port 0 takes a free one.

    Modes of `fail`: down, slow (waits `slow_seconds`), 401 (signature refused), 400, 500, cut (the answer breaks
    off halfway, or before its first byte where it has no body).
    """

    def __init__(
        self,
        buckets: Iterable[str] = (),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        access_key: str = "demo",
        secret_key: str = "demo-secret",  # noqa: S107  (a demo's key, on the loopback address)
        region: str = "us-east-1",
        readers: Mapping[str, str] | None = None,
        slow_seconds: float = 5.0,
    ) -> None:
        """`buckets` exist from `start` on; `reset(files=True)` empties them.

        `readers`: further keys, which may only read: access key → secret key.
        """
        self.host, self.port, self.region = host, port, region
        self.access_key, self.secret_key = access_key, secret_key
        self._secrets = {access_key: secret_key, **(readers or {})}
        self.buckets, self.slow_seconds = list(buckets), slow_seconds
        self._application: Callable[[Environ, Start], Iterable[bytes]] = DomainDispatcherApplication(
            create_backend_app
        )
        self._faults = Faults(MODES)
        self._log: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server: ThreadedWSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The endpoint, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def client(self) -> Any:
        """A boto3 client with the right key, for neighbours and tests."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                s3={"addressing_style": "path"},
                proxies={},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def start(self) -> Self:
        """Listen, make the buckets; from here on `port` is the real one."""
        self._stopping.clear()
        server = _Server(self.host, self.port, self._answer, _SilentHandler)
        server.refuses = lambda: bool(self._faults.take("down"))
        self._server, self.port = server, server.port
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="demo-objects",
            daemon=True,
        )
        self._thread.start()
        self._make_buckets()
        return self

    def stop(self) -> None:
        """Stop listening; harmless twice."""
        self._stopping.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def fail(self, mode: str, times: int | None = None) -> None:
        """Fail the next `times` requests (all, where None); ValueError for an unknown mode."""
        self._faults.set(mode, times)

    def received(self) -> list[dict[str, Any]]:
        """Every request, oldest first: at, operation (the method), bucket, key, size, status."""
        with self._lock:
            return list(self._log)

    def reset(self, *, files: bool = False) -> None:
        """Work again, forget what was received; with `files`, empty its buckets as well."""
        self._faults.clear()
        if files:
            self._empty_buckets()
        with self._lock:
            self._log.clear()

    def _empty_buckets(self) -> None:
        client = self.client()
        for bucket in self.buckets:
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for found in page.get("Contents", []):
                    client.delete_object(Bucket=bucket, Key=found["Key"])
        client.close()

    def _make_buckets(self) -> None:
        client = self.client()
        for bucket in self.buckets:
            client.create_bucket(Bucket=bucket)
        client.close()
        with self._lock:
            self._log.clear()

    def _answer(self, environ: Environ, start: Start) -> Iterable[bytes]:
        fault = self._faults.take("slow", "400", "401", "500", "cut")
        if fault == "slow":
            self._stopping.wait(self.slow_seconds)
        refusal = _ERRORS.get(fault) or self._key_refused(environ)
        if refusal:
            self._note(environ, int(refusal[0][:3]))
            return _error(refusal, environ, start)

        def noting(status: str, headers: Any, *more: Any) -> Any:
            self._note(environ, int(status[:3]))
            return start(status, headers, *more)

        body = self._application(environ, noting)
        return _half(b"".join(body), environ) if fault == "cut" else body

    def _note(self, environ: Environ, status: int | None) -> None:
        path = unquote(environ["RAW_URI"].partition("?")[0]).lstrip("/")
        bucket, _, key = path.partition("/")
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "operation": environ["REQUEST_METHOD"],
            "bucket": bucket,
            "key": key,
            "size": int(environ.get("CONTENT_LENGTH") or 0),
            "status": status,
        }
        with self._lock:
            self._log.append(entry)

    def _key_refused(self, environ: Environ) -> tuple[str, str, str] | None:
        """Signature version 4, checked as S3 does; None where it is right."""
        header = environ.get("HTTP_AUTHORIZATION", "")
        kind, _, rest = header.partition(" ")
        given = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        if kind != "AWS4-HMAC-SHA256" or "Credential" not in given:
            return ("403 FORBIDDEN", "AccessDenied", "Anonymous access is refused")
        access_key = given["Credential"].split("/")[0]
        if access_key not in self._secrets:
            return ("403 FORBIDDEN", "InvalidAccessKeyId", "The access key does not exist")
        if not hmac.compare_digest(self._signature(environ, given), given.get("Signature", "")):
            return _ERRORS["401"]
        if access_key != self.access_key and environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return ("403 FORBIDDEN", "AccessDenied", "This key may only read")
        return None

    def _signature(self, environ: Environ, given: dict[str, str]) -> str:
        scope = given["Credential"].split("/")
        signer = S3SigV4Auth(Credentials(scope[0], self._secrets[scope[0]]), scope[3], scope[2])
        url = f"http://{environ['HTTP_HOST']}{environ['RAW_URI']}"
        request = AWSRequest(method=environ["REQUEST_METHOD"], url=url)
        for name in given.get("SignedHeaders", "").split(";"):
            request.headers[name] = _header(environ, name)
        request.context["timestamp"] = _header(environ, "x-amz-date")
        path, _, query = environ["RAW_URI"].partition("?")
        request.url = f"http://{environ['HTTP_HOST']}{path}" + (f"?{query}" if query else "")
        text = signer.string_to_sign(request, signer.canonical_request(request))
        return str(signer.signature(text, request))


class _Server(ThreadedWSGIServer):
    """Closes a connection without a word where it is told to be down."""

    refuses: Callable[[], bool] = bool

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether to serve this connection."""
        if not self.refuses():
            return True
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        return False


class _SilentHandler(MotoRequestHandler):
    """Says nothing on standard error: `received` has it all."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
        """Nothing."""


def _header(environ: Environ, name: str) -> str:
    plain = name.upper().replace("-", "_")
    return str(
        environ.get(plain)
        if plain in ("CONTENT_TYPE", "CONTENT_LENGTH")
        else environ.get(f"HTTP_{plain}", "")
    )


def _error(refusal: tuple[str, str, str], environ: Environ, start: Start) -> Iterable[bytes]:
    status, code, message = refusal
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _half(body: bytes, environ: Environ) -> Iterator[bytes]:
    if body:
        yield body[: len(body) // 2]
    _reset(environ)


def _reset(environ: Environ) -> None:
    """Break the connection; werkzeug takes the error as a client that went away."""
    environ["werkzeug.socket"].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    raise ConnectionResetError
