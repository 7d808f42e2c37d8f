"""Paging by keyset: every row once, forwards and backwards, whatever comes in between."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from integrations import models
from integrations.admin.keyset import Keyset, Place
from tests import factories
from tests.unit.admin.conftest import list_of, text_of

T0 = datetime(2024, 11, 30, 2, tzinfo=UTC)


@pytest.fixture
def rows(db):
    """Seven instances, three of them of one moment; newest first."""
    times = [T0, T0, T0, *(T0 + timedelta(seconds=n) for n in range(1, 5))]
    made = [factories.InstanceFactory(created_at=at) for at in times]
    return sorted((row.pk for row in made), key=_place, reverse=True)


def _place(pk):
    row = models.Instance.objects.get(pk=pk)
    return (row.created_at, row.pk)


def _keyset(**more):
    return Keyset(models.Instance, "created_at", **more)


def _walk(place_of, size=2, **more):
    pages, place = [], Place()
    while True:
        page = _keyset().page(models.Instance.objects.all(), place, size, **more)
        pages.append([row.pk for row in page.rows])
        if not place_of(page):
            return pages, page
        place = Place(after=page.next)


def test_every_row_comes_once_though_moments_are_the_same(rows):
    pages, _ = _walk(lambda page: page.next)
    assert [pk for page in pages for pk in page] == rows
    assert [len(page) for page in pages] == [2, 2, 2, 1]


def test_back_from_the_end_the_same_pages_come(rows):
    keyset, everything = _keyset(), models.Instance.objects.all()
    page = keyset.page(everything, Place(last=True), 3)
    assert [row.pk for row in page.rows] == rows[-3:]
    page = keyset.page(everything, Place(before=page.previous), 3)
    assert [row.pk for row in page.rows] == rows[1:4]
    page = keyset.page(everything, Place(before=page.previous), 3)
    assert ([row.pk for row in page.rows], page.previous) == (rows[:3], "")


def test_what_comes_in_between_shifts_nothing(rows):
    first = _keyset().page(models.Instance.objects.all(), Place(), 3)
    factories.InstanceFactory.create_batch(3, created_at=timezone.now())
    second = _keyset().page(models.Instance.objects.all(), Place(after=first.next), 3)
    assert [row.pk for row in second.rows] == rows[3:6]


def test_the_other_way_round_it_is_the_other_way_round(rows):
    page = _keyset(descending=False).page(models.Instance.objects.all(), Place(), 9)
    assert [row.pk for row in page.rows] == rows[::-1]


@pytest.mark.parametrize("cursor", ["x", "~", "2024~x", "2024-11-30T02:00:00~", "9" * 400, "<b>~<b>"])
def test_a_wrong_place_is_the_first_page(rows, cursor):
    for place in (Place(after=cursor), Place(before=cursor)):
        page = _keyset().page(models.Instance.objects.all(), place, 3)
        assert [row.pk for row in page.rows] == rows[:3]


def test_branches_are_merged_in_order(rows):
    flows = list(models.Instance.objects.values_list("flow_id", flat=True))
    pages, _ = _walk(lambda page: page.next, branches=[{"flow_id": flow} for flow in flows])
    assert [pk for page in pages for pk in page] == rows


def test_a_search_stops_at_its_bound_and_goes_on_from_there(rows):
    wanted = set(rows[4:6])

    def narrow(keys):
        return [key for key in keys if key in wanted]

    page = _keyset().page(models.Instance.objects.all(), Place(), 5, narrow=narrow, bound=3)
    assert (page.rows, page.looked_at) == ([], 3)
    page = _keyset().page(models.Instance.objects.all(), Place(after=page.next), 5, narrow=narrow, bound=9)
    assert ([row.pk for row in page.rows], page.looked_at, page.next) == (rows[4:6], 0, "")


LISTS = [
    (models.Instance, factories.InstanceFactory),
    (models.FileTransfer, factories.FileTransferFactory),
    (models.Notification, factories.NotificationFactory),
    (models.AuditEntry, factories.AuditEntryFactory),
    (models.SyncRequest, factories.SyncRequestFactory),
]


@pytest.mark.parametrize(("model", "factory"), LISTS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_lists_page_by_keyset_and_count_nothing(
    admin, monkeypatch, django_assert_max_num_queries, model, factory
):
    site = admin.get(list_of(model)).context["cl"].model_admin
    monkeypatch.setattr(type(site), "list_per_page", 2)
    made = {factory().pk for _ in range(5)}
    seen, address = set(), list_of(model)
    while address:
        with django_assert_max_num_queries(14) as asked:
            listed = admin.get(address).context["cl"]
        assert not [one for one in asked.captured_queries if "COUNT(*)" in one["sql"]]
        found = {row.pk for row in listed.result_list}
        assert not found & seen
        seen |= found
        address = listed.pager["next"] and list_of(model) + listed.pager["next"]
    assert made <= seen


def test_filters_and_search_go_along_from_page_to_page(admin, monkeypatch):
    monkeypatch.setattr("integrations.admin.instance.InstanceAdmin.list_per_page", 2)
    factories.InstanceFactory.create_batch(3, status="failed", primary_key_value="one")
    factories.InstanceFactory.create_batch(3, status="succeeded", primary_key_value="one")
    listed = admin.get(list_of(models.Instance), {"status__exact": "failed", "q": "one"}).context["cl"]
    rest = admin.get(list_of(models.Instance) + listed.pager["next"]).context["cl"]
    assert [row.status for row in (*listed.result_list, *rest.result_list)] == ["failed"] * 3
    assert rest.pager["next"] == ""
    assert "after=" not in rest.pager["first"]


def test_oldest_first_is_one_click_on_the_column(admin, rows):
    listed = admin.get(list_of(models.Instance)).context["cl"]
    number = list(listed.list_display).index("started")
    turned = admin.get(list_of(models.Instance), {"o": str(number)}).context["cl"]
    assert [row.pk for row in turned.result_list] == rows[::-1]
    assert [
        row.pk for row in admin.get(list_of(models.Instance), {"o": f"-{number}"}).context["cl"].result_list
    ] == rows


def test_the_pager_says_when_that_is_all(admin, rows):
    assert "7 instances on this page, all there are" in text_of(admin.get(list_of(models.Instance)))
