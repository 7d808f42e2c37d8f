"""The two places by themselves: what a folder and a bucket do when something is wrong."""

import errno
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from integrations.models import Payload
from integrations.storage import StoreUnavailable, payload_bytes, payload_put, payloads_flatten
from integrations.storage.backend import current_backend
from integrations.storage.files import FileBackend, explain

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path):
    return FileBackend(str(tmp_path / "store"))


def test_files_are_sharded_and_the_hubs_alone(settings, tmp_path):
    settings.PAYLOAD_STORE = f"file://{tmp_path / 'store'}"
    row = payload_put(b"content", content_type="text/plain")
    path = tmp_path / "store" / row.digest[:2] / row.digest
    assert path.read_bytes() == b"content"
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_file_and_folder_are_synced_before_the_row_is_there(settings, tmp_path, monkeypatch):
    synced, real = [], os.fsync

    def fsync(descriptor):
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        assert not Payload.objects.exists()
        real(descriptor)

    settings.PAYLOAD_STORE = f"file://{tmp_path / 'store'}"
    monkeypatch.setattr("integrations.storage.files.os.fsync", fsync)
    row = payload_put(b"content", content_type="text/plain")
    assert synced[-2].startswith(str(tmp_path / "store" / "incoming"))
    assert synced[-1] == str(tmp_path / "store" / row.digest[:2])
    assert str(tmp_path / "store") in synced


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (errno.ENOSPC, "no space is left"),
        (errno.EDQUOT, "no space is left"),
        (errno.EROFS, "no permission"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_an_error_of_the_disk_says_what_to_do(number, what):
    said = explain(OSError(number, os.strerror(number)), "The payload store /x cannot be written")
    assert what in str(said)
    assert said.hint


def test_a_full_disk_leaves_no_row(settings, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("integrations.storage.files._write_all", full)
    with pytest.raises(StoreUnavailable, match="no space is left"):
        payload_put(b"content", content_type="text/plain")
    assert not Payload.objects.exists()


def test_a_store_that_is_no_folder_is_said(settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.PAYLOAD_STORE = f"file://{tmp_path / 'file'}"
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        payload_put(b"content", content_type="text/plain")


def test_scratch_files_of_a_crash_are_swept_once_they_are_old(folder):
    with folder.scratch() as scratch:
        left = scratch.path.with_name("left")
        left.write_bytes(b"half")
    list(folder.sweep(datetime.now(UTC) - timedelta(hours=1)))
    assert left.exists()
    os.utime(left, (time.time() - 7200,) * 2)
    list(folder.sweep(datetime.now(UTC) - timedelta(hours=1)))
    assert not left.exists()


@pytest.mark.parametrize(
    "url", ["", "ftp://host/x", "file://", "file://host/x", "s3:///prefix", "s3://bucket?endpoint=http://x"]
)
def test_a_store_address_that_cannot_be_meant_is_refused(settings, url):
    settings.PAYLOAD_STORE = url
    with pytest.raises(ImproperlyConfigured, match="PAYLOAD_STORE"):
        current_backend()


def test_a_bucket_that_is_not_there_is_unavailable(settings, s3_url, bucket):
    settings.PAYLOAD_STORE = f"s3://no-such-bucket/p?endpoint_url={s3_url}&region=us-east-1"
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        payload_put(b"content", content_type="text/plain")
    assert not Payload.objects.exists()


def test_a_service_that_is_down_is_unavailable(settings, bucket, monkeypatch):
    settings.PAYLOAD_STORE = "s3://bucket/p?endpoint_url=http://127.0.0.1:9&region=us-east-1"
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        payload_put(b"content", content_type="text/plain")


def test_a_bucket_is_addressed_by_path_and_prefix(settings, bucket, s3_url):
    client, name = bucket
    settings.PAYLOAD_STORE = f"s3://{name}/a/b?endpoint_url={s3_url}&region=us-east-1"
    row = payload_put(b"content", content_type="text/plain")
    keys = [item["Key"] for item in client.list_objects_v2(Bucket=name)["Contents"]]
    assert keys == [f"a/b/{row.digest[:2]}/{row.digest}"]
    assert payload_bytes(row) == b"content"


def test_an_interrupted_multipart_upload_is_aborted_once_it_is_old(settings, bucket, s3_url):
    client, name = bucket
    settings.PAYLOAD_STORE = f"s3://{name}/a?endpoint_url={s3_url}&region=us-east-1"
    client.create_multipart_upload(Bucket=name, Key="a/half")
    list(current_backend().sweep(datetime(2000, 1, 1, tzinfo=UTC)))
    assert client.list_multipart_uploads(Bucket=name)["Uploads"]
    list(current_backend().sweep(datetime.now(UTC) + timedelta(days=3650)))
    assert "Uploads" not in client.list_multipart_uploads(Bucket=name)


def test_what_an_earlier_version_kept_a_folder_deeper_is_found_again(settings, tmp_path):
    settings.PAYLOAD_STORE = f"file://{tmp_path / 'store'}"
    row = payload_put(b"content", content_type="text/plain")
    shard = tmp_path / "store" / row.digest[:2]
    (shard / row.digest[2:4]).mkdir()
    (shard / row.digest).rename(shard / row.digest[2:4] / row.digest)
    assert payloads_flatten() == 1
    assert payload_bytes(row) == b"content"
    assert [path.name for path in shard.iterdir()] == [row.digest]
    assert payloads_flatten() == 0
