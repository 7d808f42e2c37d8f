"""Reaching an address: the name is resolved once, checked, and the checked address is what is connected to.

So a name that changes between check and use (DNS rebinding) gains nothing (security case S13). The machine's
metadata services are refused always; where networks are given, nothing else is reached.
"""

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from integrations.adapters.errors import AddressRefused, Misconfigured, Unreachable

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
NEVER = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fd00:ec2::254/128"))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Place:
    """One resolved address of a host."""

    family: socket.AddressFamily
    address: str
    port: int


def resolve(host: str, port: int, *, timeout: float, allowed: Sequence[str] = ()) -> list[Place]:
    """The addresses of a host that may be reached. Unreachable where the name is unknown, AddressRefused."""
    found = _look_up(host, port, timeout)
    networks = _networks(allowed)
    good = [place for place in found if _may_reach(place.address, networks)]
    if not good:
        shown = ", ".join(place.address for place in found)
        raise AddressRefused(
            f"{host} is {shown}, which connections may not reach",
            hint="Metadata services are always refused; others must be in HUB_ALLOWED_NETWORKS.",
        )
    return good


def connect(
    places: Sequence[Place], host: str, *, timeout: float, stall: float | None = None
) -> socket.socket:
    """A socket to the first address that answers within `timeout` seconds in all; Unreachable.

    `stall`: seconds after which the kernel gives up on a peer that takes no data, so that no write waits forever.
    """
    deadline = time.monotonic() + timeout
    last: OSError | None = None
    for place in places:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            return _connected(place, left, stall or timeout)
        except OSError as error:
            last = error
    raise _unreachable(f"{host}:{places[0].port}", last, timeout)


def dial(
    host: str, port: int, *, timeout: float, allowed: Sequence[str] = (), stall: float | None = None
) -> socket.socket:
    """Resolve, check and connect; the socket's own timeout is `timeout` until the caller sets another."""
    return connect(resolve(host, port, timeout=timeout, allowed=allowed), host, timeout=timeout, stall=stall)


def _look_up(host: str, port: int, timeout: float) -> list[Place]:
    """getaddrinfo has no timeout of its own: it runs in a thread that is left behind when it takes too long."""
    answers: list[list[Place]] = []
    troubles: list[Exception] = []

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.append([Place(family, str(where[0]), port) for family, _, _, _, where in rows])
        except (OSError, UnicodeError) as error:
            troubles.append(error)

    thread = threading.Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(timeout)
    if answers and answers[0]:
        return answers[0]
    detail = str(troubles[0]) if troubles else f"no answer from the name server within {timeout:g} s"
    raise Unreachable(
        f"The name {host!r} could not be resolved", detail=detail, hint="Check the host name and DNS."
    )


def _connected(place: Place, timeout: float, stall: float) -> socket.socket:
    sock = socket.socket(place.family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(stall * 1000))
        sock.connect((place.address, place.port))
    except OSError:
        sock.close()
        raise
    return sock


def _unreachable(where: str, error: OSError | None, timeout: float) -> Unreachable:
    if error is None or isinstance(error, TimeoutError):
        return Unreachable(
            f"{where} did not answer within {timeout:g} s",
            hint="Is there a firewall between, or is the host down?",
        )
    if isinstance(error, ConnectionRefusedError):
        return Unreachable(f"{where} refuses connections", hint="Is the service running on this port?")
    return Unreachable(f"{where} cannot be reached: {error.strerror or error}")


def _networks(allowed: Sequence[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = []
    for text in allowed:
        try:
            found.append(ipaddress.ip_network(text.strip(), strict=False))
        except ValueError:
            raise Misconfigured(
                f"{text!r} in the allowed networks is not a network, e.g. 10.0.0.0/8"
            ) from None
    return found


def _may_reach(text: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    address = _plain(text)
    if any(address in network for network in NEVER):
        return False
    return not networks or any(address in network for network in networks)


def _plain(text: str) -> IPAddress:
    """The address itself: IPv4 in an IPv6 coat (mapped, NAT64) is taken out of it."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def close_quietly(sock: socket.socket | None) -> None:
    """Close a socket that may be broken already."""
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.close()
