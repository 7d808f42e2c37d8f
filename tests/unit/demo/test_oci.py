"""The native object storage server: what it demands of a signature, ranges, conditions, listings."""

import base64
import io
import json
from datetime import UTC, datetime

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import padding

from demo.oci import OciServer
from demo.oci_bucket import Upload
from demo.oci_signature import Refusal, Signed, check_body, new_account, signer_of
from tests.contracts.sites import oci_account

over = pytest.mark.parametrize
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DATE = "Sun, 01 Mar 2026 12:00:00 GMT"
GENERAL = "date (request-target) host"
BODY = f"{GENERAL} content-length content-type x-content-sha256"


@pytest.fixture
def server(tmp_path):
    with OciServer(tmp_path, ["b"], accounts=[oci_account("writer")]) as found:
        yield found


def signed_with(
    account, names, *, method="GET", target="/n/utility/b/b/o?limit=1", has_body=False, **headers
):
    headers = {"host": "127.0.0.1", "date": DATE, **{key.replace("_", "-"): v for key, v in headers.items()}}
    lines = [
        f"{name}: {f'{method.lower()} {target}' if name == '(request-target)' else headers.get(name, '')}"
        for name in names.split()
    ]
    key = ser.load_pem_private_key(account.private_key.encode(), None)
    signature = base64.b64encode(
        key.sign("\n".join(lines).encode(), padding.PKCS1v15(), hashes.SHA256())
    ).decode()
    headers["authorization"] = (
        f'Signature version="1",keyId="{account.key_id}",algorithm="rsa-sha256",headers="{names}",'
        f'signature="{signature}"'
    )
    return Signed(method, target, headers, has_body)


def ask(server, method, path, body=None, **headers):
    """A request signed without the SDK; the answer's status, headers and body."""
    host = f"{server.host}:{server.port}"
    date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    signed = signed_with(server.accounts[0], GENERAL, method=method, target=path, host=host, date=date)
    sent = {**signed.headers, **{key.replace("_", "-"): value for key, value in headers.items()}}
    answer = requests.request(method, server.url + path, data=body, headers=sent, timeout=10)
    return answer.status_code, answer.headers, answer.content


def signer(request, *accounts):
    return signer_of(request, {account.key_id: account for account in accounts}, NOW)


def test_who_signed_is_known():
    one, two = oci_account("writer"), oci_account("reader")
    assert signer(signed_with(two, GENERAL), one, two) is two
    assert signer(signed_with(one, BODY, method="POST", has_body=True), one, two) is one


@over("names", ["date host", "date (request-target)", "(request-target) host"])
def test_what_has_to_be_signed_is_named(names):
    account = oci_account("writer")
    with pytest.raises(Refusal, match="has to be signed") as raised:
        signer(signed_with(account, names), account)
    assert (raised.value.status, raised.value.code) == (401, "NotAuthenticated")


def test_a_body_has_to_be_signed_too():
    account = oci_account("writer")
    with pytest.raises(Refusal, match="content-length, content-type, x-content-sha256 has to be signed"):
        signer(signed_with(account, GENERAL, method="POST", has_body=True), account)
    with pytest.raises(Refusal, match="not the body's"):
        check_body({"x-content-sha256": "other"}, b"{}")


def test_another_request_under_the_same_signature_is_refused():
    account = oci_account("writer")
    good = signed_with(account, GENERAL)
    with pytest.raises(Refusal, match="not that of this request"):
        signer(Signed("GET", good.target + "0", good.headers, has_body=False), account)


@over(("date", "good"), [("11:55:00", True), ("12:05:00", True), ("11:54:59", False), ("12:05:01", False)])
def test_a_date_more_than_five_minutes_off_is_refused(date, good):
    account = oci_account("writer")
    request = signed_with(account, GENERAL, date=f"Sun, 01 Mar 2026 {date} GMT")
    if good:
        assert signer(request, account) is account
    else:
        with pytest.raises(Refusal, match="clock skew"):
            signer(request, account)


@over("header", ["", "Basic abc", 'Signature version="1"', 'Signature version="2",algorithm="rsa-sha256"'])
def test_what_is_no_signature_is_refused(header):
    with pytest.raises(Refusal):
        signer(Signed("GET", "/n", {"authorization": header, "date": DATE}, has_body=False))


def test_an_account_has_its_own_key():
    assert new_account().fingerprint != new_account().fingerprint


def test_unsigned_requests_are_answered_in_the_services_words(server):
    answer = requests.get(f"{server.url}/n", timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (401, "NotAuthenticated")


def test_parts_of_an_upload_are_listed(server):
    bucket = server.buckets["b"]
    upload = bucket.begin(Upload("a", {}))
    for number in (2, 1):
        bucket.part(upload, "a", number, bucket.receive(io.BytesIO(b"x" * number), number))
    parts = json.loads(ask(server, "GET", f"/n/utility/b/b/u/a?uploadId={upload}")[2])
    assert [(part["partNumber"], part["size"]) for part in parts] == [(1, 1), (2, 2)]


@over(
    ("asked", "status", "got"),
    [
        ("bytes=0-3", 206, b"0123"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=4-99", 206, b"456789"),
        ("bytes=10-", 416, None),
    ],
)
def test_ranges(server, asked, status, got):
    ask(server, "PUT", "/n/utility/b/b/o/a", b"0123456789")
    code, headers, body = ask(server, "GET", "/n/utility/b/b/o/a", range=asked)
    assert code == status
    if got is not None:
        assert (body, headers["Content-Range"].endswith("/10")) == (got, True)


def test_conditions(server):
    _, headers, _ = ask(server, "PUT", "/n/utility/b/b/o/a", b"one")
    assert ask(server, "PUT", "/n/utility/b/b/o/a", b"two", if_none_match="*")[0] == 412
    assert ask(server, "PUT", "/n/utility/b/b/o/a", b"two", if_match="other")[0] == 412
    assert ask(server, "GET", "/n/utility/b/b/o/a", if_match="other")[0] == 412
    assert ask(server, "DELETE", "/n/utility/b/b/o/a", if_match="other")[0] == 412
    assert ask(server, "PUT", "/n/utility/b/b/o/a", b"three", if_match=headers["ETag"])[0] == 200
    assert ask(server, "GET", "/n/utility/b/b/o/a")[2] == b"three"
    assert ask(server, "PUT", "/n/utility/b/b/o/a", b"x", content_md5="AAAA")[0] == 400


def listed(server, query):
    found = json.loads(ask(server, "GET", f"/n/utility/b/b/o?{query}")[2])
    return [item["name"] for item in found["objects"]], found.get("prefixes"), found.get("nextStartWith")


def test_listings_begin_and_end_where_asked(server):
    for name in ("a", "b%2F1", "b%2F2", "c", "d"):
        ask(server, "PUT", f"/n/utility/b/b/o/{name}", b"x")
    assert listed(server, "limit=1000") == (["a", "b/1", "b/2", "c", "d"], None, None)
    assert listed(server, "delimiter=%2F") == (["a", "c", "d"], ["b/"], None)
    assert listed(server, "limit=2") == (["a", "b/1"], None, "b/2")
    assert listed(server, "start=b%2F2&end=d") == (["b/2", "c"], None, None)
    assert listed(server, "startAfter=c") == (["d"], None, None)
    assert listed(server, "prefix=b%2F&delimiter=%2F") == (["b/1", "b/2"], None, None)
    assert ask(server, "GET", "/n/utility/b/b/o?delimiter=x")[0] == 400


@over(
    ("method", "path", "code"),
    [
        ("GET", "/elsewhere", "NotFound"),
        ("GET", "/n/other/b/b/o", "NamespaceNotFound"),
        ("GET", "/n/utility/b/no/o", "BucketNotFound"),
        ("GET", "/n/utility/b/b/o/no", "ObjectNotFound"),
        ("PUT", "/n/utility/b/b/u/a?uploadId=no&uploadPartNum=1", "NoSuchUpload"),
        ("GET", "/n/utility/b/b/u/a?uploadId=no", "NoSuchUpload"),
        ("GET", "/n/utility/b", "MissingParameter"),
    ],
)
def test_what_is_not_there_is_said_in_the_services_words(server, method, path, code):
    body = b"x" if method == "PUT" else None
    assert json.loads(ask(server, method, path, body)[2])["code"] == code


def test_it_forgets_and_empties_itself_when_told(server, tmp_path):
    ask(server, "PUT", "/n/utility/b/b/o/a", b"x")
    assert [(entry["operation"], entry["key"], entry["size"]) for entry in server.received()] == [
        ("PutObject", "a", 1)
    ]
    server.reset(files=True)
    assert (server.received(), list((tmp_path / "b").iterdir())) == ([], [])
    with pytest.raises(ValueError, match="not one of"):
        server.fail("nonsense")
