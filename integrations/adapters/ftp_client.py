"""One FTP or FTPS log-in: addresses checked, TLS on both channels, names as bytes in listings."""

import contextlib
import ftplib
import socket
import ssl
from collections.abc import Iterator

from integrations.adapters.addresses import close_quietly, connect, resolve
from integrations.adapters.contract import CHUNK, Endpoint
from integrations.adapters.errors import (
    AdapterError,
    Dropped,
    LoginRefused,
    NotFound,
    NotPermitted,
    TargetFull,
    TimedOut,
    Unreachable,
)
from integrations.adapters.scrub import scrub
from integrations.adapters.sftp_login import port_of
from integrations.adapters.steps import Steps
from integrations.adapters.tls import BROKEN_OFF, certificate_refused, client_context

PLAIN, EXPLICIT, IMPLICIT = "none", "explicit", "implicit"
DEFAULT_PORT, IMPLICIT_PORT = 21, 990
_LISTING_LIMIT = 64 * 1024 * 1024
_FULL = ("452", "552")
_LOGIN = ("530", "532", "430", "331")


def where_of(endpoint: Endpoint) -> str:
    """host:port, as error texts name it."""
    return f"{endpoint.settings.get('host', '')}:{ftp_port(endpoint)}"


def ftp_port(endpoint: Endpoint) -> int:
    """The port setting, or the usual one for the kind of TLS."""
    implicit = endpoint.settings.get("tls") == IMPLICIT
    return port_of(endpoint, IMPLICIT_PORT if implicit else DEFAULT_PORT)


class Client(ftplib.FTP_TLS):
    """ftplib's client over a socket we made, with TLS where the connection asks for it.

    The data channel resumes the control channel's TLS session: many servers refuse it otherwise.
    """

    def __init__(self, endpoint: Endpoint, sock: socket.socket) -> None:
        """`sock` is connected; the greeting is read here."""
        super().__init__(timeout=endpoint.read_timeout, context=client_context(endpoint), encoding="utf-8")
        self.endpoint = endpoint
        self.secure = str(endpoint.settings.get("tls") or PLAIN)
        self.host, self.port = str(endpoint.settings.get("host", "")), ftp_port(endpoint)
        self.sock = sock
        if self.secure == IMPLICIT:
            self.sock = self.context.wrap_socket(sock, server_hostname=self.host)
        self.sock.settimeout(endpoint.read_timeout)
        self.af = self.sock.family
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        self.facts = False

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int]:
        """A data connection for a command: to the control connection's own address, whatever PASV says."""
        conn, size = super(ftplib.FTP_TLS, self).ntransfercmd(cmd, rest)  # its own wraps without the session
        if self.secure != PLAIN:
            session = self.sock.session if isinstance(self.sock, ssl.SSLSocket) else None
            conn = self.context.wrap_socket(conn, server_hostname=self.host, session=session)
        return conn, size or 0

    def listing(self, command: str) -> bytes:
        """All that a listing command sends, as bytes: names need not be UTF-8."""
        content = bytearray()
        conn = self.transfercmd(command)
        try:
            while chunk := conn.recv(CHUNK):
                content += chunk
                if len(content) > _LISTING_LIMIT:
                    raise AdapterError(f"The listing of {self.host} is larger than {_LISTING_LIMIT} bytes")
        finally:
            conn.close()
        self.voidresp()
        return bytes(content)

    def let_go(self) -> None:
        """Close the socket, without waiting for a goodbye."""
        with contextlib.suppress(OSError, EOFError):
            self.close()

    def alive(self) -> bool:
        """Whether the server still answers."""
        if self.sock is None:
            return False
        try:
            self.voidcmd("NOOP")
        except (OSError, EOFError, ftplib.Error, UnicodeError):
            return False
        return True


def log_in(endpoint: Endpoint, steps: Steps | None = None) -> Client:
    """A client ready for use; `steps` records each step with its time."""
    steps = steps or Steps()
    host, where = str(endpoint.settings.get("host", "")), where_of(endpoint)
    with steps.step("Resolve name") as said:
        places = resolve(
            host, ftp_port(endpoint), timeout=endpoint.connect_timeout, allowed=endpoint.allowed_networks
        )
        said.append(", ".join(place.address for place in places))
    with steps.step("Connect") as said:
        sock = connect(places, host, timeout=endpoint.connect_timeout, stall=endpoint.read_timeout)
        try:
            with ftp_errors(endpoint, "the greeting", before_login=True):
                client = Client(endpoint, sock)
        except BaseException:
            close_quietly(sock)
            raise
        said.append(str(client.welcome))
    try:
        _show_who(client, endpoint, where, steps)
    except BaseException:
        client.let_go()
        raise
    return client


def _show_who(client: Client, endpoint: Endpoint, where: str, steps: Steps) -> None:
    if client.secure == EXPLICIT:
        with steps.step("Check TLS certificate") as said, ftp_errors(endpoint, "TLS", before_login=True):
            client.auth()
            said.append(str(getattr(client.sock, "version", str)()))
    user = str(endpoint.settings.get("user") or "")
    with steps.step("Log in") as said, ftp_errors(endpoint, f"the log-in of {user!r}"):
        try:
            client.login(user, endpoint.secrets.get("password", ""), secure=False)  # TLS is on already
        except ftplib.error_perm as error:
            raise LoginRefused(
                f"{where} refuses the log-in of {user!r}",
                detail=scrub(str(error), endpoint),
                hint="Check user and password, and whether the server wants TLS.",
            ) from error
        if client.secure != PLAIN:
            client.prot_p()
        client.voidcmd("TYPE I")
        client.facts = "MLST" in _features(client)
        said.append(f"as {user}")


def _features(client: Client) -> str:
    try:
        return client.sendcmd("FEAT").upper()
    except ftplib.error_perm:
        return ""


@contextlib.contextmanager
def ftp_errors(endpoint: Endpoint, path: str, *, before_login: bool = False) -> Iterator[None]:
    """What the server or the network says about `path`, in the hub's words."""
    where = where_of(endpoint)
    try:
        yield
    except ftplib.error_perm as error:
        raise _refusal(error, endpoint, path) from error
    except ftplib.error_temp as error:
        raise _temporary(error, endpoint, path) from error
    except ftplib.Error as error:
        raise Dropped(f"{where} answered what is no FTP", detail=scrub(str(error), endpoint)) from error
    except UnicodeError as error:
        raise AdapterError(f"{where} answered about {path} in something other than UTF-8") from error
    except TimeoutError as error:
        raise TimedOut(f"{where} said nothing about {path} for {endpoint.read_timeout:g} s") from error
    except (EOFError, OSError) as error:
        if isinstance(error, ssl.SSLError) and not isinstance(error, BROKEN_OFF):
            raise certificate_refused(error, where) from error
        kind = Unreachable if before_login else Dropped
        raise kind(f"{where} dropped the connection at {path}", detail=str(error)) from error


def _refusal(error: ftplib.error_perm, endpoint: Endpoint, path: str) -> AdapterError:
    """A 5xx reply. 550 is all of: not there, not permitted, not possible; its words tell them apart."""
    where, text = where_of(endpoint), scrub(str(error), endpoint)
    words = text.lower()
    if text.startswith(_FULL) or "space" in words or "quota" in words:
        return TargetFull(f"{where} has no space left for {path}", detail=text)
    if text.startswith(_LOGIN):
        return LoginRefused(f"{where} wants another log-in for {path}", detail=text)
    if "permission" in words or "denied" in words or "privilege" in words or "not allowed" in words:
        user = endpoint.settings.get("user", "")
        return NotPermitted(f"{where} does not permit {user} to use {path}", detail=text)
    if text.startswith("550"):
        return NotFound(f"{path} is not at {where}", detail=text)
    return AdapterError(f"{where} could not do it with {path}", detail=text)


def _temporary(error: ftplib.error_temp, endpoint: Endpoint, path: str) -> AdapterError:
    where, text = where_of(endpoint), scrub(str(error), endpoint)
    if text.startswith(_FULL):
        return TargetFull(f"{where} has no space left for {path}", detail=text)
    if text.startswith("450"):
        busy = AdapterError(f"{path} at {where} is in use", detail=text)
        busy.passing = True
        return busy
    return Dropped(f"{where} broke off at {path}", detail=text)
