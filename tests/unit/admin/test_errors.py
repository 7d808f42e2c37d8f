"""Errors: what needs a person first; cause, hint and ways out on their page; families with their trend."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import models
from tests import factories
from tests.unit.admin.conftest import list_of, page_of, text_of


@pytest.fixture
def errors(db):
    """Three open errors of a file flow."""
    flow = models.Flow.objects.get(identifier="OUTL-BA-CCS_DACS_CUST_SYNC_FTP")
    return [
        factories.ErrorInstanceFactory(instance=factories.InstanceFactory(flow=flow, status="failed"))
        for _ in range(3)
    ]


def _post(browser, name, rows, **more):
    chosen = {"action": name, "_selected_action": [row.pk for row in rows], **more}
    return browser.post(list_of(models.ErrorInstance), chosen, follow=True)


def _shown(browser, **asked):
    return [row.pk for row in browser.get(list_of(models.ErrorInstance), asked).context["cl"].result_list]


def test_the_list_begins_with_the_open_ones(admin):
    rows = {
        state: factories.ErrorInstanceFactory(state=state).pk for state in models.ErrorInstance.State.values
    }
    assert _shown(admin) == [rows["open"]]
    assert _shown(admin, state__exact="discarded") == [rows["discarded"]]
    assert set(_shown(admin, state__exact="all")) == set(rows.values())


def test_the_list_pages_by_keyset(admin, errors, monkeypatch):
    monkeypatch.setattr("integrations.admin.error.ErrorInstanceAdmin.list_per_page", 2)
    first = admin.get(list_of(models.ErrorInstance)).context["cl"]
    second = admin.get(list_of(models.ErrorInstance) + first.pager["next"]).context["cl"]
    assert [row.pk for row in [*first.result_list, *second.result_list]] == [row.pk for row in errors[::-1]]


def test_a_search_finds_a_business_key_or_a_part_of_the_text(admin, errors):
    other = factories.ErrorInstanceFactory(text="Lookup has no row for 'AC'")
    assert _shown(admin, q=errors[1].instance.primary_key_value) == [errors[1].pk]
    assert _shown(admin, q="no row for") == [other.pk]


def test_the_page_says_cause_hint_and_whether_it_can_be_resubmitted(operator, errors):
    page = text_of(operator.get(page_of(errors[0])))
    for said in (
        "HUB-TARGET-DOWN",
        "The target did not answer",
        "Test the connection, then resubmit",
        "Can be resubmitted",
        "Preview and dry run",
    ):
        assert said in page


def test_resubmitting_a_selection_or_all_leads_to_the_preview(operator, errors):
    answer = _post(operator, "resubmit_selected", errors[:2])
    assert "Resubmit 2" in text_of(answer)
    listed = operator.get(list_of(models.ErrorInstance), {"q": "did not answer"})
    answer = operator.get(listed.context["resubmit_all_url"])
    assert "Resubmit 3" in text_of(answer)
    assert "search: did not answer" in text_of(answer)
    assert models.Instance.objects.filter(status="failed").count() == 3


def test_many_are_discarded_with_one_reason(operator, errors):
    _post(operator, "discard_selected", errors, apply="1", reason="test data")
    assert {row.reason for row in models.ErrorInstance.objects.all()} == {"test data"}


def test_without_a_reason_nothing_is_discarded(operator, errors):
    answer = _post(operator, "discard_selected", errors, apply="1", reason=" ")
    assert "A reason is needed" in text_of(answer)
    assert not models.Instance.objects.filter(status="discarded").exists()


@pytest.mark.parametrize("name", ["resubmit_selected", "discard_selected"])
def test_a_viewer_has_no_bulk_actions(viewer, errors, name):
    assert name not in text_of(viewer.get(list_of(models.ErrorInstance)))
    answer = _post(viewer, name, errors, apply="1", reason="x")
    assert answer.status_code == 403
    assert models.AuditEntry.objects.get(action="refused").detail["action"] == name
    assert models.Instance.objects.filter(status="failed").count() == 3


def test_a_family_links_to_its_open_errors(admin):
    error = factories.ErrorInstanceFactory()
    assert f"family__id__exact={error.family_id}&amp;state__exact=open" in text_of(
        admin.get(list_of(models.ErrorFamily))
    )


def test_a_family_shows_its_trend_and_leads_to_resubmitting_it(operator):
    error = factories.ErrorInstanceFactory(last_failed_at=timezone.now() - timedelta(days=3))
    hours, days = (operator.get(page_of(error.family), {"by": by}) for by in ("hour", "day"))
    assert "0 errors in the last 48 hours" in text_of(hours)
    assert "1 errors in the last 30 days, most of them, 1, on" in text_of(days)
    assert "Resubmit 1" in text_of(operator.get(hours.context["resubmit_url"]))


def test_a_viewer_sees_a_family_but_no_way_to_resubmit_it(viewer):
    family = factories.ErrorInstanceFactory().family
    assert "Resubmit this family" not in text_of(viewer.get(page_of(family)))


def test_an_operator_can_own_a_family_and_change_nothing_else(operator):
    family = factories.ErrorInstanceFactory().family
    owner = factories.UserFactory()
    operator.post(page_of(family), {"owner": owner.pk, "message": "changed", "count": 99})
    family.refresh_from_db()
    assert (family.owner, family.message, family.count) == (owner, "The target did not answer", 1)
