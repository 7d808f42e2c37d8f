"""What is particular to OCI's native API: signatures, atomic renames, parts in flight."""

import hashlib
import io
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization as ser

from demo.http import Answer, HttpServer
from demo.oci_bucket import Stored, Upload
from integrations.adapters import adapter_class, oci_write, parts
from integrations.adapters.errors import (
    AddressRefused,
    AlreadyExists,
    CertificateRefused,
    Dropped,
    LoginRefused,
    Misconfigured,
    NotFound,
    NotStarted,
    Refused,
    TargetFull,
    Unwhole,
)
from integrations.adapters.several import Parcel, Whole
from tests.contracts import sites
from tests.contracts.certificates import make

MB = 1024 * 1024
BUCKET = "ccs-out"
over = pytest.mark.parametrize


@pytest.fixture
def site(tmp_path):
    with sites.oci(tmp_path) as found:
        yield found


@pytest.fixture
def store(site):
    with site.store() as found:
        yield found


def operations(site):
    return [entry["operation"] for entry in site.server.received()]


def write(store, name, content, **more):
    return store.write(BUCKET, name, io.BytesIO(content), **more)


def settings(site, **changes):
    return {**site.endpoint.settings, **changes}


# -- signatures ------------------------------------------------------------------------------------------


def test_a_key_that_is_not_the_users_is_refused_with_what_to_check(site):
    other = sites.oci_account("nobody").private_key
    with site.store(secrets={"private_key": other}) as store, pytest.raises(LoginRefused) as raised:
        list(store.list(BUCKET))
    assert "NotAuthenticated" in raised.value.detail
    assert "fingerprint" in raised.value.hint
    assert not raised.value.passing


def test_a_fingerprint_nobody_has_is_refused(site):
    wrong = settings(site, fingerprint=":".join(["00"] * 16))
    with site.store(settings=wrong) as store, pytest.raises(LoginRefused, match="refuses the signature"):
        list(store.list(BUCKET))


@over("minutes", [-6, 6])
def test_a_clock_that_is_six_minutes_off_is_refused_and_said(site, minutes):
    site.server.clock_off = timedelta(minutes=minutes)
    with site.store() as store, pytest.raises(LoginRefused) as raised:
        write(store, "a", b"x")
    assert "clock skew" in raised.value.detail
    assert "clock" in raised.value.hint
    assert site.names() == []


def test_a_clock_that_is_four_minutes_off_is_taken(site):
    site.server.clock_off = timedelta(minutes=4)
    with site.store() as store:
        assert list(store.list(BUCKET)) == []


def test_a_key_with_a_passphrase_signs_too(site):
    key = ser.load_pem_private_key(site.endpoint.secrets["private_key"].encode(), None)
    locked = key.private_bytes(
        ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.BestAvailableEncryption("Zähler".encode())
    )
    secrets = {"private_key": locked.decode(), "passphrase": "Zähler"}
    assert adapter_class("oci_object_storage").problems(replace(site.endpoint, secrets=secrets)) == []
    with site.store(secrets=secrets) as store:
        assert list(store.list(BUCKET)) == []


# -- writing ---------------------------------------------------------------------------------------------


def test_a_small_object_is_one_request_with_the_mark_as_metadata(store, site):
    write(store, "a", b"content", mark="17/ä")
    assert operations(site) == ["PutObject"]
    assert site.bucket.get("a").metadata == {"busbar-transfer": "17/%C3%A4"}


@over("size", [0, 8 * MB - 1, 8 * MB, 8 * MB + 1, 16 * MB])
@over("known", [True, False])
def test_objects_around_the_size_of_a_part_arrive_whole(store, site, size, known):
    content = hashlib.shake_128(b"x").digest(size)
    written = write(store, "a", content, size=size if known else None, mark="17")
    assert (written.size, written.sha256) == (size, hashlib.sha256(content).hexdigest())
    with store.open(BUCKET, "a") as reader:
        assert reader.read() == content
    assert site.bucket.get("a").metadata == {"busbar-transfer": "17"}


def test_parts_grow_so_that_any_size_fits_and_fewer_are_in_flight_then():
    assert parts.part_size(1, 100 * 1024**3) * 10_000 > 100 * 1024**3
    assert sum(parts.part_size(number, None) for number in range(1, 10_001)) > 5 * 1024**4
    assert parts.parts_in_flight(1, None) == parts.IN_FLIGHT
    assert parts.parts_in_flight(1, 5 * 1024**4) == 1


class Telling(io.BytesIO):
    """A Reader that does something when so many bytes are read."""

    def __init__(self, content, at, do):
        super().__init__(content)
        self._at, self._do = at, do

    def read(self, size=-1, /):
        found = super().read(size)
        if self._do and self.tell() >= self._at:
            do, self._do = self._do, None
            do()
        return found


def test_parts_are_sent_while_one_of_them_waits(tmp_path):
    content = hashlib.shake_128(b"z").digest(40 * MB)
    with sites.oci(tmp_path, slow_seconds=1) as site, site.store() as store:
        source = Telling(content, 9 * MB, lambda: site.server.fail("slow", 1))
        written = store.write(BUCKET, "a", source)
        sent = [entry for entry in site.server.received() if entry["operation"] == "UploadPart"]
        assert written.sha256 == hashlib.sha256(content).hexdigest()
        slow = next(number for number, entry in enumerate(sent) if entry["fault"] == "slow")
        assert slow >= 2, "it was answered after parts that were sent behind it"
        with store.open(BUCKET, "a") as reader:
            assert hashlib.sha256(reader.read()).digest() == hashlib.sha256(content).digest()


@over(
    ("at", "error"),
    [(0, Refused), (9 * MB, Refused), (24 * MB, Refused)],
    ids=["at its beginning", "amid its parts", "at its end"],
)
def test_a_multipart_upload_that_fails_leaves_nothing(store, site, tmp_path, at, error):
    source = Telling(b"x" * 24 * MB, at, lambda: site.server.fail("500", 1))
    with pytest.raises(error) as raised:
        store.write(BUCKET, "a", source)
    assert raised.value.passing
    assert (site.names(), site.bucket.uploads) == ([], {})
    assert list((tmp_path / "buckets" / BUCKET).iterdir()) == []


def test_a_source_that_breaks_amid_the_parts_leaves_nothing(store, site, tmp_path):
    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(BUCKET, "a", Telling(b"x" * 40 * MB, 30 * MB, broken))
    assert "AbortMultipartUpload" in operations(site)
    assert list((tmp_path / "buckets" / BUCKET).iterdir()) == []


def test_a_commit_whose_answer_is_lost_is_dropped_and_the_object_is_there_whole(store, site):
    site.server.fail("lost", 1, operation="CommitMultipartUpload")
    with pytest.raises(Dropped) as raised:
        write(store, "a", b"x" * 20 * MB)
    assert raised.value.sent
    assert (site.names(), site.bucket.get("a").size) == (["a"], 20 * MB)


@over("operation", ["CreateMultipartUpload", "UploadPart", "CommitMultipartUpload", "HeadObject"])
def test_no_upload_is_left_behind_whichever_step_is_refused(store, site, operation):
    site.server.fail("500", 1, operation=operation)
    with pytest.raises(Refused):
        write(store, "a", b"x" * 20 * MB)
    assert site.bucket.uploads == {}


def test_uploads_that_a_crash_left_are_discarded_by_name(tmp_path):
    with sites.oci(tmp_path, page=3) as site, site.store() as store:
        for name in ("a", "a", "other", "a", "a", "aa"):
            left = site.bucket.begin(Upload(name, {}))
            site.bucket.part(left, name, 1, site.bucket.receive(io.BytesIO(b"part"), 4))
        store.discard(BUCKET, "a")
        assert sorted(upload.name for upload in site.bucket.uploads.values()) == ["aa", "other"]
        assert len(list((tmp_path / "buckets" / BUCKET).iterdir())) == 2


@over("size", [7, 20 * MB])
def test_what_the_service_has_otherwise_than_sent_is_removed_and_said(store, site, monkeypatch, size):
    monkeypatch.setattr(Stored, "md5", property(lambda self: "AAAAAAAAAAAAAAAAAAAAAA=="))
    with pytest.raises(Unwhole, match="AAAAAAAAAAAAAAAAAAAAAA=="):
        write(store, "a", b"x" * size)
    assert site.names() == []


def test_what_somebody_else_wrote_meanwhile_is_not_removed(store, site, monkeypatch):
    original = oci_write.head

    def late(bucket, name):
        site.put("a", b"somebody else's")
        return original(bucket, name)

    monkeypatch.setattr(oci_write, "head", late)
    with pytest.raises(Unwhole, match="not removed"):
        write(store, "a", b"x" * 20 * MB)
    assert site.bucket.get("a").size == len(b"somebody else's")


@over("size", [7, 20 * MB])
def test_what_changes_on_its_way_is_refused_by_the_service(store, site, monkeypatch, size):
    monkeypatch.setattr(oci_write, "_md5", lambda content: b"\0" * 16)
    with pytest.raises(Unwhole) as raised:
        write(store, "a", b"x" * size)
    assert raised.value.passing
    assert (site.names(), site.bucket.uploads) == ([], {})


@over("size", [7, 20 * MB])
def test_a_name_that_was_free_a_moment_ago_is_not_overwritten(store, site, size):
    assert store.stat(BUCKET, "a") is None
    site.put("a", b"somebody else's")
    with pytest.raises(AlreadyExists):
        write(store, "a", b"x" * size)
    assert site.bucket.get("a").size == len(b"somebody else's")
    assert write(store, "a", b"new").size == 3, "asked for again without a look, it overwrites"


def test_a_quota_that_is_used_up_is_a_target_that_is_full(store, site):
    site.server.fail("full", 1)
    with pytest.raises(TargetFull, match="no room for ccs-out/a"):
        write(store, "a", b"x")


# -- renames ---------------------------------------------------------------------------------------------


def test_a_rename_is_one_request(store, site):
    site.put("a", b"content")
    store.rename(BUCKET, "a", "b")
    assert operations(site) == ["RenameObject"]


def test_of_many_that_want_one_name_one_gets_it_and_none_is_lost(store, site):
    names = [f"f{number}" for number in range(12)]
    for name in names:
        site.put(name, name.encode())
    found = store.rename_many(BUCKET, [(name, "won") for name in names], at_once=6)
    assert found.count(None) == 1
    assert {type(one) for one in found} <= {type(None), AlreadyExists, NotStarted}
    assert len(site.names()) == 12
    assert "won" in site.names()


def test_a_rename_whose_answer_is_lost_has_happened(store, site):
    site.put("a", b"content")
    site.server.fail("lost", 1)
    with pytest.raises(Dropped) as raised:
        store.rename(BUCKET, "a", "b")
    assert raised.value.sent
    assert site.names() == ["b"]
    with pytest.raises(NotFound):
        store.rename(BUCKET, "a", "b")


# -- several at once -------------------------------------------------------------------------------------


def test_many_are_written_read_and_renamed_with_a_request_each(store, site):
    files = [Parcel(f"f{number:02}", b"%d" % number * 100, str(number)) for number in range(20)]
    written = store.write_many(BUCKET, files, at_once=6)
    assert [one.sha256 for one in written] == [hashlib.sha256(file.content).hexdigest() for file in files]
    names = [file.name for file in files]
    read = store.read_many(BUCKET, names, at_once=6)
    assert [one.content for one in read] == [file.content for file in files]
    assert [one.info for one in read] == [store.stat(BUCKET, name) for name in names]
    site.server.reset()
    assert store.rename_many(BUCKET, [(name, f"SENT-{name}") for name in names], at_once=6) == [None] * 20
    assert operations(site) == ["RenameObject"] * 20
    assert store.taken(BUCKET, ["SENT-f03", "f03", "no"], at_once=3) == {"SENT-f03"}


def test_a_name_that_is_taken_stays_as_it_is_whatever_it_holds(store, site):
    site.put("b", b"same")
    found = store.write_many(BUCKET, [Parcel("a", b"x"), Parcel("b", b"same"), Parcel("c", b"x")], at_once=1)
    assert [type(one).__name__ for one in found] == ["Written", "AlreadyExists", "NotStarted"]
    assert site.names() == ["a", "b"]


def test_one_that_is_gone_stops_what_has_not_begun(store, site):
    for name in ("a", "c"):
        site.put(name)
    found = store.read_many(BUCKET, ["a", "b", "c"], at_once=1)
    assert isinstance(found[0], Whole)
    assert [type(one) for one in found[1:]] == [NotFound, NotStarted]


def test_many_threads_share_few_connections_and_lose_none(store, site, recwarn):
    def work():
        store.write_many(BUCKET, [Parcel(f"{threading.get_ident()}-{n}", b"x") for n in range(20)], at_once=4)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(site.names()) == 60


# -- listings and places ---------------------------------------------------------------------------------


def test_more_than_a_page_is_listed_in_order_with_directories_once(tmp_path):
    with sites.oci(tmp_path, page=10) as site, site.store() as store:
        for number in range(25):
            site.put(f"f{number:02}")
            site.put(f"f10/{number:02}")
        found = list(store.list(BUCKET, "f"))
        assert sorted(info.name for info in found if not info.is_directory) == [
            f"f{number:02}" for number in range(25)
        ]
        assert [info.name for info in found if info.is_directory] == ["f10"]
        assert operations(site).count("ListObjects") == 3


@over("name", ["new\nline", "bell\x07", "lone\ud800"])
def test_hostile_names_are_listed_with_trouble_and_stop_nothing_else(store, site, name):
    site.put(name)
    site.put("good.csv")
    found = {info.name: bool(info.trouble) for info in store.list(BUCKET)}
    assert found.pop("good.csv") is False
    assert [(shown.isprintable(), trouble) for shown, trouble in found.items()] == [(True, True)]


def test_without_a_namespace_the_tenancys_own_is_asked_for_once(site):
    with site.store(settings=settings(site, namespace="")) as store:
        for _ in range(3):
            assert list(store.list(BUCKET)) == []
        assert list(store.list(f"utility/{BUCKET}")) == []
        with pytest.raises(NotFound, match="namespace"):
            list(store.list(f"other/{BUCKET}"))
    assert operations(site).count("GetNamespace") == 1


def test_a_namespace_that_is_not_the_connections_is_refused(store):
    assert list(store.list(f"utility/{BUCKET}")) == []
    with pytest.raises(NotFound, match="'utility', not 'other'"):
        list(store.list(f"other/{BUCKET}"))


@over("directory", ["", "a/b/c", "/"])
def test_what_is_no_bucket_is_said_so(store, directory):
    with pytest.raises(Misconfigured, match="bucket"):
        list(store.list(directory))


def test_a_transfer_without_a_bucket_is_said_so(store):
    assert store.directory_for({"bucketName": "b"}) == "b"
    with pytest.raises(Misconfigured, match="no bucket"):
        store.directory_for({"directory": "x"})


def test_deleting_in_a_bucket_that_is_not_there_is_not_nothing(store):
    with pytest.raises(NotFound, match="no bucket missing"):
        store.delete("missing", "a")


# -- the way there ---------------------------------------------------------------------------------------


def test_nothing_is_tried_again_by_the_sdk(store, site):
    site.server.fail("500")
    with pytest.raises(Refused) as raised:
        list(store.list(BUCKET))
    assert raised.value.passing
    assert raised.value.status == 500
    assert operations(site) == ["ListObjects"]


def test_a_refusal_that_will_not_pass_is_not_passing_and_names_the_request(store, site):
    site.server.fail("400", 1)
    with pytest.raises(Refused, match=r"InvalidParameter.*request demo/") as raised:
        list(store.list(BUCKET))
    assert not raised.value.passing


def test_connections_are_kept_between_requests(store, site):
    ports = set()
    original = site.server._server.get_request

    def counted():
        found = original()
        ports.add(found[1][1])
        return found

    site.server._server.get_request = counted
    for number in range(5):
        write(store, f"a{number}", b"x")
    assert len(ports) == 1


def test_tls_is_verified_with_the_connections_own_certificates(tmp_path):
    pair = make()
    with sites.oci(tmp_path, certificate=pair.file(tmp_path / "server.pem")) as site:
        assert site.endpoint.settings["endpoint_url"].startswith("https://")
        with site.store() as store, pytest.raises(CertificateRefused):
            list(store.list(BUCKET))
        with site.store(trust=(pair.certificate,)) as store:
            content = b"x" * 9 * MB
            assert write(store, "a", content).size == 9 * MB
            with store.open(BUCKET, "a") as reader:
                assert reader.read() == content
            assert [step.what for step in store.test()][2:5] == ["Connect", "Check TLS certificate", "Log in"]


def test_an_address_that_is_not_allowed_is_not_reached(site):
    with site.store(allowed_networks=("10.0.0.0/8",)) as store, pytest.raises(AddressRefused):
        list(store.list(BUCKET))
    assert site.server.received() == []


def test_the_environment_is_not_asked(site, monkeypatch, tmp_path):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("OCI_REGION", "us-phoenix-1")
    monkeypatch.setenv("OCI_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("OCI_REALM_SPECIFIC_SERVICE_ENDPOINT_TEMPLATE_ENABLED", "true")
    monkeypatch.setenv("PROPAGATION_ENABLED", "true")
    with site.store() as store:
        assert list(store.list(BUCKET)) == []


class Elsewhere(HttpServer):
    """A web server that is no object storage."""

    answer_with = Answer(301, {}, {"Location": "http://127.0.0.1:9/"})

    def handle(self, call):
        return self.answer_with


def test_redirects_are_not_followed(site):
    with (
        Elsewhere() as other,
        site.store(settings=settings(site, endpoint_url=other.url)) as store,
        pytest.raises(Misconfigured, match="points elsewhere"),
    ):
        list(store.list(BUCKET))


def test_a_web_server_that_is_no_object_storage_is_said_so(site):
    with Elsewhere() as other, site.store(settings=settings(site, endpoint_url=other.url)) as store:
        other.answer_with = Answer(200, "hello")
        for ask in (
            lambda: list(store.list(BUCKET)),
            lambda: store.stat(BUCKET, "a"),
            lambda: store.open(BUCKET, "a").__enter__(),
        ):
            with pytest.raises(Refused, match="as OCI object storage does not"):
                ask()
