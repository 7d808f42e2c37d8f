"""Logging in over SSH: address checked, host key compared before anything secret is sent, then password or key."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from integrations.adapters.addresses import close_quietly, connect, resolve
from integrations.adapters.contract import Endpoint
from integrations.adapters.errors import (
    AdapterError,
    Dropped,
    LoginRefused,
    Misconfigured,
    TimedOut,
    Unreachable,
)
from integrations.adapters.sftp_answers import StatusError
from integrations.adapters.sftp_pipe import Pipe
from integrations.adapters.sftp_wire import Wire
from integrations.adapters.ssh_keys import HostKey, check_host_key, host_keys, offered_key, private_key
from integrations.adapters.steps import Steps

DEFAULT_PORT = 22
_CIPHERS = (  # authenticated and fastest first; CBC and 3DES are not offered
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)


class Session:
    """One logged-in SFTP session."""

    def __init__(self, transport: paramiko.Transport, wire: Wire) -> None:
        """Both are open."""
        self.transport = transport
        self.wire = wire

    def alive(self) -> bool:
        """Whether it can still be used, as far as can be told without asking the server."""
        return self.transport.is_active()

    def close(self) -> None:
        """Let go of the socket; harmless twice."""
        self.transport.close()


def where_of(endpoint: Endpoint) -> str:
    """host:port, as error texts name it."""
    return f"{endpoint.settings.get('host', '')}:{port_of(endpoint, DEFAULT_PORT)}"


def port_of(endpoint: Endpoint, default: int) -> int:
    """The port setting as a number; Misconfigured."""
    text = str(endpoint.settings.get("port") or default)
    if not text.isdigit() or not 0 < int(text) < 65536:  # noqa: PLR2004  (TCP's own range)
        raise Misconfigured(f"The port {text!r} is not a number from 1 to 65535")
    return int(text)


def log_in(endpoint: Endpoint, steps: Steps | None = None) -> Session:
    """A session ready for use; an AdapterError names the step that failed. `steps` records each with its time."""
    steps = steps or Steps()
    where = where_of(endpoint)
    known = host_keys(endpoint.host_key)
    transport = _transport(endpoint, steps, known, where)
    try:
        with steps.step("Check host key") as said, _ssh_errors(endpoint, where):
            offered = offered_key(transport)
            check_host_key(offered, known, where)
            said.append(f"{offered.kind} {offered.fingerprint}")
        with steps.step("Log in") as said, _ssh_errors(endpoint, where):
            said.append(_authenticate(transport, endpoint))
            wire = _start_sftp(transport, endpoint)
    except BaseException:
        transport.close()
        raise
    return Session(transport, wire)


def _transport(endpoint: Endpoint, steps: Steps, known: list[HostKey], where: str) -> paramiko.Transport:
    """A transport with keys exchanged; where the server has no key of the stored type, with whichever it has."""
    host, port = str(endpoint.settings.get("host", "")), port_of(endpoint, DEFAULT_PORT)
    with steps.step("Resolve name") as said:
        places = resolve(host, port, timeout=endpoint.connect_timeout, allowed=endpoint.allowed_networks)
        said.append(", ".join(place.address for place in places))

    def dial() -> socket.socket:
        return connect(places, host, timeout=endpoint.connect_timeout, stall=endpoint.read_timeout)

    with steps.step("Connect"):
        sock = dial()
    with steps.step("Negotiate SSH") as said, _ssh_errors(endpoint, where, before_login=True):
        wanted = tuple(name for key in known for name in key.algorithms)
        try:
            transport = _negotiate(sock, endpoint, wanted)
        except IncompatiblePeer:
            if not wanted:
                raise
            transport = _negotiate(dial(), endpoint, ())
        said.append(transport.remote_version)
    return transport


def _negotiate(sock: socket.socket, endpoint: Endpoint, key_types: tuple[str, ...]) -> paramiko.Transport:
    try:
        transport = paramiko.Transport(sock)
    except BaseException:
        close_quietly(sock)
        raise
    transport.banner_timeout = endpoint.connect_timeout
    transport.handshake_timeout = endpoint.connect_timeout
    transport.auth_timeout = endpoint.connect_timeout
    transport.channel_timeout = endpoint.connect_timeout
    options = transport.get_security_options()
    options.ciphers = _CIPHERS
    if key_types:
        options.key_types = key_types
    try:
        transport.start_client(timeout=endpoint.connect_timeout)
        if not transport.initial_kex_done:
            raise TimedOut(
                f"{where_of(endpoint)} did not finish the key exchange in {endpoint.connect_timeout:g} s"
            )
    except BaseException:
        transport.close()
        close_quietly(sock)  # the transport leaves it open where it had not begun
        raise
    return transport


def _authenticate(transport: paramiko.Transport, endpoint: Endpoint) -> str:
    """By key where there is one (and by password after it, where the server wants both), else by password."""
    user = str(endpoint.settings.get("user", ""))
    secrets: Mapping[str, Any] = endpoint.secrets
    password, key_text = secrets.get("password", ""), secrets.get("private_key", "")
    if not key_text and not password:
        raise Misconfigured("There is neither a password nor a private key")
    wanted = []
    if key_text:
        wanted = transport.auth_publickey(user, private_key(key_text, secrets.get("passphrase", "")))
    if not key_text or wanted:
        if not password:
            raise LoginRefused(f"{where_of(endpoint)} took the key and wants {', '.join(wanted)} as well")
        transport.auth_password(user, password)
    return f"as {user} by {'key' if key_text else 'password'}"


def _start_sftp(transport: paramiko.Transport, endpoint: Endpoint) -> Wire:
    channel = transport.open_session(timeout=endpoint.connect_timeout)
    channel.settimeout(endpoint.read_timeout)
    pipe = Pipe.into(channel)
    channel.invoke_subsystem("sftp")
    return Wire(channel, pipe)


@contextmanager
def _ssh_errors(endpoint: Endpoint, where: str, *, before_login: bool = False) -> Iterator[None]:
    """paramiko's exceptions until the session stands, in the hub's words."""
    try:
        yield
    except AdapterError:
        raise
    except IncompatiblePeer as error:
        raise Misconfigured(
            f"{where} and the hub have no common way to talk SSH", detail=str(error), hint=_old_server(error)
        ) from error
    except paramiko.AuthenticationException as error:
        raise _login_error(error, endpoint, where) from error
    except TimeoutError as error:
        raise TimedOut(f"{where} connected, then said nothing for too long") from error
    except StatusError as error:
        raise Dropped(f"{where} has no working SFTP", detail=error.text) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        kind = Unreachable if before_login else Dropped
        raise kind(
            f"{where} ended the SSH session before it stood",
            detail=str(error),
            hint="Is it an SSH server, and does it take connections from here?",
        ) from error


def _old_server(error: Exception) -> str:
    if "host key" in str(error) or "ssh-rsa" in str(error):
        return (
            "The server offers only ssh-rsa with SHA-1, which is no longer safe: "
            "its operator has to enable rsa-sha2-512 or an Ed25519 host key."
        )
    return "The server's SSH software is too old: its operator has to enable current algorithms."


def _login_error(error: paramiko.AuthenticationException, endpoint: Endpoint, where: str) -> AdapterError:
    user = str(endpoint.settings.get("user", ""))
    if "timeout" in str(error).lower():
        return TimedOut(f"{where} did not answer the log-in of {user!r} in {endpoint.connect_timeout:g} s")
    allowed = getattr(error, "allowed_types", None)
    hint = f"The server takes: {', '.join(allowed)}." if allowed else "Check user, password or key."
    return LoginRefused(f"{where} refuses the log-in of {user!r}", hint=hint, detail=str(error))
