"""Read, store and remove trust certificates (seed 001 chapter 5, "Setting up Certificates for Security")."""

import re
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.db import transaction

from integrations.models import TrustCertificate
from integrations.services.audit import audit

LARGEST = 1024 * 1024  # bytes; a bundle of every public authority is a quarter of it
_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")


class BadCertificate(Exception):
    """What was given is no certificate; the text says what it is instead, where that can be told."""


class CertificateInUse(Exception):
    """Connections trust it."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What is in a certificate file. Of a bundle: the first's names, the earliest expiry."""

    pem: str
    subject: str
    issuer: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    count: int


def certificate_parse(content: bytes) -> Parsed:
    """PEM (one or several) or DER bytes as their facts; BadCertificate with a sentence for anything else."""
    if len(content) > LARGEST:
        raise BadCertificate(f"The file has {len(content)} bytes; certificates are taken up to {LARGEST}")
    found = _pem(content) if b"-----BEGIN" in content else _der(content)
    first = found[0]
    return Parsed(
        pem="".join(item.public_bytes(Encoding.PEM).decode() for item in found),
        subject=_name(first.subject),
        issuer=_name(first.issuer),
        fingerprint=first.fingerprint(hashes.SHA256()).hex(":").upper(),
        not_before=max(item.not_valid_before_utc for item in found),
        not_after=min(item.not_valid_after_utc for item in found),
        count=len(found),
    )


def _pem(content: bytes) -> list[x509.Certificate]:
    labels = {label.decode() for label in _LABEL.findall(content)}
    if any("PRIVATE KEY" in label for label in labels):
        raise BadCertificate(
            "The file holds a private key. Upload the certificate alone; keep the key where it is"
        )
    if "CERTIFICATE" not in labels:
        raise BadCertificate(
            f"The file holds {', '.join(sorted(labels)) or 'no PEM block'}, not a CERTIFICATE"
        )
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise BadCertificate(f"The PEM text is damaged: {error}") from None


def _der(content: bytes) -> list[x509.Certificate]:
    if not content.strip():
        raise BadCertificate("The file is empty")
    try:
        return [x509.load_der_x509_certificate(content)]
    except ValueError:
        raise BadCertificate(
            "This is neither PEM (text with -----BEGIN CERTIFICATE-----) nor DER. "
            "Export the certificate as Base64 X.509 (.cer, .crt, .pem)"
        ) from None


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return name.rfc4514_string()[:500] or (str(common[0].value) if common else "(no name)")


def certificate_store(
    *,
    alias: str,
    content: bytes,
    actor: str,
    certificate: TrustCertificate | None = None,
    address: str | None = None,
) -> TrustCertificate:
    """Store `content` under an alias, or in place of an existing certificate; BadCertificate, nothing changed."""
    parsed = certificate_parse(content)
    row = certificate or TrustCertificate()
    action = "certificate_replace" if row.pk else "certificate_create"
    row.alias = alias
    for field in ("pem", "subject", "issuer", "fingerprint", "not_before", "not_after"):
        setattr(row, field, getattr(parsed, field))
    with transaction.atomic():
        row.save()
        detail = {"alias": alias, "fingerprint": parsed.fingerprint, "expires": parsed.not_after.isoformat()}
        audit(
            actor=actor, action=action, subject=f"trustcertificate:{row.pk}", detail=detail, address=address
        )
    return row


def certificate_delete(*, certificate: TrustCertificate, actor: str, address: str | None = None) -> None:
    """Remove a certificate no connection trusts; CertificateInUse names those that do."""
    users = list(certificate.connections.values_list("name", flat=True))
    if users:
        raise CertificateInUse(
            f"{certificate.alias} is trusted by {', '.join(users)}. Take it from there first, then delete it."
        )
    subject = f"trustcertificate:{certificate.pk}"
    with transaction.atomic():
        certificate.delete()
        audit(
            actor=actor,
            action="certificate_delete",
            subject=subject,
            detail={"alias": certificate.alias, "fingerprint": certificate.fingerprint},
            address=address,
        )
