"""What is particular to object storage: namespaces, multipart, renames cut off midway."""

import hashlib
import io

import pytest

from integrations.adapters import adapter_class, object_rename, object_write
from integrations.adapters.contract import Endpoint
from integrations.adapters.errors import AlreadyExists, Misconfigured, NotFound, Refused, Unwhole
from tests.contracts import sites

MB = 1024 * 1024
BUCKET = "ccs-out"


@pytest.fixture
def site(tmp_path):
    with sites.objects(tmp_path) as found:
        yield found


@pytest.fixture
def store(site):
    with site.store() as found:
        yield found


def operations(site):
    return [entry["operation"] for entry in site.server.received()]


def test_a_small_object_is_one_put_with_the_mark_as_metadata(store, site):
    store.write(BUCKET, "a", io.BytesIO(b"content"), mark="17")
    assert operations(site) == ["PUT", "HEAD"]
    assert site.server.client().head_object(Bucket=BUCKET, Key="a")["Metadata"] == {"busbar-transfer": "17"}


@pytest.mark.parametrize("size", [8 * MB - 1, 8 * MB, 8 * MB + 1, 16 * MB])
@pytest.mark.parametrize("known", [True, False])
def test_objects_around_the_size_of_a_part_arrive_whole(store, size, known):
    content = hashlib.shake_128(b"x").digest(size)
    written = store.write(BUCKET, "a", io.BytesIO(content), size=size if known else None)
    assert (written.size, written.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert store.stat(BUCKET, "a").size == size


def test_parts_grow_so_that_any_size_fits():
    assert object_write.part_size(1, 100 * 1024**3) * 10_000 > 100 * 1024**3
    assert sum(object_write.part_size(number, None) for number in range(1, 10_001)) > 5 * 1024**4
    assert object_write.part_size(1, None) == object_write.PART


def test_a_multipart_upload_that_fails_leaves_nothing(store, site):
    site.server.fail("500", 1)
    with pytest.raises(Refused):
        store.write(BUCKET, "a", io.BytesIO(b"x" * 20 * MB))
    site.server.reset()

    class Later:
        left = 20 * MB

        def read(self, size=-1, /):
            self.left -= size
            if self.left < 8 * MB:
                site.server.fail("500", 1)
            return b"x" * size

    with pytest.raises(Refused):
        store.write(BUCKET, "a", Later())
    assert site.names() == []
    assert "Uploads" not in site.server.client().list_multipart_uploads(Bucket=BUCKET)


def test_what_the_store_has_otherwise_than_sent_is_removed_and_said(store, site, monkeypatch):
    monkeypatch.setattr(object_write._Upload, "_count", lambda self, content: b"\0" * 16)
    monkeypatch.setattr(object_write, "_base64", lambda digest: "")
    with pytest.raises((Unwhole, Refused)):
        store.write(BUCKET, "a", io.BytesIO(b"content"))
    assert site.names() == []


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
    client, _ = store._place(BUCKET)
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
