"""An OCI connection's settings, what Test tries, and the SDK that may be missing."""

import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ed25519

from integrations.adapters import adapter_class
from integrations.adapters.contract import Endpoint
from tests.contracts import sites

BUCKET = "ccs-out"


@pytest.fixture
def site(tmp_path):
    with sites.oci(tmp_path) as found:
        yield found


def settings(site, **changes):
    return {**site.endpoint.settings, **changes}


def problems(**values):
    secrets = {"private_key": values.pop("private_key")} if "private_key" in values else {}
    return adapter_class("oci_object_storage").problems(Endpoint("OS", "oci_object_storage", values, secrets))


def test_settings_that_are_missing_are_named():
    assert problems() == [
        "Tenancy OCID is missing",
        "User OCID is missing",
        "Fingerprint is missing",
        "Private key is missing",
        "Region is missing (or, for a private endpoint, Endpoint URL)",
    ]


def test_settings_that_cannot_work_are_named():
    found = problems(
        tenancy="ocid1.user.oc1..x",
        user="me",
        fingerprint="ab:cd",
        region="Frankfurt!",
        endpoint_url="x",
        compartment="root",
        private_key="no key",
    )
    assert found == [
        "Tenancy OCID is 'ocid1.user.oc1..x'; it begins with ocid1.tenancy.",
        "User OCID is 'me'; it begins with ocid1.user.",
        "Compartment OCID is 'root'; it begins with ocid1.compartment.",
        "Region is 'Frankfurt!'; it reads like eu-frankfurt-1",
        "Endpoint URL is 'x'; it begins with https:// (or http://) and a host",
        "Fingerprint is 'ab:cd'; it has 16 pairs of hexadecimal digits with colons between",
    ]


def key_problems(private_key):
    account = sites.oci_account("writer")
    return problems(**account.settings, region="eu-frankfurt-1", private_key=private_key)


def test_a_fingerprint_that_is_not_the_keys_is_said_with_the_one_it_has():
    other = sites.oci_account("nobody")
    (found,) = key_problems(other.private_key)
    assert f"has the fingerprint {other.fingerprint}" in found
    assert sites.oci_account("writer").fingerprint in found


def test_keys_that_cannot_sign_are_said():
    ed = ed25519.Ed25519PrivateKey.generate().private_bytes(
        ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption()
    )
    assert "cannot be read" in key_problems("no key")[0]
    assert "RSA" in key_problems(ed.decode())[0]


def test_the_region_gives_the_address(site):
    fields = {field.name: field for field in adapter_class("oci_object_storage").fields}
    assert {name for name, field in fields.items() if field.secret} == {"private_key", "passphrase"}
    with site.store(settings=settings(site, endpoint_url="", region="no-such-place-1")) as store:
        step = next(step for step in store.test() if not step.ok)
    assert (step.what, "objectstorage.no-such-place-1.oraclecloud.com" in step.detail) == (
        "Resolve name",
        True,
    )


def test_test_says_what_it_tried(site):
    with site.store() as store:
        assert [step.what for step in store.test()] == [
            "Check key",
            "Resolve name",
            "Connect",
            "Log in",
            f"List bucket {BUCKET}",
        ]
    compartment = settings(site, bucket="", compartment=site.endpoint.settings["tenancy"])
    with site.store(settings=compartment) as store:
        last = store.test()[-1]
    assert (last.what, last.detail) == ("List buckets", "1 buckets")


WITHOUT_SDK = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "oci":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
from integrations.adapters import adapter_class, open_adapter
from integrations.adapters.contract import Endpoint
from integrations.adapters.errors import Misconfigured

endpoint = Endpoint("OS", "oci_object_storage", {"endpoint_url": "http://127.0.0.1:9"})
print(adapter_class("oci_object_storage").problems(endpoint)[-1])
with open_adapter(endpoint) as store:
    try:
        list(store.list("bucket"))
    except Misconfigured as error:
        print(error.text, error.hint)
    print([step.ok for step in store.test()])
assert "oci" not in sys.modules
"""


def test_without_the_sdk_the_extra_and_its_command_are_named():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SDK], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    problem, listed, tested = done.stdout.splitlines()
    for said in (problem, listed):
        assert "SDK of Oracle Cloud Infrastructure" in said
        assert "pip install -r requirements-oci.txt" in said
    assert tested == "[False]"


def test_other_adapters_do_not_load_the_sdk():
    code = (
        "import sys; from integrations.adapters import adapter_class, adapter_names\n"
        "[adapter_class(name).problems for name in adapter_names()]\n"
        "sys.exit('oci' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
