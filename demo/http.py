"""Small HTTP applications on the loopback address: what the REST neighbours and their control are made of."""

import json
import socket
import struct
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: the caller sees a reset, not an end
_BODY_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came: header names in lower case, body whole."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """The body as JSON; ValueError where it is none."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back: `body` becomes JSON."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The bytes of the body."""
        return json.dumps(self.body).encode()


class HttpServer(ABC):
    """An HTTP server in threads; a subclass says what it answers. Port 0 takes a free one."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Nothing listens before `start`."""
        self.host = host
        self.port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> Self:
        """Listen; from here on `port` is the real one."""
        self._server = _Server((self.host, self.port), self)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name=type(self).__name__,
            daemon=True,
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening; harmless twice."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def refuses_connection(self) -> bool:
        """Whether the connection that has just come is closed without a word."""
        return False

    def answer(self, call: Call) -> tuple[Answer, bool]:
        """The answer, and whether the connection breaks halfway through it."""
        return self.handle(call), False

    @abstractmethod
    def handle(self, call: Call) -> Answer:
        """What this application does with a call."""


def problem(status: int, detail: str) -> dict[str, Any]:
    """An error body: httpStatus, title, detail."""
    return {"httpStatus": status, "title": HTTPStatus(status).phrase, "detail": detail}


class _Server(ThreadingHTTPServer):
    """Threads that end with the server, connections that can be cut."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], application: HttpServer) -> None:
        self.application = application
        super().__init__(address, _Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        if not self.application.refuses_connection():
            return True
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        return False

    def shutdown_request(self, request: Any) -> None:
        linger = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        if linger == _RESET_ON_CLOSE:
            request.close()
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is its own affair; anything else is printed as usual."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Hands each request to the application; one request a connection, so that a fault meets a call."""

    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 30

    def _serve(self) -> None:
        self.close_connection = True
        answer, breaks = self._answer()
        content = answer.content()
        self.send_response(answer.status)
        for name, value in {
            "Content-Type": "application/json",
            "Connection": "close",
            **answer.headers,
        }.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if breaks:
            content = content[: len(content) // 2]
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  (http.server finds them so)

    def _answer(self) -> tuple[Answer, bool]:
        """What the application answers; a body that is too large is refused, never cut short unseen."""
        if int(self.headers.get("Content-Length") or 0) > _BODY_LIMIT:
            return Answer(413, problem(413, f"The body is larger than {_BODY_LIMIT} bytes")), False
        return self.server.application.answer(self._call())

    def _call(self) -> Call:
        parts = urlsplit(self.path)
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "")
        size = int(self.headers.get("Content-Length") or 0)
        body = self._chunks() if chunked else self._whole(self.rfile.read(size), size)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Call(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)

    def _chunks(self) -> bytes:
        found = bytearray()
        while size := int(self._whole(self.rfile.readline()).split(b";")[0], 16):
            found += self._whole(self.rfile.read(size), size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(found)

    @staticmethod
    def _whole(data: bytes, size: int = 1) -> bytes:
        """The data, where it is all there."""
        if len(data) < size:
            raise ConnectionAbortedError("The caller went away in the middle of its request")
        return data

    def log_message(self, *_: Any) -> None:
        """Nothing on standard error: `received` has it all."""
