"""What is particular to object storage: namespaces, multipart, renames cut off midway."""

import hashlib
import io
import socket
import threading
import time
from contextlib import closing

import boto3
import pytest
import time_machine
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from integrations.adapters import adapter_class, object_parts, object_rename
from integrations.adapters.contract import Endpoint
from integrations.adapters.errors import (
    AlreadyExists,
    Dropped,
    Misconfigured,
    NotFound,
    NotPermitted,
    Refused,
    Unwhole,
)
from integrations.adapters.object_quick import QuickClient
from integrations.adapters.several import Parcel
from tests.contracts import sites

MB = 1024 * 1024
BUCKET = "ccs-out"
over = pytest.mark.parametrize


@pytest.fixture
def site(tmp_path):
    with sites.objects(tmp_path) as found:
        client = found.server.client()
        for upload in pending(found):  # the store keeps what a test before this one left
            client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
        found.server.reset()
        yield found


@pytest.fixture
def store(site):
    with site.store() as found:
        yield found


def operations(site):
    return [entry["operation"] for entry in site.server.received()]


def pending(site):
    """The multipart uploads that somebody began and nobody ended."""
    return site.server.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])


def between(site, do):
    """`do(environ)` with each request before the store has it; what it returns but None is the answer's status."""
    store = site.server._application

    def application(environ, start):
        status = do(environ)
        if status is None:
            return store(environ, start)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start(status, [("Content-Length", "0"), ("Location", "http://127.0.0.1:9/")])
        return []

    site.server._application = application


def is_part(environ):
    return environ["REQUEST_METHOD"] == "PUT" and "partNumber" in environ["QUERY_STRING"]


def our_threads():
    names = ("parts", "pieces", "sha256", "several")
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(names)]


class Counted:
    """A Reader of so many bytes that knows how many were read; `at` a number of them something happens."""

    def __init__(self, size, *, at=None, then=None):
        self.size, self.given, self.at, self.then = size, 0, at, then

    def read(self, size=-1, /):
        if self.at is not None and self.given >= self.at:
            self.at = None
            self.then()
        found = min(size, self.size - self.given)
        self.given += found
        return b"x" * found


def test_a_small_object_is_one_put_with_the_mark_as_metadata(store, site):
    store.write(BUCKET, "a", io.BytesIO(b"content"), mark="17")
    assert operations(site) == ["PUT"]
    assert site.server.client().head_object(Bucket=BUCKET, Key="a")["Metadata"] == {"busbar-transfer": "17"}


@pytest.mark.parametrize("size", [8 * MB - 1, 8 * MB, 8 * MB + 1, 16 * MB])
@pytest.mark.parametrize("known", [True, False])
def test_objects_around_the_size_of_a_part_arrive_whole(store, size, known):
    content = hashlib.shake_128(b"x").digest(size)
    written = store.write(BUCKET, "a", io.BytesIO(content), size=size if known else None)
    assert (written.size, written.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert store.stat(BUCKET, "a").size == size


GB = 1024**3


@over("size", [5 * GB, 5 * GB + 1, 70 * GB, 200 * GB, 5 * 1024 * GB])
def test_any_size_s3_takes_fits_into_its_ten_thousand_parts(size):
    part = object_parts.part_size(1, size)
    assert -(-size // part) <= 10_000
    assert 5 * MB <= part <= 5 * GB


@over("size", [None, 9 * MB, 5 * GB, 70 * GB, 200 * GB])
def test_parts_in_flight_and_the_one_that_is_read_stay_within_their_memory(size):
    for number in range(1, 3001):
        part = object_parts.part_size(number, size)
        assert (object_parts.in_flight(number, size) + 1) * part <= max(48 * MB, part)
        assert object_parts.in_flight(number, size) <= 4


def test_parts_of_an_unknown_size_grow_so_that_any_size_fits():
    assert sum(object_parts.part_size(number, None) for number in range(1, 10_001)) > 5 * 1024**4
    assert object_parts.part_size(1, None) == object_parts.PART


def test_a_very_large_part_is_read_when_the_one_before_is_there():
    assert object_parts.in_flight(1, 5 * 1024 * GB) == 0


def test_several_parts_are_sent_at_once_while_the_next_is_read(store, site):
    now, most, lock = [0], [0], threading.Lock()

    def slowly(environ):
        if is_part(environ):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.5)
            with lock:
                now[0] -= 1

    between(site, slowly)
    content = hashlib.shake_128(b"several").digest(60 * MB)
    store.write(BUCKET, "a", io.BytesIO(content), size=60 * MB)
    assert most[0] == 4
    assert site.server.client().get_object(Bucket=BUCKET, Key="a")["Body"].read() == content
    assert our_threads() == []


@over("size", [None, 200 * MB])
def test_no_more_is_read_than_memory_is_set_aside_for_while_the_store_takes_nothing(store, site, size):
    go = threading.Event()
    between(site, lambda environ: go.wait(30) and None if is_part(environ) else None)
    source = Counted(200 * MB)
    thread = threading.Thread(target=store.write, args=(BUCKET, "a", source), kwargs={"size": size})
    thread.start()
    seen = -1
    while source.given != seen:
        seen = source.given
        time.sleep(0.5)
    go.set()
    thread.join()
    assert seen == 40 * MB
    assert store.stat(BUCKET, "a").size == 200 * MB


@over("failing", [1, 3, 6])
def test_a_part_that_fails_ends_the_upload_and_leaves_nothing(store, site, failing):
    number = f"partNumber={failing}"
    between(
        site, lambda environ: "500 NO" if number in environ["QUERY_STRING"].split("&") else time.sleep(0.05)
    )
    source = Counted(200 * MB)
    with pytest.raises(Refused, match="500"):
        store.write(BUCKET, "a", source)
    assert source.given <= (failing + 5) * 8 * MB
    assert (site.names(), pending(site), our_threads()) == ([], [], [])


def test_an_upload_is_aborted_when_no_part_is_on_its_way_any_more(store, site):
    """One that arrived later would stay, and cost money."""
    between(site, lambda environ: time.sleep(0.5) if is_part(environ) else None)
    with pytest.raises(ZeroDivisionError):
        store.write(BUCKET, "a", Counted(60 * MB, at=40 * MB, then=lambda: 1 // 0))
    said = operations(site)
    assert said[-1] == "DELETE"
    assert said.count("PUT") == 5
    assert pending(site) == []


@over("error", [KeyboardInterrupt, SystemExit, NotFound("the other store's trouble")])
def test_what_ends_the_reading_comes_through_as_it_is_even_where_the_abort_fails(store, site, error):
    def end():
        site.server.fail("500")
        raise error

    with pytest.raises(BaseException) as raised:  # noqa: PT011  (what it is, is asserted)
        store.write(BUCKET, "a", Counted(60 * MB, at=30 * MB, then=end))
    assert raised.value is error or isinstance(raised.value, error)
    site.server.reset()
    assert (site.names(), our_threads()) == ([], [])
    store.write(BUCKET, "a", Counted(60 * MB))
    assert site.names() == ["a"]


def test_a_part_that_is_cut_on_its_way_is_dropped_and_leaves_nothing(store, site):
    def cut(environ):
        if "partNumber=3" in environ["QUERY_STRING"].split("&"):
            environ["wsgi.input"].read(MB)
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)

    between(site, cut)
    with pytest.raises(Dropped) as raised:
        store.write(BUCKET, "a", Counted(60 * MB))
    assert raised.value.passing
    assert (site.names(), pending(site)) == ([], [])


def test_an_upload_that_may_not_be_ended_is_aborted(store, site):
    def refuse(environ):
        if environ["REQUEST_METHOD"] == "POST" and "uploadId" in environ["QUERY_STRING"]:
            return "403 NO"
        return None

    between(site, refuse)
    with pytest.raises(NotPermitted):
        store.write(BUCKET, "a", Counted(20 * MB))
    assert (site.names(), pending(site)) == ([], [])


@over("size", [7, 20 * MB])
def test_what_the_store_has_otherwise_than_sent_is_removed_and_said(store, site, size):
    def spoil(environ):
        if environ["REQUEST_METHOD"] == "PUT":
            content = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = io.BytesIO(content[:-1] + b"!")

    between(site, spoil)
    with pytest.raises(Unwhole, match="a at OS has another checksum"):
        store.write(BUCKET, "a", io.BytesIO(b"x" * size))
    assert (site.names(), pending(site)) == ([], [])


def test_a_store_whose_etags_say_nothing_is_asked_for_the_size(store, site):
    bucket = store._bucket(BUCKET)
    bucket.client.meta.events.register(
        "after-call.s3.CompleteMultipartUpload", lambda parsed, **more: parsed.update(ETag='"opaque"')
    )
    assert store.write(BUCKET, "a", Counted(20 * MB)).size == 20 * MB
    assert operations(site)[-1] == "HEAD"


# -- names that must be free -------------------------------------------------------------------------------------


@over("size", [1, 20 * MB])
def test_a_name_that_was_free_a_moment_ago_is_not_overwritten(store, site, size):
    assert store.stat(BUCKET, "a") is None
    site.put("a", b"somebody else's")
    with pytest.raises(AlreadyExists, match="a is there already"):
        store.write(BUCKET, "a", Counted(size))
    assert site.server.client().get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"somebody else's"
    assert pending(site) == []


def test_a_write_after_one_that_failed_may_overwrite_again(store, site):
    assert store.stat(BUCKET, "a") is None
    site.server.fail("500", 1)
    with pytest.raises(Refused):
        store.write(BUCKET, "a", Counted(1))
    site.put("a", b"what the failed one wrote after all")
    assert store.write(BUCKET, "a", Counted(1)).size == 1


@over("status", ["501 Not Implemented", "400 Bad Request"])
@over("size", [1, 20 * MB])
def test_a_store_that_refuses_conditions_is_asked_without_and_remembered(store, site, status, size):
    asked = []

    def refuse(environ):
        asked.append("HTTP_IF_NONE_MATCH" in environ)
        return status if asked[-1] else None

    between(site, refuse)
    for name in ("a", "b"):
        assert store.stat(BUCKET, name) is None
        assert store.write(BUCKET, name, Counted(size)).size == size
    assert asked.count(True) == 1
    assert site.names() == ["a", "b"]


# -- several at once ---------------------------------------------------------------------------------------------


def parcels(*names):
    return [Parcel(name, name.encode(), "17") for name in names]


NAMES = [f"f{number:02}" for number in range(16)]


def test_sixteen_small_objects_are_one_listing_and_one_put_each(store, site):
    site.put("f99")
    site.server.reset()
    assert store.taken(BUCKET, NAMES, at_once=8) == set()
    store.write_many(BUCKET, parcels(*NAMES), at_once=8)
    assert operations(site) == ["GET", *["PUT"] * 16]
    assert site.names() == [*NAMES, "f99"]
    found = site.server.client().head_object(Bucket=BUCKET, Key="f00")
    assert found["Metadata"] == {"busbar-transfer": "17"}


def test_sixteen_small_objects_are_read_in_one_request_each(store, site):
    store.write_many(BUCKET, parcels(*NAMES), at_once=8)
    site.server.reset()
    store.read_many(BUCKET, NAMES, at_once=8)
    assert operations(site) == ["GET"] * 16


def test_sixteen_small_objects_are_renamed_in_two_requests_each_and_keep_what_is_kept_with_them(store, site):
    store.write_many(BUCKET, parcels(*NAMES), at_once=8)
    site.server.reset()
    assert store.rename_many(BUCKET, [(n, f"SENT-{n}") for n in NAMES], at_once=8) == [None] * 16
    said = operations(site)
    assert (said.count("GET"), said.count("PUT"), said.count("DELETE"), len(said)) == (2, 16, 16, 34)
    found = site.server.client().head_object(Bucket=BUCKET, Key="SENT-f00")
    assert found["Metadata"] == {"busbar-transfer": "17"}


def test_names_far_apart_are_found_among_many_others(store, site):
    for number in range(60):
        site.put(f"f{number:02}-other")
    for name in ("f00", "f30", "f59"):
        site.put(name)
    looked_for = ["f00", "f01", "f29", "f30", "f58", "f59", "g"]
    assert store.taken(BUCKET, looked_for, at_once=4) == {"f00", "f30", "f59"}


def test_a_name_that_is_taken_between_looking_and_writing_is_not_overwritten(store, site):
    assert store.taken(BUCKET, NAMES, at_once=1) == set()
    site.put("f03", b"somebody else's")
    found = store.write_many(BUCKET, parcels(*NAMES), at_once=1)
    assert isinstance(found[3], AlreadyExists)
    assert site.server.client().get_object(Bucket=BUCKET, Key="f03")["Body"].read() == b"somebody else's"


def test_a_listing_that_fails_is_said_in_the_first_place_and_nothing_is_written(store, site):
    site.server.fail("500", 1)
    found = store.write_many(BUCKET, parcels(*NAMES), at_once=4)
    assert [type(one).__name__ for one in found] == ["Refused", *["NotStarted"] * 15]
    assert site.names() == []


def test_renames_cut_off_between_copy_and_delete_are_ended_by_the_next(store, site):
    store.write_many(BUCKET, parcels(*NAMES), at_once=8)
    broken = [True]
    between(site, lambda environ: "500 NO" if environ["REQUEST_METHOD"] == "DELETE" and broken[0] else None)
    pairs = [(name, f"SENT-{name}") for name in NAMES]
    found = store.rename_many(BUCKET, pairs, at_once=4)
    assert isinstance(found[0], Refused)
    assert {"f00", "SENT-f00"} <= set(site.names())
    broken[0] = False
    assert store.rename_many(BUCKET, pairs, at_once=4) == [None] * 16
    assert site.names() == [f"SENT-{name}" for name in NAMES]


def test_what_was_uploaded_in_parts_is_renamed_among_others_and_known_as_the_copy(store, site):
    store.write(BUCKET, "f00", Counted(20 * MB))
    store.write_many(BUCKET, parcels(*NAMES[1:]), at_once=8)
    before = store.stat(BUCKET, "f00").modified
    assert store.rename_many(BUCKET, [(n, f"SENT-{n}") for n in NAMES], at_once=4) == [None] * 16
    found = site.server.client().head_object(Bucket=BUCKET, Key="SENT-f00")
    assert (found["ContentLength"], found["Metadata"]["busbar-copy-of"]) == (20 * MB, before)


def test_a_small_object_that_another_place_is_named_for_is_asked_for_there(store, site):
    """boto3 knows where a bucket of another region is; here the next request to the same place works."""
    moved = [True]

    def elsewhere(environ):
        if moved[0]:
            moved[0] = False
            return "307 Temporary Redirect"
        return None

    between(site, elsewhere)
    assert store.write_many(BUCKET, parcels("a"), at_once=1)[0].size == 1
    moved[0] = True
    assert store.read_many(BUCKET, ["a"], at_once=1)[0].content == b"a"


@over(
    "url", ["http://os.example", "http://os.example:80", "https://os.example:8443/base", "https://[::1]:9000"]
)
@over("key", ["a", " two  words ", "Zähler é+%41~*.csv", "計量器;x=1&y.csv", "quote'\"back\\slash"])
def test_small_requests_are_signed_as_botocore_signs_them(url, key):
    client = boto3.client(
        "s3", endpoint_url=url, region_name="eu-one", aws_access_key_id="id", aws_secret_access_key="secret"
    )
    quick = QuickClient(client, access_key="id", secret_key="secret")
    asked = {
        "put": (
            "PUT",
            {"Bucket": "b-1", "Key": key},
            b"content",
            {"content-md5": "x==", "x-amz-meta-m": "1"},
        ),
        "list": ("GET", {"Bucket": "b-1", "Prefix": key, "Delimiter": "/", "MaxKeys": 5}, b"", {}),
        "delete": ("DELETE", {"Bucket": "b-1", "Key": key}, b"", {}),
    }
    signer = S3SigV4Auth(Credentials("id", "secret"), "s3", "eu-one")
    with closing(client), time_machine.travel("2026-03-29T01:30:00Z", tick=False):
        for method, names, body, headers in asked.values():
            ours = quick._request(method, names, body, dict(headers))
            theirs = AWSRequest(method=method, url=ours.url, data=body, headers=headers)
            theirs.context |= {"client_config": client.meta.config, "has_streaming_input": method == "PUT"}
            signer.add_auth(theirs)
            assert ours.headers["Authorization"] == theirs.headers["Authorization"]
            assert ours.headers["x-amz-content-sha256"] == theirs.headers["X-Amz-Content-SHA256"]


# -- reading large objects ---------------------------------------------------------------------------------------


def big(site, pieces=8):
    content = hashlib.shake_128(b"big").digest(pieces * 8 * MB - 5)
    site.put("big", content)
    site.server.reset()
    return content


def asked(site):
    return [entry for entry in site.server.received() if entry["operation"] == "GET"]


def wait_for_requests(site, count):
    deadline = time.monotonic() + 20
    while len(asked(site)) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    assert len(asked(site)) == count


def read_on(reader):
    return b"".join(iter(lambda: reader.read(3 * MB), b""))


def test_a_large_object_is_read_ahead_and_only_so_far(store, site):
    content = big(site)
    with store.open(BUCKET, "big") as reader:
        wait_for_requests(site, 3)
        assert reader.read(MB) == content[:MB]
        wait_for_requests(site, 4)
        rest = read_on(reader)
        assert reader.read(10) == b""
    assert content[MB:] == rest
    assert our_threads() == []


@over("size", [0, 8 * MB - 1, 8 * MB, 8 * MB + 1, 16 * MB])
def test_objects_around_the_size_of_a_piece_are_read_whole(store, site, size):
    content = hashlib.shake_128(b"piece").digest(size)
    site.put("a", content)
    with store.open(BUCKET, "a") as reader:
        assert b"".join(iter(lambda: reader.read(5 * MB), b"")) == content
    with store.open(BUCKET, "a") as reader:
        assert reader.read(-1) == content


def test_a_large_read_cut_at_a_later_piece_is_dropped(store, site):
    big(site)
    with store.open(BUCKET, "big") as reader:
        wait_for_requests(site, 3)
        site.server.fail("cut", 1)
        with pytest.raises(Dropped) as raised:
            read_on(reader)
    assert raised.value.passing
    assert our_threads() == []


def test_an_object_that_is_replaced_while_it_is_read_is_not_mixed(store, site):
    big(site)
    with store.open(BUCKET, "big") as reader:
        wait_for_requests(site, 3)
        site.put("big", b"y" * 64 * MB)
        with pytest.raises(Unwhole, match="changed while it was read"):
            read_on(reader)


def test_a_read_that_stops_midway_leaves_no_thread_behind(store, site):
    big(site)
    with store.open(BUCKET, "big") as reader:
        reader.read(10)
    assert our_threads() == []


# -- renames -----------------------------------------------------------------------------------------------------


def crash(*args, **kwargs):
    raise KeyboardInterrupt


def test_a_rename_cut_off_between_copy_and_delete_is_ended_by_the_next(store, site, monkeypatch):
    site.put("a", b"content")
    with monkeypatch.context() as patch:
        patch.setattr(type(store), "delete", crash)
        with pytest.raises(KeyboardInterrupt):
            store.rename(BUCKET, "a", "b")
    assert site.names() == ["a", "b"]
    store.rename(BUCKET, "a", "b")
    assert site.names() == ["b"]


def test_a_large_object_is_renamed_in_parts_and_known_as_the_copy(store, site, monkeypatch):
    monkeypatch.setattr(object_rename, "LARGEST_COPY", 10 * MB)
    monkeypatch.setattr(object_rename, "COPY_PART", 6 * MB)
    content = hashlib.shake_128(b"y").digest(20 * MB)
    store.write(BUCKET, "a", io.BytesIO(content), mark="17")
    before = store.stat(BUCKET, "a").modified
    store.rename(BUCKET, "a", "b")
    found = site.server.client().head_object(Bucket=BUCKET, Key="b")
    assert found["Metadata"] == {"busbar-transfer": "17", "busbar-copy-of": before}
    assert (site.names(), found["ContentLength"]) == (["b"], 20 * MB)


def test_an_object_of_the_same_size_but_other_content_is_not_overwritten(store, site):
    site.put("a", b"one")
    site.put("b", b"two")
    with pytest.raises(AlreadyExists):
        store.rename(BUCKET, "a", "b")
    assert site.names() == ["a", "b"]


def test_more_than_a_page_is_listed_in_order(store, site, monkeypatch):
    for number in range(25):
        site.put(f"f{number:02}")
    client = store._bucket(BUCKET).client
    original = client._make_api_call

    def small_pages(name, arguments):
        return original(name, {**arguments, "MaxKeys": 10} if name == "ListObjects" else arguments)

    monkeypatch.setattr(client, "_make_api_call", small_pages)
    assert [info.name for info in store.list(BUCKET, "f")] == [f"f{number:02}" for number in range(25)]


def test_a_namespace_that_is_not_the_connections_is_refused(site):
    settings = {**site.endpoint.settings, "namespace": "utility"}
    with site.store(settings=settings) as store:
        assert list(store.list(f"utility/{BUCKET}")) == []
        assert list(store.list(BUCKET)) == []
        with pytest.raises(NotFound, match="'utility', not 'other'"):
            list(store.list(f"other/{BUCKET}"))


def test_the_namespace_goes_into_the_url_where_it_has_a_place_for_it(site):
    settings = {**site.endpoint.settings, "endpoint_url": f"http://{{namespace}}:{site.server.port}"}
    with site.store(settings=settings) as store:
        assert list(store.list(f"localhost/{BUCKET}")) == []
        with pytest.raises(Misconfigured, match="namespace"):
            list(store.list(BUCKET))


@pytest.mark.parametrize("directory", ["", "a/b/c", "/"])
def test_what_is_no_bucket_is_said_so(store, directory):
    with pytest.raises(Misconfigured, match="bucket"):
        list(store.list(directory))


def test_a_transfer_without_a_bucket_is_said_so(store):
    assert store.directory_for({"bucketName": "b"}) == "b"
    with pytest.raises(Misconfigured, match="no bucket"):
        store.directory_for({"directory": "x"})


def test_settings_that_cannot_work_are_named():
    problems = adapter_class("object_storage").problems(
        Endpoint("OS", "object_storage", {"endpoint_url": "x"})
    )
    assert problems == [
        "Access key is missing",
        "Secret key is missing",
        "Endpoint URL is 'x'; it begins with https:// (or http://) and a host",
    ]


def test_the_environment_is_not_asked_for_keys_or_proxies(site, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "other")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with site.store() as store:
        assert list(store.list(BUCKET)) == []
