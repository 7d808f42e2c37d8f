"""Pin the host key that a test met: a person compared its fingerprint."""

from integrations.adapters.errors import Misconfigured
from integrations.adapters.ssh_keys import host_keys
from integrations.models import Connection
from integrations.services.audit import audit


class HostKeyNotOffered(Exception):
    """The key to accept is not the one the last test met."""


def host_key_fingerprint(host_key: str) -> str:
    """`SHA256:…` as OpenSSH prints it, of each key stored (one a line); "" for what is no key."""
    try:
        return ", ".join(key.fingerprint for key in host_keys(host_key))
    except Misconfigured:
        return ""


def offered_host_key(connection: Connection) -> str:
    """The unknown or changed key the last test met, as `type base64`; "" if it met none."""
    steps = connection.last_test_report or []
    offered: str = next((step["offered_host_key"] for step in steps if step.get("offered_host_key")), "")
    known = {line.strip() for line in connection.host_key.splitlines()}
    return "" if offered in known else offered


def connection_accept_host_key(
    *, connection: Connection, offered: str, actor: str, address: str | None = None
) -> Connection:
    """Store `offered` (`type base64`) as the server's key, with history and audit.

    HostKeyNotOffered where the last test did not meet just this key: what was shown is what is accepted.
    """
    if not offered or offered != offered_host_key(connection):
        raise HostKeyNotOffered(
            "The last test did not meet this key. Test again, compare the fingerprint, accept."
        )
    before = connection.host_key
    connection.host_key = offered
    connection.save()
    audit(
        actor=actor,
        action="connection_accept_host_key",
        subject=f"connection:{connection.pk}",
        detail={
            "name": connection.name,
            "before": host_key_fingerprint(before),
            "after": host_key_fingerprint(offered),
        },
        address=address,
    )
    return connection
