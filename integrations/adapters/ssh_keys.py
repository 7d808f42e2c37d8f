"""SSH keys: the server's, compared with the one stored, and our own, read from a secret."""

import base64
import binascii
import hashlib
import io
import itertools
from dataclasses import dataclass

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from integrations.adapters.errors import HostKeyRefused, Misconfigured

_BEGINNINGS = ("ssh-", "ecdsa-sha2-", "rsa-sha2-")
_OFFERS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


@dataclass(frozen=True, slots=True)
class HostKey:
    """A server's public key."""

    kind: str
    blob: bytes

    @property
    def line(self) -> str:
        """`type base64`, as in known_hosts."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"

    @property
    def fingerprint(self) -> str:
        """SHA256:…, as OpenSSH prints it."""
        digest = hashlib.sha256(self.blob).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The signature algorithms to ask the server for so that it shows a key of this type."""
        return _OFFERS.get(self.kind, (self.kind,))


def host_keys(text: str) -> list[HostKey]:
    """The stored keys, one a line, as `type base64`, with or without known_hosts' first field; Misconfigured."""
    return [_host_key(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _host_key(line: str) -> HostKey:
    words = line.split()
    for kind, encoded in itertools.pairwise(words):
        if not kind.startswith(_BEGINNINGS):
            continue
        try:
            blob = base64.b64decode(encoded, validate=True)
            return HostKey(paramiko.Message(blob).get_text(), blob)
        except (binascii.Error, UnicodeDecodeError):
            break
    raise Misconfigured(
        f"The host key {line[:40]!r} is none",
        hint="It reads `ssh-ed25519 AAAA…`; Test shows what the server offers.",
    )


def offered_key(transport: paramiko.Transport) -> HostKey:
    """The key the server has just proved it holds."""
    key = transport.get_remote_server_key()
    return HostKey(key.get_name(), key.asbytes())


def check_host_key(offered: HostKey, known: list[HostKey], where: str) -> None:
    """Nothing where the offered key is a known one; else HostKeyRefused with the key offered."""
    if any(key.blob == offered.blob for key in known):
        return
    if not known:
        raise HostKeyRefused(
            f"The host key of {where} is not known yet: it offers {offered.kind} {offered.fingerprint}",
            offered=offered.line,
            fingerprint=offered.fingerprint,
            hint="Compare the fingerprint with the server's operator, then accept the key for this connection.",
        )
    raise HostKeyRefused(
        f"The host key of {where} has changed: it offers {offered.kind} {offered.fingerprint}, "
        f"stored is {', '.join(key.fingerprint for key in known)}",
        offered=offered.line,
        fingerprint=offered.fingerprint,
        hint="Somebody may be listening in. Accept the new key only when the server's operator confirms it.",
    )


def private_key(text: str, passphrase: str = "") -> paramiko.PKey:
    """Our own key (Ed25519, ECDSA, RSA; OpenSSH, PKCS#8 or PEM), decrypted; Misconfigured where it cannot be read."""
    secret = passphrase.encode() or None
    key = _load(text.strip().encode() + b"\n", secret)
    plain = key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.OpenSSH, ser.NoEncryption()).decode()
    kinds: list[tuple[type, type[paramiko.PKey]]] = [
        (ed25519.Ed25519PrivateKey, paramiko.Ed25519Key),
        (ec.EllipticCurvePrivateKey, paramiko.ECDSAKey),
        (rsa.RSAPrivateKey, paramiko.RSAKey),
    ]
    for kind, reader in kinds:
        if isinstance(key, kind):
            return reader.from_private_key(io.StringIO(plain))
    raise Misconfigured(
        "The private key is of a type SSH servers no longer take", hint="Make an Ed25519 key."
    )


def _load(
    content: bytes, secret: bytes | None
) -> ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    openssh = b"OPENSSH PRIVATE KEY" in content
    try:
        key = (
            ser.load_ssh_private_key(content, secret)
            if openssh
            else ser.load_pem_private_key(content, secret)
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Misconfigured(
            "The private key cannot be read",
            detail=str(error),
            hint="It is the whole text from BEGIN to END, and its passphrase is right (empty if it has none).",
        ) from error
    if not isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise Misconfigured(
            "The private key is of a type SSH servers no longer take", hint="Make an Ed25519 key."
        )
    return key
