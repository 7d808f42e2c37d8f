"""An SMTP server on the loopback address that keeps the mails it is given (aiosmtpd)."""

import asyncio
import email
import email.policy
import hmac
import socket
import ssl
import threading
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from demo.faults import Faults

MODES = ("down", "slow", "401", "500", "400", "cut")


class MailServer:
    """Keeps mails in memory and, where given a folder, as .eml files in it. Port 0 takes a free one.

    Modes of `fail`: down (connections are closed at once), slow (waits `slow_seconds` before it takes a mail),
    401 (log-ins refused), 400 (refused for now: 451), 500 (refused for good: 550), cut (the mail is kept, but the
    connection breaks before the sender hears of it).
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        users: Mapping[str, str] | None = None,
        certificate: Path | None = None,
        slow_seconds: float = 5.0,
    ) -> None:
        """`users`: name → password; where given, nobody else can send. `certificate`: PEM with key, for STARTTLS."""
        self.host, self.port, self.folder = host, port, folder
        self.users, self.slow_seconds = dict(users or {}), slow_seconds
        self.faults = Faults(MODES)
        self.context: ssl.SSLContext | None = None
        if certificate is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self._mails: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._controller: _Controller | None = None

    @property
    def url(self) -> str:
        """smtp://host:port"""
        return f"smtp://{self.host}:{self.port}"

    def start(self) -> Self:
        """Listen; from here on `port` is the real one."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
        self._controller = _Controller(self, socket.create_server((self.host, self.port), backlog=64))
        self.port = self._controller.port
        self._controller.start()
        return self

    def stop(self) -> None:
        """Close every connection and stop listening; harmless twice."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def fail(self, mode: str, times: int | None = None) -> None:
        """Fail the next `times` connections, log-ins or mails; all where None. ValueError."""
        self.faults.set(mode, times)

    def received(self) -> list[dict[str, Any]]:
        """Mails, oldest first: at, sender, recipients, subject, headers, body."""
        with self._lock:
            return list(self._mails)

    def reset(self) -> None:
        """Work again, forget the mails; files stay."""
        self.faults.clear()
        with self._lock:
            self._mails.clear()

    # -- called by aiosmtpd --------------------------------------------------------------------------------

    async def handle_MAIL(  # noqa: N802  (aiosmtpd calls it so)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a sender, where it has logged in if it must."""
        if self.users and not session.authenticated:
            return "530 Log in first"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  (aiosmtpd calls it so)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take a mail, or do what the fault says."""
        fault = self.faults.take("slow", "400", "500", "cut")
        if fault == "slow":
            await asyncio.sleep(self.slow_seconds)
        if fault in ("400", "500"):
            return {"400": "451 Try again later, as told", "500": "550 Not taken, as told"}[fault]
        self._keep(envelope)
        if fault == "cut" and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return "250 Taken"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        """Let in whoever knows the password."""
        good = isinstance(data, LoginPassword) and self._knows(data.login, data.password)
        return AuthResult(success=good and not self.faults.take("401"), handled=False)

    def _knows(self, login: bytes, password: bytes) -> bool:
        known = self.users.get(login.decode("utf-8", "replace"))
        return known is not None and hmac.compare_digest(known.encode(), password)

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        message = email.message_from_bytes(content, policy=email.policy.default)
        text = message.get_body(("plain",))
        at = datetime.now(UTC)
        mail = {
            "at": at.isoformat(timespec="milliseconds"),
            "sender": envelope.mail_from,
            "recipients": list(envelope.rcpt_tos),
            "subject": str(message["Subject"] or ""),
            "headers": {name: str(value) for name, value in message.items()},
            "body": text.get_content().replace("\r\n", "\n") if text is not None else "",
        }
        with self._lock:
            self._mails.append(mail)
            number = len(self._mails)
        if self.folder is not None:
            (self.folder / f"{at:%Y%m%dT%H%M%S%f}-{number:04}.eml").write_bytes(content)


class _Controller(Controller):
    """aiosmtpd's server in a thread, on a socket that is bound already."""

    def __init__(self, mails: MailServer, listening: socket.socket) -> None:
        self._mails, self._listening = mails, listening
        host, port = listening.getsockname()[:2]
        super().__init__(mails, hostname=host, port=port)

    def factory(self) -> SMTP:
        return _Smtp(
            self._mails,
            enable_SMTPUTF8=True,
            tls_context=self._mails.context,
            auth_require_tls=False,
            authenticator=self._mails.authenticate,
        )

    def _create_server(self) -> Coroutine[Any, Any, asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listening)


class _Smtp(SMTP):
    """One connection; in the mode `down` it is closed before a word is said."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if isinstance(transport, asyncio.Transport) and self.event_handler.faults.take("down"):
            transport.abort()
