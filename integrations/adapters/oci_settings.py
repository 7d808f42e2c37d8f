"""What an OCI connection is told, and what is wrong with it before anything is asked of the service."""

import hashlib
import re
from functools import lru_cache
from importlib.util import find_spec

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import rsa

from integrations.adapters.contract import Endpoint, Field, missing_fields
from integrations.adapters.errors import AdapterError, Misconfigured
from integrations.adapters.rest_settings import url_problems
from integrations.adapters.tls import client_context

OCI_FIELDS = (
    Field("tenancy", "Tenancy OCID", required=True, help="ocid1.tenancy.oc1..…"),
    Field("user", "User OCID", required=True, help="ocid1.user.oc1..…: the user the key belongs to."),
    Field(
        "fingerprint",
        "Fingerprint",
        required=True,
        help="As OCI shows it beside the user's API key: 16 pairs of digits with colons between.",
    ),
    Field("private_key", "Private key", secret=True, required=True, multiline=True, help="RSA, as PEM."),
    Field("passphrase", "Passphrase of the private key", secret=True),
    Field("region", "Region", help="e.g. eu-frankfurt-1; the address follows from it."),
    Field(
        "endpoint_url",
        "Endpoint URL",
        help="Only for a private endpoint or another realm, instead of the region's "
        "https://objectstorage.{region}.oraclecloud.com",
    ),
    Field("namespace", "Namespace", help="A transfer to another one is refused. Empty: the tenancy's own."),
    Field("bucket", "Bucket that Test lists"),
    Field("compartment", "Compartment OCID", help="Test counts its buckets where no bucket is set."),
)
INSTALL = "pip install -r requirements-oci.txt"
_FINGERPRINT = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){15}")
_OCID = r"ocid\w*[.:]{kind}[.:][\w-]*[.:][\w-]*[.:].*[\w-]"
_REGION = re.compile(r"[a-z0-9-]+")


def setting(endpoint: Endpoint, name: str) -> str:
    """One setting as text, without spaces around it; "" where there is none."""
    return str(endpoint.settings.get(name) or "").strip()


def service_url(endpoint: Endpoint) -> str:
    """Where the service answers: the endpoint URL, or the region's; Misconfigured where there is neither."""
    url, region = setting(endpoint, "endpoint_url").rstrip("/"), setting(endpoint, "region")
    if not (url or region):
        raise Misconfigured(f"{endpoint.name} has neither a region nor an endpoint URL")
    return url or f"https://objectstorage.{region}.oraclecloud.com"


def settings_problems(endpoint: Endpoint) -> list[str]:
    """What is wrong with these settings, a sentence each."""
    found = missing_fields(OCI_FIELDS, endpoint)
    found += [_ocid_problem(endpoint, kind) for kind in ("tenancy", "user", "compartment")]
    found += [_region_problem(endpoint), *url_problems("Endpoint URL", setting(endpoint, "endpoint_url"))]
    found.append(_fingerprint_problem(endpoint))
    for check in (client_context, sdk_is_there):
        try:
            check(endpoint)
        except AdapterError as error:
            found.append(f"{error.text}. {error.hint}".rstrip(". "))
    return list(filter(None, found))


def sdk_is_there(endpoint: Endpoint) -> None:
    """Nothing where the vendor's SDK is installed; else Misconfigured, with the command that installs it."""
    if not _has_sdk():
        raise Misconfigured(
            f"{endpoint.name} needs the SDK of Oracle Cloud Infrastructure, which is not installed",
            hint=f"It is an extra of its own: run `{INSTALL}` where the hub runs, then start the hub again.",
        )


def _has_sdk() -> bool:
    try:
        return find_spec("oci") is not None
    except ImportError:
        return False


def check_key(endpoint: Endpoint) -> str:
    """The fingerprint, where the private key is readable and has it; Misconfigured."""
    said = setting(endpoint, "fingerprint").lower()
    has = fingerprint_of(key_of(endpoint))
    if said != has:
        raise Misconfigured(
            f"The private key has the fingerprint {has}, the connection says {said or 'none'}",
            hint="Take the fingerprint that OCI shows for this key, or upload the key that belongs to it.",
        )
    return has


def key_of(endpoint: Endpoint) -> rsa.RSAPrivateKey:
    """The private key, decrypted; Misconfigured where it cannot be read."""
    return _load(endpoint.secrets.get("private_key", ""), endpoint.secrets.get("passphrase", ""))


# Checking an RSA key takes longer than a request: a process does it once for each key.
@lru_cache(maxsize=16)
def _load(text: str, passphrase: str) -> rsa.RSAPrivateKey:
    pem = text.strip().encode() + b"\n"
    try:
        key = ser.load_pem_private_key(pem, passphrase.encode() or None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Misconfigured(
            "The private key cannot be read",
            detail=str(error),
            hint="It is the whole text from BEGIN to END, and its passphrase is right (empty if it has none).",
        ) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise Misconfigured("The private key is no RSA key", hint="OCI signs requests with RSA keys only.")
    return key


def fingerprint_of(key: rsa.RSAPrivateKey) -> str:
    """As OCI shows it: the MD5 of the public key in DER, in pairs with colons between."""
    public = key.public_key().public_bytes(ser.Encoding.DER, ser.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.md5(public, usedforsecurity=False).digest().hex(":")


def _ocid_problem(endpoint: Endpoint, kind: str) -> str:
    value = setting(endpoint, kind)
    # The root compartment is the tenancy itself.
    kinds = "(compartment|tenancy)" if kind == "compartment" else kind
    if not value or re.fullmatch(_OCID.replace("{kind}", kinds), value):
        return ""
    return f"{kind.capitalize()} OCID is {value!r}; it begins with ocid1.{kind}."


def _region_problem(endpoint: Endpoint) -> str:
    region = setting(endpoint, "region")
    if not (region or setting(endpoint, "endpoint_url")):
        return "Region is missing (or, for a private endpoint, Endpoint URL)"
    if region and not _REGION.fullmatch(region):
        return f"Region is {region!r}; it reads like eu-frankfurt-1"
    return ""


def _fingerprint_problem(endpoint: Endpoint) -> str:
    said = setting(endpoint, "fingerprint").lower()
    if said and not _FINGERPRINT.fullmatch(said):
        return f"Fingerprint is {said!r}; it has 16 pairs of hexadecimal digits with colons between"
    if not (said and endpoint.secrets.get("private_key")):
        return ""
    try:
        check_key(endpoint)
    except Misconfigured as error:
        return f"{error.text}. {error.hint}"
    return ""
