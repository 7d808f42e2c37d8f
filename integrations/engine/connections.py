"""Connections as adapters see them: rows turned into plain values."""

from collections.abc import Iterable

from django.conf import settings

from integrations.adapters.contract import Endpoint
from integrations.crypto import SecretUnreadable
from integrations.engine.faults import ConnectionUnusable
from integrations.models import Connection, TrustCertificate


def connection_named(name: str) -> Connection:
    """The connection's row; ConnectionUnusable names the one that is missing."""
    try:
        return Connection.objects.prefetch_related("trust").get(name=name)
    except Connection.DoesNotExist:
        raise ConnectionUnusable(
            f"There is no connection {name!r}", hint="Create it in the console under Connections."
        ) from None
    except SecretUnreadable as error:
        raise ConnectionUnusable(f"Connection {name!r}: {error}") from None


def connection_endpoint(connection: Connection, trust: Iterable[TrustCertificate] | None = None) -> Endpoint:
    """All an adapter may know of this connection; `trust` instead of its own, for one that is not saved yet."""
    if trust is None:
        trust = connection.trust.all() if connection.pk else ()
    return Endpoint(
        name=connection.name,
        adapter=connection.adapter,
        settings=connection.settings,
        secrets=connection.secrets,
        host_key=connection.host_key.strip(),
        trust=tuple(certificate.pem for certificate in trust),
        catalog_url=connection.catalog_url,
        connect_timeout=connection.connect_timeout,
        read_timeout=connection.read_timeout,
        allowed_networks=tuple(settings.HUB_ALLOWED_NETWORKS),
    )
