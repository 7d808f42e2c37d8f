"""Object storage on the loopback address in OCI's native dialect: signatures checked, objects on disk, faults."""

import ssl
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from demo.faults import MODES, Faults
from demo.oci_bucket import Bucket
from demo.oci_calls import Calls, Operation
from demo.oci_http import Server
from demo.oci_messages import Reply, Request, refusal
from demo.oci_signature import Account, Refusal, Signed, check_body, new_account, signer_of

_ERRORS = {
    "401": Refusal(401, "NotAuthenticated", "The signature is refused, as the store was told to"),
    "400": Refusal(400, "InvalidParameter", "The request is refused, as the store was told to"),
    "500": Refusal(500, "InternalServerError", "The store failed, as it was told to"),
    "full": Refusal(400, "QuotaExceeded", "The quota is used up, as the store was told to say"),
}


class OciServer:
    """The native endpoint of one namespace. Port 0 takes a free one.

    Modes of `fail`: down, slow (waits `slow_seconds`), 401, 400, 500, full, cut (the connection breaks halfway
    through what is sent either way, or before the answer where there is neither), lost (done, but never answered).
    """

    def __init__(
        self,
        folder: Path,
        buckets: Iterable[str] = (),
        *,
        namespace: str = "utility",
        accounts: Iterable[Account] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        certificate: Path | None = None,
        page: int = 1000,
        slow_seconds: float = 5.0,
    ) -> None:
        """`folder` holds the objects' bytes; `accounts`: who may sign, one that may write is made where none is given.

        `certificate`: PEM with its key, for TLS; `page`: the most that one listing shows.
        """
        self.accounts = list(accounts) or [new_account()]
        self.host, self.port, self.namespace = host, port, namespace
        self.slow_seconds, self.clock_off = slow_seconds, timedelta()
        self.buckets = {name: Bucket(name, folder / name) for name in buckets}
        self._calls = Calls(namespace, self.buckets, page=page)
        self._signers = {account.key_id: account for account in self.accounts}
        self._context = _context(certificate)
        self._faults, self._only = Faults((*MODES, "full", "lost")), ""
        self._log: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The endpoint, without a slash at the end."""
        return f"http{'s' if self._context else ''}://{self.host}:{self.port}"

    def start(self) -> Self:
        """Listen; from here on `port` is the real one."""
        self._server = Server((self.host, self.port), self, self._context)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="demo-oci", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, close what is open; harmless twice."""
        self.stopping.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.hang_up()
            self._server.server_close()
        self._server = self._thread = None
        self.stopping.clear()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def admit(self, account: Account) -> None:
        """One more who may sign."""
        self._signers[account.key_id] = account

    def fail(self, mode: str, times: int | None = None, *, operation: str = "") -> None:
        """Fail the next `times` requests (all, where None); ValueError for an unknown mode.

        `operation`: only those, as the API calls them, e.g. CommitMultipartUpload.
        """
        self._only = operation
        self._faults.set(mode, times)

    def received(self) -> list[dict[str, Any]]:
        """Every request, oldest first: at, operation (as the API calls it), bucket, key, size, status, fault."""
        with self._lock:
            return list(self._log)

    def reset(self, *, files: bool = False) -> None:
        """Work again, forget what was received; with `files`, empty its buckets as well."""
        self._faults.clear()
        if files:
            for bucket in self.buckets.values():
                bucket.clear()
        with self._lock:
            self._log.clear()

    # -- for the handler ---------------------------------------------------------------------------------

    def fault(self, operation: Operation) -> str:
        """The fault that strikes this request."""
        return "" if self._only not in ("", operation.name) else self._faults.take()

    def operation(self, method: str, target: str) -> Operation:
        """What is asked for."""
        return self._calls.operation(method, target)

    def answer(self, operation: Operation, request: Request, fault: str) -> Reply:
        """What the fault says, else what the service says."""
        try:
            if fault in _ERRORS:
                raise _ERRORS[fault]
            self._check(operation, request)
            return self._calls.answer(operation, request)
        except Refusal as error:
            return refusal(error)
        except (KeyError, ValueError, TypeError) as error:
            return refusal(Refusal(400, "InvalidParameter", f"{type(error).__name__}: {error}"))

    def _check(self, operation: Operation, request: Request) -> None:
        has_body = request.method in ("POST", "PUT", "PATCH") and not operation.takes_file
        signed = Signed(request.method, request.target, request.headers, has_body)
        account = signer_of(signed, self._signers, datetime.now(UTC) + self.clock_off)
        if has_body:
            check_body(request.headers, request.document)
        if account.read_only and request.method not in ("GET", "HEAD"):
            raise Refusal(
                404, "NotAuthorizedOrNotFound", "Authorization failed or requested resource not found"
            )

    def note(self, operation: Operation, size: int, status: int | None, fault: str) -> None:
        """Keep it for `received`."""
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "operation": operation.name,
            "bucket": operation.bucket,
            "key": operation.key,
        }
        with self._lock:
            self._log.append({**entry, "size": size, "status": status, "fault": fault})


def _context(certificate: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
