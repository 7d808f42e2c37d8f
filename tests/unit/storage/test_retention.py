"""What nothing refers to goes, and only that."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Payload
from integrations.storage import PayloadMissing, payload_bytes, payload_delete_unreferenced, payload_put
from integrations.storage.backend import current_backend
from integrations.storage.retention import _referring
from tests.factories import ActivityFactory, InstanceFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def _old(content, days=2):
    row = payload_put(content, content_type="text/plain")
    Payload.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=days))
    return row


def _keys():
    return {stored.key for stored in current_backend().sweep(timezone.now() + DAY)}


def test_row_and_bytes_of_an_unreferenced_payload_go(store, encrypt):
    row = _old(b"old")
    assert payload_delete_unreferenced(DAY) == 1
    assert not Payload.objects.exists()
    assert _keys() == set()
    with pytest.raises(PayloadMissing):
        payload_bytes(row)


def test_a_young_payload_stays(store):
    payload_put(b"young", content_type="text/plain")
    assert payload_delete_unreferenced(DAY) == 0
    assert len(_keys()) == 1


@pytest.mark.parametrize("field", ["message_payload", "attachment", "answer"])
def test_what_an_instance_refers_to_stays(field):
    row = _old(b"kept")
    InstanceFactory(**{field: row})
    assert payload_delete_unreferenced(DAY) == 0
    assert payload_bytes(row) == b"kept"


@pytest.mark.parametrize("field", ["payload_out", "payload_in"])
def test_what_an_activity_refers_to_stays(field):
    row = _old(b"kept")
    ActivityFactory(**{field: row})
    assert payload_delete_unreferenced(DAY) == 0
    assert payload_bytes(row) == b"kept"


def test_every_foreign_key_is_known_without_being_listed():
    fields = {f"{relation.related_model.__name__}.{relation.field.name}" for relation in _referring()}
    assert {
        "Instance.answer",
        "Instance.attachment",
        "Activity.payload_in",
        "Resubmission.message_after",
    } <= fields


def test_a_payload_put_again_counts_as_young():
    _old(b"again")
    row = payload_put(b"again", content_type="text/plain")
    assert payload_delete_unreferenced(DAY) == 0
    assert payload_bytes(row) == b"again"


def test_bytes_without_a_row_are_adopted_and_then_go(store, encrypt):
    payload_put(b"orphan" * 10, content_type="text/plain")
    Payload.objects.all().delete()
    assert payload_delete_unreferenced(timedelta(seconds=-60)) == 0
    adopted = Payload.objects.get()
    assert payload_bytes(adopted) == b"orphan" * 10
    assert payload_delete_unreferenced(timedelta(seconds=-60)) == 1
    assert _keys() == set()


def test_a_row_whose_bytes_are_gone_goes_too(store):
    row = _old(b"old")
    backend = current_backend()
    for key in _keys():
        backend.delete(key)
    assert payload_delete_unreferenced(DAY) == 1
    assert not Payload.objects.filter(pk=row.pk).exists()
