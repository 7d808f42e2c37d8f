"""Payloads in the console: masked for who may not read masked fields, every look noted, all of it in a zip."""

import io
import json
import zipfile

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from integrations import models
from integrations.storage import payload_put
from tests import factories
from tests.unit.admin.conftest import page_of, text_of

CONTENT = b'{"taxId": "99887766", "note": "seen"}'


@pytest.fixture
def instance(db):
    """One whose message has a masked field."""
    models.MaskedField.objects.create(name="taxid")
    return factories.InstanceFactory(content=CONTENT)


@pytest.fixture
def trusted(db):
    """An operator who may read masked fields."""
    person = factories.UserFactory(username="tina", role="Operator")
    person.user_permissions.add(Permission.objects.get(codename="read_masked"))
    browser = Client()
    browser.force_login(person)
    return browser


def _page(instance, name="payload", digest=""):
    return reverse(
        f"admin:integrations_instance_{name}", args=[instance.pk, digest or instance.message_payload_id]
    )


def _bytes(answer):
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_a_masked_field_is_dots_on_the_page_and_in_the_download(operator, instance):
    page = text_of(operator.get(_page(instance)))
    assert "99887766" not in page
    assert "•••" in page
    assert "seen" in page
    assert json.loads(_bytes(operator.get(_page(instance, "payload_download")))) == {
        "taxId": "•••",
        "note": "seen",
    }


def test_who_may_read_masked_fields_sees_them_and_that_is_noted(trusted, instance):
    assert "99887766" in text_of(trusted.get(_page(instance)))
    assert _bytes(trusted.get(_page(instance, "payload_download"))) == CONTENT
    looks = models.AuditEntry.objects.filter(actor="tina", subject=f"instance:{instance.pk}")
    assert {(look.action, look.detail["masked"]) for look in looks} == {
        ("read_payload", False),
        ("download_payload", False),
    }


@pytest.mark.parametrize("name", ["payload", "payload_download"])
def test_what_cannot_be_searched_is_withheld_with_a_sentence(operator, trusted, instance, name):
    instance.message_payload = payload_put(b"\x00\x01tax 99887766", content_type="application/octet-stream")
    instance.save()
    assert "Withheld: fields of this flow are masked" in text_of(operator.get(_page(instance, name)))
    assert trusted.get(_page(instance, name)).status_code == 200


def test_a_file_is_read_as_a_csv_where_its_name_says_so(operator, instance):
    kept = payload_put(b"id,taxId\nseen,99887766\n", content_type="application/octet-stream")
    instance.attachment, instance.attachment_name = kept, "Extract.csv"
    instance.save()
    page = text_of(operator.get(_page(instance, digest=kept.pk)))
    assert "seen" in page
    assert "99887766" not in page


def test_a_large_payload_is_not_searched_in_memory(operator, instance, monkeypatch):
    monkeypatch.setattr("integrations.services.payload_view.MASKED_UP_TO", 10)
    assert "too large to be searched" in text_of(operator.get(_page(instance, "payload_download")))


def test_a_message_with_masked_fields_is_edited_by_who_may_read_them(operator, trusted, instance):
    instance.status = "failed"
    instance.flow = models.Flow.objects.get(identifier="OUTL-BA-CCS_DACS_CUST_SYNC_FTP")
    instance.save()
    factories.ErrorInstanceFactory(instance=instance)
    assert "Some fields of this message are masked" in text_of(operator.get(page_of(instance, "edit")))
    assert "99887766" in text_of(trusted.get(page_of(instance, "edit")))
    sent = {"message": '{"taxId": "•••"}', "reason": "r"}
    assert "would be sent with dots" in text_of(
        operator.post(page_of(instance, "resubmit"), sent, follow=True)
    )
    instance.refresh_from_db()
    assert instance.status == "failed"


# -- before and after --------------------------------------------------------------------------------------


@pytest.fixture
def line(instance):
    """A mapping whose input and output were kept."""
    return factories.ActivityFactory(
        instance=instance,
        kind="mapped",
        text="Mapped with customer",
        payload_out=instance.message_payload,
        payload_in=payload_put(
            b'{"customer": {"taxId": "99887766"}, "extra": 1}', content_type="application/json"
        ),
    )


def test_a_mapping_is_compared_side_by_side(trusted, line):
    address = reverse(
        "admin:integrations_instance_compare",
        args=[line.instance_id, line.payload_out_id, line.payload_in_id],
    )
    assert address in text_of(trusted.get(page_of(line.instance)))
    answer = trusted.get(address)
    kinds = {(item.kind, item.path) for item in answer.context["found"].fields}
    assert kinds == {("moved", "/customer/taxId"), ("added", "/extra"), ("removed", "/note")}
    assert "Mapped with customer" in text_of(answer)
    assert models.AuditEntry.objects.filter(action="compare_payloads").count() == 2


def test_a_comparison_is_masked(operator, line):
    address = reverse(
        "admin:integrations_instance_compare",
        args=[line.instance_id, line.payload_out_id, line.payload_in_id],
    )
    assert "99887766" not in text_of(operator.get(address))


def test_a_comparison_is_refused_to_who_may_not_read_payloads(viewer, line):
    address = reverse(
        "admin:integrations_instance_compare",
        args=[line.instance_id, line.payload_out_id, line.payload_in_id],
    )
    assert viewer.get(address).status_code == 403
    assert models.AuditEntry.objects.filter(action="refused", actor="vera").exists()


def test_large_payloads_are_not_compared_on_a_page(trusted, line, monkeypatch):
    monkeypatch.setattr("integrations.admin.instance_payloads.COMPARED_BYTES", 5)
    address = reverse(
        "admin:integrations_instance_compare",
        args=[line.instance_id, line.payload_out_id, line.payload_in_id],
    )
    assert "too large to be compared" in text_of(trusted.get(address))


# -- the zip -----------------------------------------------------------------------------------------------


def _zip(browser, instance):
    answer = browser.post(page_of(instance, "zip"))
    return zipfile.ZipFile(io.BytesIO(_bytes(answer)))


def test_the_zip_tells_the_story_and_masks_for_everyone(admin, line):
    connection = factories.ConnectionFactory(
        settings={"url": "https://user:hunter2@example.com", "api_key": "hunter3"},
        secrets={"password": "hunter4"},
    )
    factories.ActivityFactory(instance=line.instance, text="Called it", connection=connection)
    archive = _zip(admin, line.instance)
    everything = "".join(archive.read(name).decode() for name in archive.namelist())
    assert "Mapped with customer" in archive.read("story.txt").decode()
    for secret in ("99887766", "hunter2", "hunter3", "hunter4"):
        assert secret not in everything
    versions = json.loads(archive.read("versions.json"))
    assert {"busbar", "python", "django", "flow", "mappings", "extensions", "connections", "lookups"} <= set(
        versions
    )
    assert [one["file"] != "" for one in json.loads(archive.read("payloads.json"))] == [True, True]


def test_the_zip_is_noted_and_left_to_who_may_read_payloads(operator, viewer, instance):
    assert operator.get(page_of(instance, "zip")).status_code == 405
    assert viewer.post(page_of(instance, "zip")).status_code == 403
    _zip(operator, instance)
    entry = models.AuditEntry.objects.get(action="download_zip")
    assert (entry.actor, entry.detail) == ("olga", {"masked": True, "digests": [instance.message_payload_id]})
    assert models.AuditEntry.objects.filter(action="refused", actor="vera").exists()


def test_what_is_too_large_for_the_zip_is_named(operator, instance, monkeypatch):
    monkeypatch.setattr("integrations.services.instance_zip.LARGEST", 5)
    archive = _zip(operator, instance)
    (left_out,) = json.loads(archive.read("payloads.json"))
    assert left_out["left_out"] == "It is too large for this zip."
    assert not [name for name in archive.namelist() if name.startswith("payloads/")]


# -- the masks themselves ----------------------------------------------------------------------------------


def test_an_administrator_sets_changes_and_lifts_a_mask(admin):
    listed = reverse("admin:integrations_maskedfield_changelist")
    admin.post(f"{listed}add/", {"name": " iban ", "enabled": "on", "reason": "bank data"})
    row = models.MaskedField.objects.get()
    assert row.name == "iban"
    admin.post(page_of(row), {"name": "iban", "reason": "bank data"})
    admin.post(page_of(row, "delete"), {"post": "yes"})
    assert not models.MaskedField.objects.exists()
    assert list(
        models.AuditEntry.objects.filter(actor="root").order_by("id").values_list("action", flat=True)
    ) == ["mask_set", "mask_change", "mask_delete"]


def test_an_operator_sees_the_masks_but_lifts_none(operator, instance):
    row = models.MaskedField.objects.get()
    assert operator.get(page_of(row)).status_code == 200
    assert operator.post(page_of(row), {"name": "other"}).status_code == 403
    assert operator.post(page_of(row, "delete"), {"post": "yes"}).status_code == 403
    assert models.MaskedField.objects.get().name == "taxid"
