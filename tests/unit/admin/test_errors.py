"""Errors: what needs a person first, one or many sent again or discarded through a page between."""

import pytest

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


def test_open_errors_come_first(admin):
    for state in ("discarded", "recovered", "open", "resubmitted"):
        factories.ErrorInstanceFactory(state=state)
    shown = [row.state for row in admin.get(list_of(models.ErrorInstance)).context["cl"].result_list]
    assert shown[:2] == ["open", "resubmitted"]


def test_the_page_says_cause_and_hint(operator, errors):
    page = text_of(operator.get(page_of(errors[0])))
    for said in ("HUB-TARGET-DOWN", "The target did not answer", "Test the connection, then resubmit"):
        assert said in page


def test_a_bulk_action_asks_before_it_acts(operator, errors):
    answer = _post(operator, "resubmit_selected", errors[:2])
    assert "Resubmit 2" in text_of(answer)
    assert models.Instance.objects.filter(status="failed").count() == 3


def test_many_are_resubmitted_at_once(operator, errors):
    answer = _post(operator, "resubmit_selected", errors, apply="1")
    assert "3 resubmitted." in text_of(answer)
    assert models.Instance.objects.filter(status="ready").count() == 3


def test_one_that_cannot_be_resubmitted_stops_no_other(operator, errors):
    models.Instance.objects.filter(pk=errors[0].instance_id).update(status="running")
    answer = _post(operator, "resubmit_selected", errors, apply="1")
    assert "2 resubmitted." in text_of(answer)
    assert "it is running" in text_of(answer)


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


def test_an_operator_can_own_a_family_and_change_nothing_else(operator):
    family = factories.ErrorInstanceFactory().family
    owner = factories.UserFactory()
    operator.post(page_of(family), {"owner": owner.pk, "message": "changed", "count": 99})
    family.refresh_from_db()
    assert (family.owner, family.message, family.count) == (owner, "The target did not answer", 1)
