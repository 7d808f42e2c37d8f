"""Mail: one message handed to an SMTP server.

smtplib rather than Django's backend: an adapter must run in an agent, where there are no Django settings, and go to
checked addresses with the connection's own trust.
"""

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from typing import Any
from urllib.parse import unquote, urlsplit

from integrations.adapters.addresses import connect, resolve
from integrations.adapters.contract import Endpoint, Field, Mailer, TestStep, missing_fields
from integrations.adapters.errors import (
    AdapterError,
    Dropped,
    LoginRefused,
    Misconfigured,
    NotPermitted,
    TimedOut,
    Unreachable,
)
from integrations.adapters.scrub import scrub
from integrations.adapters.sftp_login import port_of
from integrations.adapters.steps import Steps
from integrations.adapters.tls import BROKEN_OFF, certificate_refused, client_context

NONE, STARTTLS, IMPLICIT = "none", "starttls", "tls"
_PORTS = {NONE: 25, STARTTLS: 587, IMPLICIT: 465}
_SCHEMES = {"smtp": NONE, "smtp+tls": STARTTLS, "smtp+ssl": IMPLICIT, "smtps": IMPLICIT}


class Mail(Mailer):
    """An SMTP server, by URL (`smtp://`, `smtp+tls://`, `smtps://`) or by host and port."""

    name = "mail"
    label = "Mail (SMTP)"
    fields = (
        Field("url", "URL", help="e.g. smtp+tls://user@host:587; instead of host, port, TLS and user."),
        Field("host", "Host"),
        Field("port", "Port", kind=int, help="Empty: 25, 587 for STARTTLS, 465 for TLS."),
        Field("tls", "TLS", choices=(NONE, STARTTLS, IMPLICIT), default=NONE),
        Field("user", "User", help="Empty: the server takes mail without a log-in."),
        Field("password", "Password", secret=True),
    )

    def __init__(self, endpoint: Endpoint) -> None:
        """Nothing is connected yet; raises Misconfigured where settings cannot work."""
        super().__init__(endpoint)
        self.server = _server_settings(endpoint)
        self.where = f"{self.server['host']}:{self.server['port']}"

    @classmethod
    def problems(cls, endpoint: Endpoint) -> list[str]:
        """What is wrong with these settings, a sentence each."""
        found = missing_fields(cls.fields, endpoint)
        for check in (_server_settings, client_context):
            try:
                check(endpoint)
            except AdapterError as error:
                found.append(error.text)
        return found

    def test(self) -> list[TestStep]:
        """Resolve, connect, TLS, log in; sends nothing."""
        steps = Steps()
        with steps.until_failure():
            self._try(steps)
        return steps.done

    def _try(self, steps: Steps) -> None:
        with self._session(steps) as smtp, steps.step("Say NOOP"), self._errors("NOOP"):
            smtp.noop()

    def send(
        self, *, sender: str, recipients: list[str], subject: str, body: str, headers: Mapping[str, str]
    ) -> None:
        """Hand one message over; NotPermitted names the recipients the server does not take.

        Some refused while others are taken counts as sent to those: the refused ones are in the error, and a
        repeat would reach the others twice.
        """
        message = _message(sender, recipients, subject, body, headers)
        with self._session(Steps()) as smtp, self._errors(f"the mail to {', '.join(recipients)}"):
            refused = smtp.send_message(message, sender, recipients)
        if refused:
            error = NotPermitted(
                f"{self.where} took the mail, but not for {', '.join(refused)}", detail=_replies(refused)
            )
            error.sent = True
            raise error

    @contextmanager
    def _session(self, steps: Steps) -> Iterator[smtplib.SMTP]:
        smtp = self._connect(steps)
        try:
            self._log_in(smtp, steps)
            yield smtp
            # The mail is handed over by now: how the server says goodbye changes nothing.
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
        finally:
            smtp.close()

    def _connect(self, steps: Steps) -> smtplib.SMTP:
        endpoint, server = self.endpoint, self.server
        with steps.step("Resolve name") as said:
            places = resolve(
                server["host"],
                server["port"],
                timeout=endpoint.connect_timeout,
                allowed=endpoint.allowed_networks,
            )
            said.append(", ".join(place.address for place in places))

        def dial() -> socket.socket:
            sock = connect(
                places, server["host"], timeout=endpoint.connect_timeout, stall=endpoint.read_timeout
            )
            sock.settimeout(endpoint.read_timeout)
            if server["tls"] == IMPLICIT:
                return client_context(endpoint).wrap_socket(sock, server_hostname=server["host"])
            return sock

        with steps.step("Connect") as said, self._errors("the greeting", before_login=True):
            smtp = _Smtp(dial, server["host"], endpoint.read_timeout)
            said.append(f"{smtp.greeting}")
        return smtp

    def _log_in(self, smtp: smtplib.SMTP, steps: Steps) -> None:
        with self._errors("the log-in"):
            smtp.ehlo_or_helo_if_needed()
            if self.server["tls"] == STARTTLS:
                with steps.step("Check TLS certificate"), self._errors("STARTTLS", before_login=True):
                    smtp.starttls(context=client_context(self.endpoint))
                    smtp.ehlo()
        if self.server["user"]:
            with steps.step("Log in") as said, self._errors("the log-in"):
                smtp.login(self.server["user"], self.endpoint.secrets.get("password", ""))
                said.append(f"as {self.server['user']}")

    @contextmanager
    def _errors(self, what: str, *, before_login: bool = False) -> Iterator[None]:
        try:
            yield
        except smtplib.SMTPAuthenticationError as error:
            raise LoginRefused(
                f"{self.where} refuses the log-in of {self.server['user']!r}",
                detail=self._said(error.smtp_error),
                hint="Check user and password.",
            ) from error
        except smtplib.SMTPRecipientsRefused as error:
            raise _taken_back(error, f"{self.where} takes {what} for nobody") from error
        except smtplib.SMTPResponseException as error:
            raise self._reply(error, what) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Misconfigured(
                f"{self.where} does not offer what the connection asks for", detail=str(error)
            ) from error
        except TimeoutError as error:
            raise self._silent(what) from error
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            if isinstance(error.__context__, TimeoutError):  # smtplib makes a broken line of it
                raise self._silent(what) from error
            if isinstance(error, ssl.SSLError) and not isinstance(error, BROKEN_OFF):
                raise certificate_refused(error, self.where) from error
            kind = Unreachable if before_login else Dropped
            raise kind(f"{self.where} dropped the connection at {what}", detail=str(error)) from error
        except (smtplib.SMTPException, ValueError, UnicodeError) as error:
            raise AdapterError(f"{self.where} could not be given {what}", detail=str(error)) from error

    def _silent(self, what: str) -> TimedOut:
        return TimedOut(f"{self.where} said nothing to {what} for {self.endpoint.read_timeout:g} s")

    def _reply(self, error: smtplib.SMTPResponseException, what: str) -> AdapterError:
        """A reply to EHLO, MAIL, RCPT or DATA: 4xx is passing, 5xx final (RFC 5321 section 4.2.1)."""
        text = f"{self.where} answered {error.smtp_code} to {what}"
        found = NotPermitted(text, detail=self._said(error.smtp_error))
        found.passing = _is_passing(error.smtp_code)
        return found

    def _said(self, reply: bytes | str) -> str:
        text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
        return scrub(text, self.endpoint)


class _Smtp(smtplib.SMTP):
    """smtplib's client over a socket we made."""

    def __init__(self, dial: Callable[[], socket.socket], host: str, timeout: float) -> None:
        self._dial = dial
        self.greeting = ""
        # Without a name of our own, smtplib asks DNS for one, for as long as that takes.
        super().__init__(timeout=timeout, local_hostname=socket.gethostname())
        self._host = host  # what STARTTLS checks the certificate against
        code, said = self.connect("checked-address")
        if code != 220:  # noqa: PLR2004  (the greeting of RFC 5321)
            self.close()
            raise smtplib.SMTPConnectError(code, said)
        self.greeting = said.decode("utf-8", "replace")

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._dial()


def _message(
    sender: str, recipients: list[str], subject: str, body: str, headers: Mapping[str, str]
) -> EmailMessage:
    """The message; Misconfigured where a header or address has a line break in it (security case S17)."""
    message = EmailMessage(policy=SMTP)
    try:
        message["From"], message["To"], message["Subject"] = sender, ", ".join(recipients), subject
        for name, value in headers.items():
            message[name] = value
        message.set_content(body)
    except (ValueError, IndexError) as error:
        raise Misconfigured("The mail cannot be written", detail=str(error)) from error
    if "Date" not in message:
        message["Date"] = formatdate()
    if "Message-ID" not in message:
        message["Message-ID"] = make_msgid(domain="busbar")
    return message


def _server_settings(endpoint: Endpoint) -> dict[str, Any]:
    """host, port, tls, user: from the URL where there is one; Misconfigured."""
    settings = dict(endpoint.settings)
    if url := str(settings.get("url") or ""):
        settings = _from_url(url)
    host, tls = str(settings.get("host") or ""), str(settings.get("tls") or NONE)
    if not host:
        raise Misconfigured("There is neither a URL nor a host")
    port = port_of(Endpoint(endpoint.name, "mail", settings), _PORTS.get(tls, _PORTS[NONE]))
    return {"host": host, "port": port, "tls": tls, "user": str(settings.get("user") or "")}


def _from_url(url: str) -> dict[str, Any]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Misconfigured("The mail URL cannot be read", detail=str(error)) from error
    if parts.scheme not in _SCHEMES:
        raise Misconfigured(f"The mail URL begins with {parts.scheme!r}; it can be {', '.join(_SCHEMES)}")
    if parts.password:
        raise Misconfigured("The mail URL has a password in it", hint="It has a field of its own.")
    user = unquote(parts.username or "")
    return {"host": parts.hostname, "port": port, "tls": _SCHEMES[parts.scheme], "user": user}


def _is_passing(code: int) -> bool:
    return 400 <= code < 500  # noqa: PLR2004  (transient replies)


def _taken_back(error: smtplib.SMTPRecipientsRefused, text: str) -> AdapterError:
    found = NotPermitted(text, detail=_replies(error.recipients))
    found.passing = all(_is_passing(code) for code, _ in error.recipients.values())
    return found


def _replies(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return "; ".join(
        f"{address}: {code} {said.decode('utf-8', 'replace')}" for address, (code, said) in refused.items()
    )
