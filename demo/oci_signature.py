"""Accounts of the native object storage server, and the check of their signatures (OCI signature version 1).

It is draft-cavage-http-signatures-08 with RSA-SHA256; which headers have to be signed is Oracle's "Request Signatures".
"""

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import padding, rsa

SKEW = timedelta(minutes=5)
_BODY_HEADERS = {"content-length", "content-type", "x-content-sha256"}
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


class Refusal(Exception):
    """What the service says no with."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """HTTP status and the service's own code."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class Account:
    """A user with an API key. `private_key`: PEM."""

    tenancy: str
    user: str
    private_key: str = field(repr=False)
    read_only: bool = False

    @cached_property
    def public_key(self) -> rsa.RSAPublicKey:
        """What the service keeps."""
        key = ser.load_pem_private_key(self.private_key.encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101  (new_account made it)
        return key.public_key()

    @cached_property
    def fingerprint(self) -> str:
        """MD5 of the public key in DER, in pairs with colons between."""
        der = self.public_key.public_bytes(ser.Encoding.DER, ser.PublicFormat.SubjectPublicKeyInfo)
        return hashlib.md5(der, usedforsecurity=False).digest().hex(":")

    @property
    def key_id(self) -> str:
        """How a signature names the key."""
        return f"{self.tenancy}/{self.user}/{self.fingerprint}"

    @property
    def settings(self) -> dict[str, str]:
        """What a connection needs, but for the private key."""
        return {"tenancy": self.tenancy, "user": self.user, "fingerprint": self.fingerprint}


def new_account(*, read_only: bool = False, tenancy: str = "") -> Account:
    """A user with a fresh key of 2048 bits."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption()).decode()
    made = [f"ocid1.{kind}.oc1..aaaa{secrets.token_hex(24)}" for kind in ("tenancy", "user")]
    return Account(tenancy or made[0], made[1], pem, read_only)


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it was signed. `target`: path and query as sent; `has_body`: its body has to be signed too."""

    method: str
    target: str
    headers: Mapping[str, str]
    has_body: bool


def signer_of(request: Signed, accounts: Mapping[str, Account], now: datetime) -> Account:
    """Whose signature this is; Refusal where it is nobody's, too old or too young, or leaves out what it must sign."""
    kind, _, rest = request.headers.get("authorization", "").partition(" ")
    given = dict(_PARAMETER.findall(rest))
    if kind != "Signature" or given.get("version") != "1" or given.get("algorithm") != "rsa-sha256":
        raise _refused("The request has no signature of version 1 with rsa-sha256")
    account = accounts.get(given.get("keyId", ""))
    if account is None:
        raise _refused("There is no key of this tenancy, user and fingerprint")
    names = given.get("headers", "").lower().split()
    _check_names(names, request)
    _check_date(request.headers.get("x-date") or request.headers.get("date", ""), now)
    text = "\n".join(f"{name}: {_value(name, request)}" for name in names)
    try:
        signature = base64.b64decode(given.get("signature", ""), validate=True)
        account.public_key.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error):
        raise _refused("The signature is not that of this request") from None
    return account


def check_body(headers: Mapping[str, str], body: bytes) -> None:
    """Refusal where the body is not the one that was signed."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    if headers.get("x-content-sha256") != digest:
        raise _refused("x-content-sha256 is not the body's")


def _check_names(names: list[str], request: Signed) -> None:
    needed = {"(request-target)", "host"} | (_BODY_HEADERS if request.has_body else set())
    missing = sorted(needed - set(names))
    if not {"date", "x-date"} & set(names):
        missing.append("date")
    if missing:
        raise _refused(f"{', '.join(missing)} has to be signed")


def _check_date(text: str, now: datetime) -> None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        raise _refused(f"The date {text!r} cannot be read") from None
    if abs(moment.astimezone(UTC) - now) > SKEW:
        raise _refused(f"Date '{text}' is not within allowed clock skew. Current '{now:%a, %d %b %Y %T} GMT'")


def _value(name: str, request: Signed) -> str:
    if name == "(request-target)":
        return f"{request.method.lower()} {request.target}"
    return request.headers.get(name, "")


def _refused(message: str) -> Refusal:
    said = "The required information to complete authentication was not provided or was incorrect."
    return Refusal(401, "NotAuthenticated", f"{said} {message}")
