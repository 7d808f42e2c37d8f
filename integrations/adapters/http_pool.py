"""HTTP connections that go to checked addresses only, for every library here that is built on urllib3.

urllib3 asks its connection class for a socket; these classes make it with `addresses.dial`, so that the address
that was checked is the one connected to. What goes wrong before a request is sent becomes an AdapterError here,
where it is known that nothing was sent.
"""

import socket
import ssl
from collections.abc import Sequence
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from integrations.adapters.addresses import dial
from integrations.adapters.errors import Unreachable
from integrations.adapters.tls import BROKEN_OFF, certificate_refused

_DEFAULT_CONNECT_TIMEOUT = 10.0


class _Plain:
    """Dials checked addresses; mixed into a urllib3 connection class."""

    allowed: Sequence[str] = ()
    stall = 60.0
    host: str
    port: int
    timeout: Any

    def _new_conn(self) -> socket.socket:
        timeout = self.timeout if isinstance(self.timeout, int | float) else _DEFAULT_CONNECT_TIMEOUT
        host = self.host.strip("[]")
        return dial(host, self.port, timeout=timeout, allowed=self.allowed, stall=self.stall)


class _Secure(_Plain):
    """The same with TLS: a handshake that fails has sent nothing."""

    context: ssl.SSLContext | None = None

    def connect(self) -> None:
        """Connect and shake hands; CertificateRefused or Unreachable."""
        if self.context is not None:
            # The library's own idea of authorities (certifi, its bundle) must not be added to ours.
            self.ssl_context = self.context
            self.cert_reqs: Any = ssl.CERT_REQUIRED
            self.ca_certs = self.ca_cert_dir = self.ca_cert_data = None
        where = f"{self.host}:{self.port}"
        try:
            super().connect()  # type: ignore[misc]  # the urllib3 class this is mixed into has it
        except OSError as error:
            if isinstance(error, ssl.SSLError) and not isinstance(error, BROKEN_OFF):
                raise certificate_refused(error, where) from error
            raise Unreachable(f"{where} broke off while TLS was negotiated", detail=str(error)) from error
        except Exception as error:
            cause = next((found for found in error.args if isinstance(found, ssl.SSLError)), None)
            if cause is None:
                raise
            raise certificate_refused(cause, where) from error


def checked_pools(
    allowed: Sequence[str],
    *,
    stall: float,
    context: ssl.SSLContext,
    plain: type[HTTPConnectionPool] = HTTPConnectionPool,
    secure: type[HTTPSConnectionPool] = HTTPSConnectionPool,
) -> dict[str, type[HTTPConnectionPool]]:
    """Pool classes by scheme, made from a library's own, that reach allowed networks only.

    `context`: the only TLS settings used; `stall`: seconds after which a peer that takes no data is given up.
    """
    plain_connection: Any = plain.ConnectionCls or HTTPConnection
    secure_connection: Any = secure.ConnectionCls or HTTPSConnection
    bound = {"allowed": tuple(allowed), "stall": stall}
    return {
        "http": type(
            "CheckedPool",
            (plain,),
            {"ConnectionCls": type("CheckedConnection", (_Plain, plain_connection), bound)},
        ),
        "https": type(
            "CheckedTLSPool",
            (secure,),
            {
                "ConnectionCls": type(
                    "CheckedTLSConnection", (_Secure, secure_connection), {**bound, "context": context}
                )
            },
        ),
    }
