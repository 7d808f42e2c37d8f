"""TLS for every adapter: verification is always on; no setting switches it off (security case S12).

Trusted are the machine's certificate authorities, or, where certificates were uploaded for the connection, those
alone.
"""

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import certifi

from integrations.adapters.contract import Endpoint
from integrations.adapters.errors import CertificateRefused, Misconfigured

_HINTS = {
    9: "The certificate's time has not begun: check both clocks.",
    10: "The target has to renew its certificate.",
    18: "Upload this certificate under Trust certificates and choose it for the connection.",
    19: "Upload the authority's certificate under Trust certificates and choose it for the connection.",
    20: "Upload the issuing authority's certificate under Trust certificates and choose it for the connection.",
    62: "The certificate is for another host name: use the name it was issued for.",
    64: "The certificate is for another address: use the name it was issued for.",
}


def client_context(endpoint: Endpoint) -> ssl.SSLContext:
    """A verifying context for this endpoint, with its client certificate if it has one; Misconfigured."""
    context = ssl.create_default_context()
    if endpoint.trust:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # A certificate uploaded for one server may be the server's own, signed by someone else.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        _load_trust(context, endpoint)
    elif not context.get_ca_certs() and not _has_system_authorities():
        context.load_verify_locations(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if endpoint.secrets.get("client_certificate"):
        _load_client_certificate(context, endpoint)
    return context


def _load_trust(context: ssl.SSLContext, endpoint: Endpoint) -> None:
    try:
        context.load_verify_locations(cadata="\n".join(endpoint.trust))
    except (ssl.SSLError, ValueError) as error:
        raise Misconfigured(
            f"A trust certificate of {endpoint.name} cannot be read",
            detail=str(error),
            hint="Upload it as PEM.",
        ) from error


def _has_system_authorities() -> bool:
    paths = ssl.get_default_verify_paths()
    directory = Path(paths.capath) if paths.capath else None
    return bool(directory and directory.is_dir() and any(directory.iterdir()))


def _load_client_certificate(context: ssl.SSLContext, endpoint: Endpoint) -> None:
    """OpenSSL reads certificate and key from files only: they exist for this moment, readable by us alone."""
    secrets = endpoint.secrets
    text = f"{secrets['client_certificate']}\n{secrets.get('client_key', '')}\n"
    password = secrets.get("client_key_password", "")
    with private_file(text) as path:
        try:
            context.load_cert_chain(path, password=password)
        except (ssl.SSLError, OSError) as error:
            raise Misconfigured(
                f"The client certificate of {endpoint.name} cannot be used with its key",
                detail=str(error),
                hint="Both are PEM; the key belongs to the certificate; its password is right.",
            ) from error


@contextmanager
def private_file(text: str) -> Iterator[str]:
    """A file that only this process's user can read, gone when the block ends; yields its path."""
    with tempfile.NamedTemporaryFile("w", prefix="busbar-", suffix=".pem") as file:
        file.write(text)
        file.flush()
        yield file.name


# TLS errors that are a line that broke, not a certificate that was refused.
BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def certificate_refused(error: ssl.SSLError, where: str) -> CertificateRefused:
    """A TLS failure in words: which rule the certificate broke, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateRefused(
            f"The certificate of {where} is refused: {error.verify_message}",
            hint=_HINTS.get(error.verify_code, ""),
            detail=str(error),
        )
    reason = (error.reason or str(error)).replace("_", " ").lower()
    return CertificateRefused(
        f"TLS with {where} failed: {reason}", hint=_tls_hint(error.reason or ""), detail=str(error)
    )


def _tls_hint(reason: str) -> str:
    if reason in ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"):
        return "The target does not speak TLS on this port: is it the right port, and http or https?"
    if "ALERT" in reason:
        return "The target refused this client: does it want a client certificate, or another one?"
    return "The target needs TLS 1.2 or newer."
