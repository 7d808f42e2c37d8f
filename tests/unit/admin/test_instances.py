"""Instances: found exactly, read line by line, sent again once, payloads only for who may read them."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from integrations import models
from tests import factories
from tests.unit.admin.conftest import list_of, page_of, text_of

MARKUP = "<script>alert('x')</script>"


def _found(browser, term):
    answer = browser.get(list_of(models.Instance), {"q": term})
    return {row.pk for row in answer.context["cl"].result_list}


@pytest.fixture
def known(db):
    """An instance with a key, among others."""
    factories.InstanceFactory.create_batch(3)
    instance = factories.InstanceFactory(message_id="message-77", primary_key_value="8812345678")
    factories.BusinessKeyFactory(instance=instance, name="servicePoint", value="SP-4711")
    return instance


@pytest.mark.parametrize("term", ["SP-4711", "servicePoint=SP-4711", "message-77", "8812345678", " SP-4711 "])
def test_it_is_found_by_key_and_message_id(admin, known, term):
    assert _found(admin, term) == {known.pk}


def test_it_is_found_by_its_id(admin, known):
    assert _found(admin, str(known.pk)) == {known.pk}


@pytest.mark.parametrize("term", ["SP-47", "other=SP-4711", "nothing"])
def test_part_of_a_key_finds_nothing(admin, known, term):
    assert _found(admin, term) == set()


def test_the_list_asks_the_same_number_of_questions_however_long_it_is(admin, django_assert_max_num_queries):
    factories.InstanceFactory.create_batch(40)
    with django_assert_max_num_queries(16):
        assert admin.get(list_of(models.Instance)).status_code == 200


def test_the_stream_shows_what_was_called_and_how_long_it_took(admin):
    connection = factories.ConnectionFactory(name="REST of the billing system")
    line = factories.ActivityFactory(
        text="F1-SyncRequest",
        kind="called",
        connection=connection,
        duration_ms=1234,
        status_code=200,
        bytes_out=2048,
    )
    page = text_of(admin.get(page_of(line.instance)))
    for said in ("REST of the billing system", "1.2 s", "2.0 KB", ">200<"):
        assert said in page


def test_a_long_stream_is_read_page_by_page(admin, monkeypatch):
    monkeypatch.setattr("integrations.admin.instance_page.LINES", 3)
    instance = factories.InstanceFactory()
    for number in range(7):
        factories.ActivityFactory(instance=instance, text=f"line {number}")
    seen = []
    address = page_of(instance)
    for _ in range(3):
        stream = admin.get(address).context["stream"]
        seen += [line["row"].text for line in stream["lines"]]
        address = f"{page_of(instance)}?after={stream['last']}"
    assert seen == [f"line {number}" for number in range(7)]


def test_the_end_of_a_long_stream_is_one_click_away(admin, monkeypatch):
    monkeypatch.setattr("integrations.admin.instance_page.LINES", 2)
    instance = factories.InstanceFactory()
    for number in range(5):
        factories.ActivityFactory(instance=instance, text=f"line {number}")
    stream = admin.get(f"{page_of(instance)}?end=1").context["stream"]
    assert [line["row"].text for line in stream["lines"]] == ["line 3", "line 4"]
    assert stream["earlier"]
    assert not stream["later"]


def test_warnings_and_errors_can_be_read_alone(admin):
    instance = factories.InstanceFactory()
    factories.ActivityFactory(instance=instance, text="fine")
    factories.ActivityFactory(instance=instance, text="odd", level="warning")
    stream = admin.get(f"{page_of(instance)}?only=trouble").context["stream"]
    assert [line["row"].text for line in stream["lines"]] == ["odd"]


@pytest.mark.parametrize(
    "query", ["?after=x", "?after=²", "?after=-1", "?before=99999999999999999999", "?end=&only=<b>"]
)
def test_a_wrong_place_in_the_stream_is_no_error(admin, query):
    assert admin.get(page_of(factories.InstanceFactory()) + query).status_code == 200


def test_an_unknown_step_is_marked(admin):
    step = factories.StepFactory(key="F1-SyncRequest at CCS", state="unknown", repeats=1)
    page = text_of(admin.get(page_of(step.instance)))
    assert "bb-warn" in page
    assert "Unknown: the worker died" in page


def test_markup_in_texts_and_names_is_shown_as_text(admin):
    instance = factories.InstanceFactory(
        status="failed",
        fault_text=MARKUP,
        primary_key_value=MARKUP,
        attachment_name=MARKUP,
        parameters={"a": MARKUP},
    )
    factories.ActivityFactory(instance=instance, text=MARKUP, operation=MARKUP)
    factories.StepFactory(instance=instance, key=MARKUP)
    factories.FileTransferFactory(instance=instance, source_name=MARKUP, trouble=MARKUP)
    error = factories.ErrorInstanceFactory(instance=instance, text=MARKUP, detail=MARKUP, step=MARKUP)
    for address in (
        page_of(instance),
        page_of(error),
        list_of(models.Instance),
        list_of(models.FileTransfer),
    ):
        assert MARKUP not in text_of(admin.get(address))
        assert "&lt;script&gt;" in text_of(admin.get(address))


# -- payloads --------------------------------------------------------------------------------------------


def _payload_page(instance, name="payload"):
    return reverse(f"admin:integrations_instance_{name}", args=[instance.pk, instance.message_payload_id])


def test_a_payload_is_shown_indented_and_escaped(operator):
    instance = factories.InstanceFactory(content=b'{"name": "<script>alert(1)</script>"}')
    page = text_of(operator.get(_payload_page(instance)))
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_reading_a_payload_is_audited(operator):
    instance = factories.InstanceFactory(content=b"{}")
    operator.get(_payload_page(instance))
    entry = models.AuditEntry.objects.get(action="read_payload")
    assert (entry.actor, entry.subject) == ("olga", f"instance:{instance.pk}")
    assert entry.detail == {"digest": instance.message_payload_id, "masked": False}


@pytest.mark.parametrize("name", ["payload", "payload_download"])
def test_a_payload_is_refused_to_who_may_not_read_it(viewer, name):
    instance = factories.InstanceFactory(content=b'{"secret": 1}')
    assert viewer.get(_payload_page(instance, name)).status_code == 403
    assert models.AuditEntry.objects.filter(action="refused", actor="vera").exists()


def test_a_download_is_a_file_no_browser_opens(operator):
    instance = factories.InstanceFactory(content=b"<html><script>alert(1)</script>")
    answer = operator.get(_payload_page(instance, "payload_download"))
    assert b"".join(answer.streaming_content) == b"<html><script>alert(1)</script>"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("name", ["payload", "payload_download"])
def test_a_payload_of_another_instance_is_not_given(operator, name):
    other = factories.InstanceFactory(content=b'{"other": true}')
    address = reverse(
        f"admin:integrations_instance_{name}", args=[factories.InstanceFactory().pk, other.message_payload_id]
    )
    assert operator.get(address).status_code == 404


# -- resubmit --------------------------------------------------------------------------------------------


def _failed(flow="OUTL-BA-CCS_DACS_CUST_SYNC_FTP", **more):
    row = models.Flow.objects.get(identifier=flow)
    instance = factories.InstanceFactory(flow=row, status="failed", **more)
    factories.ErrorInstanceFactory(instance=instance)
    return instance


def test_resubmit_makes_it_ready_in_a_new_round(operator):
    instance = _failed()
    answer = operator.post(page_of(instance, "resubmit"), {"from": "checkpoint"})
    instance.refresh_from_db()
    assert (instance.status, instance.round) == ("ready", 2)
    assert answer.headers["Location"] == page_of(instance)


def test_resubmit_clicked_twice_is_one_run(operator):
    instance = _failed()
    for _ in range(2):
        answer = operator.post(page_of(instance, "resubmit"), {"from": "checkpoint"}, follow=True)
    instance.refresh_from_db()
    assert (instance.status, instance.round) == ("ready", 2)
    assert instance.resubmissions.count() == 1
    assert "cannot be resubmitted" in text_of(answer)


def test_from_the_start_forgets_checkpoint_and_steps(operator):
    instance = _failed(checkpoint={"row": 7})
    factories.StepFactory(instance=instance)
    operator.post(page_of(instance, "resubmit"), {"from": "start"})
    instance.refresh_from_db()
    assert instance.checkpoint == {}
    assert not instance.steps.exists()


def test_an_edited_message_is_kept_beside_the_original_and_shown_as_a_difference(operator):
    instance = _failed(content=b'{"a": 1, "b": 2}')
    edited = {"message": '{"a": 1, "b": 3}', "reason": "the meter was swapped", "from": "start"}
    operator.post(page_of(instance, "resubmit"), edited)
    page = text_of(operator.get(page_of(instance)))
    assert "the meter was swapped" in page
    again = instance.resubmissions.get()
    sides = [instance.pk, again.message_before_id, again.message_after_id]
    address = reverse("admin:integrations_instance_compare", args=sides)
    assert address in page
    (item,) = operator.get(address).context["found"].fields
    assert (item.kind, item.path, item.before, item.after) == ("changed", "/b", "2", "3")


def test_the_difference_is_not_shown_to_who_may_not_read_payloads(operator, viewer):
    instance = _failed(content=b'{"b": 2222}')
    operator.post(page_of(instance, "resubmit"), {"message": '{"b": 3333}', "reason": "wrong"})
    page = text_of(viewer.get(page_of(instance)))
    assert "2222" not in page
    assert "3333" not in page


def test_a_message_that_was_not_touched_counts_as_not_edited(operator):
    instance = _failed(content=b'{"a": 1}')
    box = operator.get(page_of(instance, "edit")).context["text"]
    operator.post(page_of(instance, "resubmit"), {"message": box.replace("\n", "\r\n"), "from": "checkpoint"})
    assert instance.resubmissions.get().message_after is None


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ({"message": '{"a": ', "reason": "r"}, "is no JSON"),
        ({"message": '{"a": 2}', "reason": " "}, "A reason is needed"),
    ],
)
def test_a_bad_edit_is_said_and_changes_nothing(operator, posted, said):
    instance = _failed(content=b'{"a": 1}')
    answer = operator.post(page_of(instance, "resubmit"), posted, follow=True)
    instance.refresh_from_db()
    assert said in text_of(answer)
    assert instance.status == "failed"


def test_who_may_not_read_payloads_cannot_send_an_edited_one(db):
    person = factories.UserFactory(username="half", role="Viewer")
    person.user_permissions.add(Permission.objects.get(codename="resubmit_instance"))
    browser = Client()
    browser.force_login(person)
    instance = _failed(content=b'{"a": 1}')
    assert browser.post(page_of(instance, "resubmit"), {"message": "{}", "reason": "r"}).status_code == 403
    assert browser.get(page_of(instance, "edit")).status_code == 403
    instance.refresh_from_db()
    assert instance.status == "failed"


def test_what_cannot_be_resubmitted_says_why(operator):
    page = text_of(operator.get(page_of(factories.InstanceFactory(status="succeeded"))))
    assert "Cannot be resubmitted: it has succeeded." in page


def test_discarding_needs_a_reason_and_keeps_it(operator):
    instance = _failed()
    operator.post(page_of(instance, "discard"), {"reason": " "})
    instance.refresh_from_db()
    assert instance.status == "failed"
    operator.post(page_of(instance, "discard"), {"reason": "sent by hand"})
    instance.refresh_from_db()
    assert instance.status == "discarded"
    assert instance.error.reason == "sent by hand"


def test_a_fault_that_is_over_does_not_alarm(operator):
    over = factories.InstanceFactory(status="succeeded", fault_text="It was down")
    page = text_of(operator.get(page_of(over)))
    assert "Failed before: It was down" in page
    assert "bb-fault" not in page
