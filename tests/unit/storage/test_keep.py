"""Keeping a content for the caller's transaction (design section 4, rule 1: bytes are durable before their row)."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.models import Payload
from integrations.storage import payload_bytes, payload_delete_unreferenced, payload_keep, payload_put
from integrations.storage.backend import current_backend, key_of

pytestmark = pytest.mark.django_db
KIND = "application/json"


def test_the_row_comes_with_the_callers_transaction(store, encrypt):
    write_row = payload_keep(b"content", content_type=KIND)
    with transaction.atomic():
        row = write_row()
    assert payload_bytes(Payload.objects.get()) == b"content"
    assert (row.pk, row.size, row.content_type, row.encrypted) == (
        Payload.objects.get().pk,
        7,
        KIND,
        encrypt,
    )


def test_in_a_folder_it_goes_with_it_too_and_the_bytes_are_swept_later(tmp_path, settings):
    settings.PAYLOAD_STORE = f"file://{tmp_path / 'store'}"
    write_row = payload_keep(b"content", content_type=KIND)
    with transaction.atomic():
        digest = write_row().pk
        transaction.set_rollback(True)
    assert not Payload.objects.exists()
    assert current_backend().size(key_of(digest, encrypted=False)) == 7


def test_a_known_content_is_dated_anew_and_not_written_again(store, encrypt, monkeypatch):
    first = payload_put(b"content", content_type="text/plain")
    Payload.objects.update(created_at=timezone.now() - timedelta(days=2))
    monkeypatch.setattr(type(current_backend()), "keep", _never)
    again = payload_keep(b"content", content_type=KIND)()
    assert (again, again.content_type) == (first, "text/plain")
    assert payload_delete_unreferenced(timedelta(days=1)) == 0


def _never(*_):
    raise AssertionError("written again")


def test_bytes_without_a_row_are_not_taken_for_durable(tmp_path, settings):
    settings.PAYLOAD_STORE = f"file://{tmp_path / 'store'}"
    row = payload_put(b"content", content_type=KIND)
    path = tmp_path / "store" / key_of(row.pk, encrypted=False)
    path.write_bytes(b"CONTENT")  # as long, and from a process that died before it synced them
    row.delete()
    assert payload_bytes(payload_keep(b"content", content_type=KIND)()) == b"content"


def test_a_purge_between_bytes_and_row_is_healed(store, encrypt):
    row = payload_put(b"content", content_type=KIND)
    Payload.objects.update(created_at=timezone.now() - timedelta(days=2))
    write_row = payload_keep(b"content", content_type=KIND)
    current_backend().delete(key_of(row.pk, encrypted=row.encrypted))
    Payload.objects.all().delete()
    assert store == "s3" or payload_bytes(write_row()) == b"content"


def test_what_was_kept_encrypted_is_read_when_encryption_is_off(store, settings):
    settings.PAYLOAD_ENCRYPT = True
    payload_put(b"content", content_type=KIND)
    settings.PAYLOAD_ENCRYPT = False
    row = payload_keep(b"content", content_type=KIND)()
    assert row.encrypted
    assert payload_bytes(row) == b"content"
