"""The native object storage server's connections: kept open between requests, broken where a fault says so."""

import socket
import ssl
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from demo.oci_calls import Operation
from demo.oci_messages import Reply, Request

if TYPE_CHECKING:
    from demo.oci import OciServer

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_LARGEST_DOCUMENT = 8 * 1024 * 1024
_CHUNK = 1024 * 1024


class Server(ThreadingHTTPServer):
    """Keeps connections open between requests, and can hang all of them up."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], store: "OciServer", context: ssl.SSLContext | None) -> None:
        self.store, self.context = store, context
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[Any, Any]:
        """With TLS, if any."""
        sock, address = super().get_request()
        if self.context is not None:  # hands are shaken in the connection's own thread
            sock = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        with self._open_lock:
            self._open.add(sock)
        return sock, address

    def shutdown_request(self, request: Any) -> None:
        """At once where the caller is to see a reset."""
        with self._open_lock:
            self._open.discard(request)
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == _RESET_ON_CLOSE:
            request.close()
        else:
            super().shutdown_request(request)

    def hang_up(self) -> None:
        """End every connection; its thread sees the end and goes."""
        with self._open_lock:
            for sock in self._open:
                _end(sock)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is its own affair; anything else is printed as usual."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError | ssl.SSLError):
            super().handle_error(request, client_address)


def _end(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it ended by itself


class _Handler(BaseHTTPRequestHandler):
    """One connection: request after request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server
    timeout = 60

    def _serve(self) -> None:
        store = self.server.store
        operation = store.operation(self.command, self.path)
        fault = store.fault(operation)
        if fault == "down":
            store.note(operation, 0, None, fault)
            self._break()
        if fault == "slow":
            store.stopping.wait(store.slow_seconds)
        size = int(self.headers.get("Content-Length") or 0)
        if fault == "cut" and operation.takes_file and size:
            store.note(operation, size, None, fault)
            self._skip(size // 2)
            self._break()
        request = self._request(operation, size)
        reply = store.answer(operation, request, fault)
        store.note(operation, size, None if fault == "lost" else reply.status, fault)
        if fault == "lost" or (fault == "cut" and not reply.size):
            self._break()
        self._skip(request.stream.left)  # type: ignore[attr-defined]  # it is a _Body
        self._send(reply, cut=fault == "cut")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  (http.server finds them so)

    def _request(self, operation: Operation, size: int) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body: Any = _Body(self.rfile, size)
        document = b"" if operation.takes_file else body.read(min(size, _LARGEST_DOCUMENT))
        return Request(self.command, self.path, headers, body, document)

    def _send(self, reply: Reply, *, cut: bool) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("opc-request-id", f"demo/{id(reply):x}")
        if reply.status != 204:
            self.send_header("Content-Length", str(reply.size))
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(reply, reply.size // 2 if cut else reply.size)
        if cut:
            self._break()

    def _send_body(self, reply: Reply, size: int) -> None:
        if not reply.contents:
            self.wfile.write(reply.document[:size])
            return
        skip, left = reply.span[0], size
        for content in reply.contents:
            count = min(left, content.size - skip)
            if count > 0:
                self._send_file(content.path, skip, count)
                left -= count
            skip = max(0, skip - content.size)

    def _send_file(self, path: Path, first: int, count: int) -> None:
        try:
            file = path.open("rb")
        except FileNotFoundError:  # overwritten since it was asked for
            self._break()
        with file:
            self.connection.sendfile(file, first, count)

    def _skip(self, size: int) -> None:
        while size and (chunk := self.rfile.read(min(size, _CHUNK))):
            size -= len(chunk)

    def _break(self) -> NoReturn:
        """The caller sees a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        raise ConnectionResetError

    def log_message(self, *_: Any) -> None:
        """Nothing on standard error: `received` has it all."""


class _Body:
    """A request's body: ends where the request does."""

    def __init__(self, source: Any, size: int) -> None:
        self._source, self.left = source, size

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; b"" at the end."""
        found: bytes = self._source.read(self.left if size < 0 else min(size, self.left))
        self.left -= len(found)
        return found
