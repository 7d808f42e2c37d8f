"""The inbox of missing values: from the error to the row to the release, and who may do which."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations import models
from integrations.engine.families import open_error
from integrations.engine.faults import fault_of
from integrations.services import missing_check
from integrations.services.missing_check import missing_forget, missing_settle, released_by
from lookups.errors import LookupFault
from lookups.models import Lookup, Row
from lookups.properties import Properties
from lookups.resolve import lookup_value
from tests import factories
from tests.unit.admin.conftest import _enter, list_of, page_of, text_of


@pytest.fixture
def business_admin(db):
    return _enter(factories.UserFactory(username="bea", role="Business admin"))


@pytest.fixture
def table(db):
    made = Lookup.objects.create(name="AssetType", columns=["DERMS", "DACS", "Note"])
    Row.objects.create(lookup=made, cells=["EV", "D1EV", ""])
    Row.objects.create(lookup=made, cells=["BATT", "", "no code yet"])
    return made


@pytest.fixture
def config(db):
    made = Lookup.objects.create(name="Config", kind="properties", columns=["Name", "Value", "Description"])
    Row.objects.create(lookup=made, cells=["debug.flag", "", ""], kind="boolean")
    return made


def failed(ask, error=None):
    """The error that this question to a lookup ends with; again, for an instance that has one."""
    instance = error.instance if error else factories.InstanceFactory(status="failed")
    with pytest.raises(LookupFault) as caught:
        ask()
    now = instance.created_at
    return open_error(instance, fault_of(caught.value), now)


def ask(value):
    return lambda: lookup_value("asset_type", "DERMS", value, "DACS")


def missing():
    return models.MissingValue.objects.get()


def test_a_value_is_counted_once_however_its_lookup_is_spelled(table):
    errors = [failed(ask("AC")), failed(lambda: lookup_value("AssetType", "derms", "AC", "dacs"))]
    value = missing()
    assert (value.lookup, value.column, value.value, value.target, value.count) == (
        "AssetType",
        "DERMS",
        "AC",
        "DACS",
        2,
    )
    assert set(value.errors.all()) == set(errors)


def test_an_error_is_linked_to_what_it_lacks_now(table):
    error = failed(ask("AC"))
    failed(ask("PV"), error)
    assert [value.value for value in error.missing_values.all()] == ["PV"]
    open_error(error.instance, fault_of(RuntimeError("other")), error.last_failed_at)
    assert not error.missing_values.exists()


def test_a_fault_raised_from_a_lookups_is_counted_too(table):
    instance = factories.InstanceFactory(status="failed")
    with pytest.raises(LookupFault) as caught:
        ask("AC")()
    outer = fault_of(RuntimeError("record 4"))
    outer.__cause__ = fault_of(caught.value)
    open_error(instance, outer, instance.created_at)
    assert missing().value == "AC"


@pytest.mark.parametrize("value", ["x" * 501, "a\x00b"])
def test_what_no_row_can_hold_is_not_counted(table, value):
    failed(ask(value))
    assert not models.MissingValue.objects.exists()


def test_a_column_that_is_not_there_is_no_missing_value(table):
    failed(lambda: lookup_value("AssetType", "NOPE", "AC", "DACS"))
    assert not models.MissingValue.objects.exists()


def test_one_that_was_there_and_went_is_missing_again(table):
    error = failed(ask("AC"))
    row = Row.objects.create(lookup=table, cells=["AC", "D1AC", ""])
    assert missing_settle() == 1
    row.delete()
    failed(ask("AC"), error)
    assert missing().settled_at is None


def test_the_list_says_what_is_missing_and_how_much_it_stops(viewer, table):
    failed(ask("AC"))
    failed(ask("AC"))
    page = text_of(viewer.get(list_of(models.MissingValue)))
    assert "AssetType" in page
    assert "Release what is there now" not in page


def test_a_business_admin_adds_the_row_and_cannot_release(business_admin, table):
    failed(ask("AC"))
    page = text_of(business_admin.get(page_of(missing())))
    assert "has no row with this value" in page
    answer = business_admin.post(page_of(missing(), "add_row"), {"cell_1": "D1AC"}, follow=True)
    assert "takes an operator" in text_of(answer)
    assert lookup_value("AssetType", "DERMS", "AC", "DACS") == "D1AC"
    assert (missing().settled_by, Row.history.first().history_user.username) == ("bea", "bea")


def test_a_blank_cell_of_a_row_that_is_there_is_filled(business_admin, table):
    failed(ask("BATT"))
    assert "its cell is blank" in text_of(business_admin.get(page_of(missing())))
    business_admin.post(page_of(missing(), "fill"), {"cell_1": "D1BT", "cell_2": "changed"})
    assert Row.objects.get(cells__0="BATT").cells == ["BATT", "D1BT", "no code yet"]
    assert table.rows.count() == 2


def test_what_was_typed_is_kept_where_it_cannot_be(business_admin, table):
    failed(ask("AC"))
    answer = business_admin.post(page_of(missing(), "add_row"), {"cell_1": " ", "cell_2": "kept"})
    assert "DACS is blank" in text_of(answer)
    assert 'value="kept"' in text_of(answer)


def test_a_property_is_set_and_a_new_one_takes_the_right_to_edit_names(business_admin, configurator, config):
    failed(lambda: Properties("Config").flag("debug.flag"))
    business_admin.post(page_of(missing(), "fill"), {"cell_1": "true"})
    assert Properties("Config").flag("debug.flag")
    failed(lambda: Properties("Config").text("new.one"))
    new = models.MissingValue.objects.get(column="new.one")
    assert business_admin.post(page_of(new, "add_row"), {"cell_1": "x"}).status_code == 403
    configurator.post(page_of(new, "add_row"), {"cell_1": "x"})
    assert Properties("Config").text("new.one") == "x"


def test_a_value_of_another_kind_is_refused_with_its_reason(business_admin, config):
    failed(lambda: Properties("Config").flag("debug.flag"))
    assert "not true or false" in text_of(
        business_admin.post(page_of(missing(), "fill"), {"cell_1": "maybe"})
    )


@pytest.mark.parametrize("who", ["viewer", "operator"])
def test_who_edits_no_lookups_adds_no_row(who, table, request):
    failed(ask("AC"))
    browser = request.getfixturevalue(who)
    assert "missing-form" not in text_of(browser.get(page_of(missing())))
    for name in ("add_row", "fill"):
        assert browser.post(page_of(missing(), name), {"cell_1": "x"}).status_code == 403
    assert models.AuditEntry.objects.filter(action="refused").count() == 2
    assert table.rows.count() == 2


def test_a_lookup_that_is_gone_is_said_to_be(business_admin, table):
    failed(ask("AC"))
    table.delete()
    assert "There is no lookup" in text_of(business_admin.get(page_of(missing())))
    answer = business_admin.post(page_of(missing(), "add_row"), {"cell_1": "x"})
    assert "There is no lookup" in text_of(answer)


def test_only_errors_that_lack_nothing_else_are_released(table):
    one, other = failed(ask("AC")), failed(ask("AC"))
    lacks_too = failed(ask("PV"))
    other.missing_values.add(lacks_too.missing_values.get())
    Row.objects.create(lookup=table, cells=["AC", "D1AC", ""])
    assert list(released_by(models.MissingValue.objects.all())) == [one]


def test_from_the_mails_link_to_the_release_in_six_clicks(admin, table):
    error = failed(ask("AC"))
    page = text_of(admin.get(page_of(error)))  # the link of the mail
    assert page_of(missing()) in page  # 1: add the row
    answer = admin.post(page_of(missing(), "add_row"), {"cell_1": "D1AC"}, follow=True)  # 2
    release = answer.context["release_url"]
    assert release.replace("&", "&amp;") in text_of(answer)
    assert "Resubmit 1" in text_of(admin.get(release))  # 3
    start = reverse("admin:integrations_bulkresubmission_start")
    answer = admin.post(start, {"missing": missing().pk, "rate": "60"}, follow=True)  # 4
    assert "Started." in text_of(answer)
    assert list(models.BulkItem.objects.values_list("instance", flat=True)) == [error.instance_id]


def links_of(page):
    """Where the page's links lead, and what they say."""
    return [(unescape(link), said) for link, said in re.findall(r'href="([^"]+)">([^<]+)<', page)]


def test_the_number_of_open_errors_leads_to_them(viewer, table):
    failed(ask("AC"))
    models.ErrorInstance.objects.filter(pk=failed(ask("AC")).pk).update(state="recovered")
    failed(ask("PV"))
    found = [
        link
        for link, said in links_of(text_of(viewer.get(list_of(models.MissingValue), {"q": "AC"})))
        if "errorinstance/?missing" in link and said == "1"
    ]
    rows = viewer.get(found[0]).context["cl"].result_list
    assert [row.missing_values.get().value for row in rows] == ["AC"]


@pytest.mark.parametrize("asked", ["x", "1" * 19, "99"])
def test_errors_of_a_value_there_is_not_are_none(viewer, table, asked):
    failed(ask("AC"))
    answer = viewer.get(list_of(models.ErrorInstance), {"missing_values__id__exact": asked})
    assert answer.status_code == 302 or not answer.context["cl"].result_list


def test_a_sum_leads_to_the_values_it_sums_up(viewer, table):
    failed(ask("AC")), failed(ask("PV"))
    failed(lambda: lookup_value("AssetType", "DERMS", "AC", "Note"))
    failed(lambda: lookup_value("AssetType", "DACS", "AC", ""))
    models.MissingValue.objects.create(
        lookup="AssetType",
        column="DERMS",
        target="DACS",
        signature="settled",
        first_seen=timezone.now(),
        last_seen=timezone.now(),
        settled_at=timezone.now(),
    )
    for one in viewer.get(list_of(models.MissingValue)).context["groups"]:
        assert viewer.get(one["list"]).context["cl"].result_count == one["values"], one


def test_what_somebody_added_elsewhere_is_released_from_the_list(operator, table):
    failed(ask("AC"))
    failed(ask("PV"))
    Row.objects.create(lookup=table, cells=["AC", "D1AC", ""])
    listed = operator.get(list_of(models.MissingValue))
    assert "Resubmit 1" in text_of(operator.get(listed.context["release_url"]))
    keys = list(models.MissingValue.objects.values_list("pk", flat=True))
    chosen = {"action": "release_selected", "_selected_action": keys}
    assert "Resubmit 1" in text_of(operator.post(list_of(models.MissingValue), chosen, follow=True))


def _lacking(value, **more):
    day = timezone.now()
    return models.MissingValue.objects.create(
        lookup="AssetType",
        column="DERMS",
        value=value,
        target="DACS",
        signature=value,
        **{"first_seen": day, "last_seen": day, **more},
    )


def test_the_rounds_come_to_every_value(table, monkeypatch):
    monkeypatch.setattr(missing_check, "AT_ONCE", 2)
    for value in ("EV", "A", "B", "C"):
        _lacking(value)
    assert [missing_settle() for _ in range(3)] == [1, 0, 0]
    Row.objects.create(lookup=table, cells=["C", "D1C", ""])
    assert sum(missing_settle() for _ in range(2)) == 1


def test_what_is_long_past_is_forgotten_unless_an_error_waits_for_it(table, settings):
    old = timezone.now() - timedelta(days=settings.HUB_RETENTION_DAYS + 1)
    kept = [_lacking("new"), _lacking("waited for", last_seen=old)]
    kept[1].errors.add(factories.ErrorInstanceFactory(state="open"))
    _lacking("over", last_seen=old).errors.add(factories.ErrorInstanceFactory(state="recovered"))
    _lacking("settled", last_seen=old, settled_at=old)
    assert missing_forget() == 2
    assert list(models.MissingValue.objects.order_by("pk")) == kept
