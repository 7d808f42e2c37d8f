"""Test's first steps for anything with a URL: resolve the name, connect, shake hands."""

import socket
import ssl
from urllib.parse import urlsplit

from integrations.adapters.addresses import close_quietly, connect, resolve
from integrations.adapters.contract import Endpoint
from integrations.adapters.errors import Unreachable
from integrations.adapters.steps import Steps
from integrations.adapters.tls import BROKEN_OFF, certificate_refused, client_context

_PORTS = {"http": 80, "https": 443}


def address_steps(endpoint: Endpoint, url: str, steps: Steps) -> None:
    """Three steps at most; an AdapterError ends them."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
    with steps.step("Resolve name") as said:
        places = resolve(host, port, timeout=endpoint.connect_timeout, allowed=endpoint.allowed_networks)
        said.append(", ".join(place.address for place in places))
    with steps.step("Connect"):
        sock = connect(places, host, timeout=endpoint.connect_timeout, stall=endpoint.read_timeout)
    try:
        if parts.scheme == "https":
            with steps.step("Check TLS certificate") as said:
                said.append(_shake_hands(endpoint, sock, host))
    finally:
        close_quietly(sock)


def _shake_hands(endpoint: Endpoint, sock: socket.socket, host: str) -> str:
    try:
        with client_context(endpoint).wrap_socket(sock, server_hostname=host) as secure:
            ends = (secure.getpeercert() or {}).get("notAfter", "")
            return f"{secure.version()}, certificate valid until {ends}"
    except OSError as error:
        if isinstance(error, ssl.SSLError) and not isinstance(error, BROKEN_OFF):
            raise certificate_refused(error, host) from error
        raise Unreachable(f"{host} broke off while TLS was negotiated", detail=str(error)) from error
