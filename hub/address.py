"""Who is calling: the client's network address, believing proxies only as far as they are trusted."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


@lru_cache(maxsize=8)
def _networks(entries: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(entry, strict=False) for entry in entries)


def _is_proxy(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in _networks(tuple(settings.HUB_TRUSTED_PROXIES)))


def client_address(request: HttpRequest | None) -> str:
    """The caller's address, "" if there is none (inside the process, a local socket).

    X-Forwarded-For counts only when the peer is in HUB_TRUSTED_PROXIES, read from the right up to the first
    address that is no such proxy: what stands left of it, the caller may have made up (docs/security.md, S3).
    """
    if request is None:
        return ""
    peer = str(request.META.get("REMOTE_ADDR", ""))
    if not _is_proxy(peer):
        return peer if _valid(peer) else ""
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
    for hop in (part.strip() for part in reversed(forwarded.split(","))):
        if not _valid(hop):
            return peer
        peer = hop
        if not _is_proxy(hop):
            return hop
    return peer


def _valid(address: str) -> bool:
    try:
        ip_address(address)
    except ValueError:
        return False
    return True
