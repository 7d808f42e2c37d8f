"""The business-object page: one value, everything that happened to it, in time."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations import models
from integrations.services import business_object as service
from integrations.services.instance_resubmittable import resubmittable
from tests import factories
from tests.unit.admin.conftest import list_of, page_of, text_of

NOW = timezone.now()


def _page(browser, value, **more):
    return browser.get(reverse("business-object"), {"value": value, **more})


def _kinds(answer):
    return [event.kind for event in answer.context["story"].events]


@pytest.fixture
def object_known(db):
    """An account that three flows, a sync request and a file know."""
    known = [
        factories.InstanceFactory(primary_key_value="8812345678", created_at=NOW - timedelta(hours=hours))
        for hours in (3, 2)
    ]
    other = factories.InstanceFactory(created_at=NOW - timedelta(hours=1))
    factories.BusinessKeyFactory(instance=other, name="accountId", value="8812345678")
    error = factories.ErrorInstanceFactory(instance=known[0], last_failed_at=NOW - timedelta(minutes=90))
    models.Resubmission.objects.create(instance=known[0], round=2, actor="olga", reason="mended")
    factories.SyncRequestFactory(external_id="8812345678", status="synchronised", acknowledged_at=NOW)
    factories.FileTransferFactory(source_name="8812345678")
    factories.NetworkLocationFactory(service_point_id="8812345678")
    factories.InstanceFactory()
    return error


def test_everything_is_there_the_newest_first(admin, object_known):
    answer = _page(admin, "8812345678")
    kinds, events = _kinds(answer), answer.context["story"].events
    assert sorted(kinds) == [
        "Errors",
        "Files",
        *["Instances"] * 3,
        "Network",
        "Resubmissions",
        *["Sync requests"] * 2,
    ]
    assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)
    page = text_of(answer)
    assert page_of(object_known) in page
    assert "<svg" in page
    assert "Timeline of" in page


def test_a_name_narrows_it(admin):
    one, two = factories.InstanceFactory(), factories.InstanceFactory()
    factories.BusinessKeyFactory(instance=one, name="servicePoint", value="77")
    factories.BusinessKeyFactory(instance=two, name="device", value="77")
    for asked in ({"value": "77", "name": "servicepoint"}, {"value": "servicePoint=77"}):
        events = admin.get(reverse("business-object"), asked).context["story"].events
        assert [event.row.pk for event in events] == [one.pk]


def test_it_is_paged_and_every_event_comes_once(admin, monkeypatch):
    monkeypatch.setattr("integrations.admin.business_object.PAGE", 3)
    for _ in range(4):
        factories.InstanceFactory(primary_key_value="v", created_at=NOW)
    for hours in range(1, 4):
        factories.InstanceFactory(primary_key_value="v", created_at=NOW - timedelta(hours=hours))
    seen, before = [], ""
    while True:
        answer = _page(admin, "v", before=before)
        seen += [event.row.pk for event in answer.context["story"].events]
        before = answer.context["story"].before
        if not before:
            break
    assert len(seen) == len(set(seen)) == 7


def test_a_value_that_very_many_have_is_bounded_and_says_so(admin, monkeypatch):
    monkeypatch.setattr(service, "MOST", 2)
    for _ in range(4):
        factories.BusinessKeyFactory(name="division", value="CA")
    answer = _page(admin, "CA")
    assert len(answer.context["story"].events) == 2
    assert "Very many instances" in text_of(answer)


def test_one_sees_what_one_may_see(db, object_known):
    person = factories.UserFactory(username="nobody")
    browser = Client()
    browser.force_login(person)
    assert _page(browser, "8812345678").status_code == 403


def test_a_viewer_may_look(viewer, object_known):
    assert len(_kinds(_page(viewer, "8812345678"))) == 9


@pytest.mark.parametrize(
    "asked", [{}, {"value": ""}, {"value": "<script>alert(1)</script>"}, {"value": "x", "before": "y~z"}]
)
def test_nothing_found_is_no_error_and_markup_is_text(admin, asked):
    answer = admin.get(reverse("business-object"), asked)
    assert answer.status_code == 200
    assert "<script>alert(1)" not in text_of(answer)


def test_it_is_reached_from_home_and_from_an_instance(admin):
    instance = factories.BusinessKeyFactory(name="accountId", value="88").instance
    assert reverse("business-object") in text_of(admin.get(reverse("admin:index")))
    address = f"{reverse('business-object')}?name=accountId&amp;value=88"
    assert address in text_of(admin.get(page_of(instance)))
    assert address in text_of(admin.get(list_of(models.Instance)))


# -- attempts, and the line that says whether it can be sent again --------------------------------------------


def test_each_attempt_has_its_own_lines(admin):
    instance = factories.InstanceFactory()
    for number in (1, 2):
        factories.AttemptFactory(instance=instance, number=number, outcome="retry")
        factories.ActivityFactory(instance=instance, attempt=number, text=f"line of {number}")
    answer = admin.get(f"{page_of(instance)}?attempt=2")
    assert [line["row"].text for line in answer.context["stream"]["lines"]] == ["line of 2"]
    assert 'aria-current="page">Attempt 2' in text_of(answer)
    assert len(admin.get(page_of(instance)).context["stream"]["lines"]) == 2


@pytest.mark.django_db
def test_whether_it_can_be_sent_again_is_one_sentence():
    flow = models.Flow(pattern="async")
    assert resubmittable(models.Instance(flow=flow, status="succeeded")) == (
        False,
        "Cannot be resubmitted: it has succeeded.",
    )
