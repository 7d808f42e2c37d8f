"""A client of OCI's native Object Storage API that reaches checked addresses only, takes nothing from the
environment, and repeats nothing: the engine does, and shows that it does.

The SDK is an extra; nothing of it is imported before a connection needs it.
"""

import threading
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from cryptography.hazmat.primitives import serialization as ser

from integrations.adapters.contract import Endpoint
from integrations.adapters.http_pool import checked_pools
from integrations.adapters.oci_errors import oci_errors
from integrations.adapters.oci_settings import key_of, sdk_is_there, service_url, setting
from integrations.adapters.tls import client_context

CONNECTIONS = 32  # kept open to the service
# The SDK is imported by one thread at a time: its modules load each other lazily.
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket and the client that reaches it."""

    endpoint: Endpoint
    client: Any
    namespace: str
    name: str

    @property
    def place(self) -> tuple[str, str]:
        """Namespace and bucket, as every call of the SDK begins."""
        return self.namespace, self.name

    def path(self, name: str) -> str:
        """An object as errors call it."""
        return f"{self.name}/{name}"


def oci_client(endpoint: Endpoint) -> Any:
    """An ObjectStorageClient for this endpoint; Misconfigured where the SDK is missing or settings cannot work."""
    sdk_is_there(endpoint)
    with _lock, oci_errors(endpoint, "the client"):
        client = _new_client(endpoint)
    _use_checked_pools(client.base_client.session, endpoint)
    return client


def close_client(client: Any) -> None:
    """Close its sockets."""
    client.base_client.session.close()


def _new_client(endpoint: Endpoint) -> Any:
    from oci import circuit_breaker, retry, signer  # noqa: PLC0415  (an extra that may be missing)
    from oci.object_storage import ObjectStorageClient  # noqa: PLC0415

    config = {
        "tenancy": setting(endpoint, "tenancy"),
        "user": setting(endpoint, "user"),
        "fingerprint": setting(endpoint, "fingerprint").lower(),
        "key_content": _plain_key(endpoint),
        "region": setting(endpoint, "region")
        or "none",  # the address is given; an empty one asks the environment
    }
    client = ObjectStorageClient(
        config,
        signer=signer.Signer(
            config["tenancy"],
            config["user"],
            config["fingerprint"],
            None,
            private_key_content=config["key_content"],
        ),
        service_endpoint=service_url(endpoint),
        timeout=(endpoint.connect_timeout, endpoint.read_timeout),
        retry_strategy=retry.NoneRetryStrategy(),
        circuit_breaker_strategy=circuit_breaker.NoCircuitBreakerStrategy(),
        client_level_realm_specific_endpoint_template_enabled=False,
        client_level_dualstack_endpoints_enabled=False,
    )
    client.base_client.PROPAGATION_ENABLED = False
    return client


def _plain_key(endpoint: Endpoint) -> str:
    """The key without its passphrase, which the SDK takes in ASCII only."""
    return (
        key_of(endpoint).private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption()).decode()
    )


def _use_checked_pools(session: Any, endpoint: Endpoint) -> None:
    """The SDK has its own copy of requests on the common urllib3: its transport takes our pool classes."""
    from oci._vendor.requests.adapters import HTTPAdapter  # noqa: PLC0415  (comes with the extra)

    session.trust_env = False
    session.max_redirects = 0
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["Accept-Encoding"] = "identity"  # an object's bytes come as they are stored
    transport = HTTPAdapter(pool_connections=4, pool_maxsize=CONNECTIONS)
    transport.poolmanager.pool_classes_by_scheme = checked_pools(
        endpoint.allowed_networks, stall=endpoint.read_timeout, context=client_context(endpoint)
    )
    # The SDK asks with each upload whether it may go on; a question and an answer more for each file.
    transport.add_headers = lambda request, **_: request.headers.pop("expect", None)
    session.mount("https://", transport)
    session.mount("http://", transport)
