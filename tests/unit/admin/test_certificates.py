"""Trust certificates: read before they are stored, refused with the reason, not taken from under a connection."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from integrations import models
from integrations.services.certificate_store import BadCertificate, certificate_parse
from tests import factories
from tests.unit.admin.conftest import list_of, page_of, text_of

KEY = ec.generate_private_key(ec.SECP256R1())
ADD = "admin:integrations_trustcertificate_add"


def _certificate(name="sftp.example.com", days=90):
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(named, named, KEY.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .sign(KEY, hashes.SHA256())
    )


def _pem(**more):
    return _certificate(**more).public_bytes(Encoding.PEM)


def _private_key():
    return KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_pem_and_der_are_read(encoding):
    certificate = _certificate()
    parsed = certificate_parse(certificate.public_bytes(encoding))
    assert parsed.subject == "CN=sftp.example.com"
    assert parsed.not_after == certificate.not_valid_after_utc
    assert parsed.fingerprint.replace(":", "").lower() == certificate.fingerprint(hashes.SHA256()).hex()
    assert parsed.pem.startswith("-----BEGIN CERTIFICATE-----")


def test_a_bundle_ends_with_its_first_to_end():
    parsed = certificate_parse(_pem(name="root", days=900) + _pem(name="issuing", days=10))
    assert parsed.count == 2
    assert parsed.subject == "CN=root"
    assert parsed.not_after < datetime.now(UTC) + timedelta(days=11)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"hello", "neither PEM"),
        (b"\x30\x82\x01", "neither PEM"),
        (_private_key(), "private key"),
        (_pem() + _private_key(), "private key"),
        (
            b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----",
            "CERTIFICATE REQUEST",
        ),
        (b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----", "damaged"),
        (b"x" * (1024 * 1024 + 1), "are taken up to"),
    ],
)
def test_what_is_no_certificate_is_refused_with_the_reason(content, said):
    with pytest.raises(BadCertificate, match=said):
        certificate_parse(content)


def test_an_upload_is_stored_with_what_it_says(configurator):
    upload = SimpleUploadedFile("ca.der", _certificate().public_bytes(Encoding.DER))
    configurator.post(reverse(ADD), {"alias": "ccs", "upload": upload})
    row = models.TrustCertificate.objects.get(alias="ccs")
    assert row.subject == "CN=sftp.example.com"
    assert models.AuditEntry.objects.filter(action="certificate_create", actor="conny").exists()


def test_pasted_text_is_stored(configurator):
    configurator.post(reverse(ADD), {"alias": "ccs", "pasted": _pem().decode()})
    assert models.TrustCertificate.objects.filter(alias="ccs").exists()


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ({"alias": "a"}, "Choose a file"),
        ({"alias": "a", "pasted": "no certificate"}, "neither PEM"),
        ({"alias": "a", "upload": SimpleUploadedFile("k.pem", _private_key())}, "holds a private key"),
    ],
)
def test_a_bad_upload_is_said_at_its_field(configurator, posted, said):
    answer = configurator.post(reverse(ADD), posted)
    assert said in text_of(answer)
    assert not models.TrustCertificate.objects.exists()


def test_a_new_upload_replaces_the_old_and_history_keeps_it(configurator):
    configurator.post(reverse(ADD), {"alias": "ccs", "pasted": _pem(name="old").decode()})
    row = models.TrustCertificate.objects.get()
    configurator.post(page_of(row), {"alias": "ccs", "pasted": _pem(name="new").decode()})
    row.refresh_from_db()
    assert row.subject == "CN=new"
    assert [past.subject for past in row.history.all()] == ["CN=new", "CN=old"]


def test_only_the_alias_can_be_changed_too(configurator):
    configurator.post(reverse(ADD), {"alias": "ccs", "pasted": _pem().decode()})
    row = models.TrustCertificate.objects.get()
    configurator.post(page_of(row), {"alias": "ccs-2"})
    row.refresh_from_db()
    assert (row.alias, row.subject) == ("ccs-2", "CN=sftp.example.com")


@pytest.mark.parametrize(("days", "colour"), [(400, "bb-good"), (10, "bb-warn"), (-3, "bb-bad")])
def test_expiry_is_shown_in_colour(admin, days, colour):
    factories.TrustCertificateFactory(not_after=datetime.now(UTC) + timedelta(days=days))
    assert colour in text_of(admin.get(list_of(models.TrustCertificate)))


def test_one_in_use_is_not_deleted(configurator):
    row = factories.TrustCertificateFactory()
    factories.ConnectionFactory(name="OU REST CCS").trust.add(row)
    answer = configurator.post(page_of(row, "delete"), {"post": "yes"}, follow=True)
    assert "is trusted by OU REST CCS" in text_of(answer)
    assert models.TrustCertificate.objects.filter(pk=row.pk).exists()


def test_one_nobody_uses_is_deleted_and_audited(configurator):
    row = factories.TrustCertificateFactory(alias="old")
    configurator.post(page_of(row, "delete"), {"post": "yes"})
    assert not models.TrustCertificate.objects.exists()
    assert models.AuditEntry.objects.get(action="certificate_delete").detail["alias"] == "old"
