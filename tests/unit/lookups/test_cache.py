"""Staleness: each Cache is what one process holds."""

import pytest
from django.db import transaction

from lookups.cache import CHECK_SECONDS, Cache
from lookups.errors import LookupFault
from lookups.models import Lookup, Row
from lookups.services import row_save
from lookups.stamps import touch, touch_once

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def other(clock):
    """Another process: it does not notice this one's edits by itself."""
    return Cache(clock=clock, edits=lambda: 0)


@pytest.fixture
def lookup(db):
    made = Lookup.objects.create(name="T", columns=["A", "B"])
    row_save(row=Row(lookup=made, cells=["a", "old"]))
    return made


def seen(cache, value="a"):
    return cache.table("t").find("A", value, "B")


def change(lookup, to):
    row = lookup.rows.get()
    row.cells[1] = to
    row_save(row=row)


def test_another_process_sees_an_edit_within_a_second(lookup, other, clock):
    assert seen(other) == "old"
    change(lookup, "new")
    clock.now += CHECK_SECONDS
    assert seen(other) == "new"
    assert CHECK_SECONDS < 1


def test_stamps_are_not_read_more_than_once_in_half_a_second(lookup, other, django_assert_num_queries):
    seen(other)
    with django_assert_num_queries(0):
        assert [seen(other) for _ in range(1000)] == ["old"] * 1000


def test_a_look_without_an_edit_costs_one_query(lookup, other, clock, django_assert_num_queries):
    seen(other)
    clock.now += 1
    with django_assert_num_queries(1):
        seen(other)


def test_the_own_process_sees_its_edit_at_once(lookup, clock):
    own = Cache(clock=clock)
    assert seen(own) == "old"
    change(lookup, "new")
    assert seen(own) == "new"


@pytest.mark.parametrize(
    "way", ["update", "bulk_create", "bulk_update", "queryset delete", "raw delete of lookup"]
)
def test_bulk_edits_are_seen_too(lookup, other, clock, way):
    assert seen(other) == "old"
    row = lookup.rows.get()
    row.cells = ["a", "new"]
    if way == "update":
        Row.objects.filter(pk=row.pk).update(cells=["a", "new"])
    elif way == "bulk_update":
        Row.objects.bulk_update([row], ["cells"])
    elif way == "bulk_create":
        Row.objects.bulk_create([Row(lookup=lookup, cells=["a", "new"], position=0)])
    elif way == "queryset delete":
        Row.objects.filter(pk=row.pk).delete()
    else:
        Lookup.objects.filter(pk=lookup.pk).delete()
    clock.now += 1
    if way == "raw delete of lookup":
        with pytest.raises(LookupFault):
            seen(other)
    else:
        assert seen(other) == (None if way == "queryset delete" else "new")


def test_an_edit_of_one_lookup_does_not_reload_another(lookup, other, clock, django_assert_num_queries):
    second = Lookup.objects.create(name="Second", columns=["A", "B"])
    seen(other)
    row_save(row=Row(lookup=second, cells=["x", "y"]))
    clock.now += 1
    with django_assert_num_queries(1):
        assert seen(other) == "old"


def test_what_was_rolled_back_is_not_seen_any_more(lookup, clock):
    own = Cache(clock=clock)
    with transaction.atomic():
        change(lookup, "rolled back")
        assert seen(own) == "rolled back"
        transaction.set_rollback(True)
    assert seen(own) == "old"


def test_many_edits_held_together_change_the_stamp_once(lookup, django_assert_num_queries):
    with django_assert_num_queries(6), touch_once():  # BEGIN, three plain updates, one stamp, COMMIT
        for to in ("1", "2", "3"):
            lookup.rows.model._base_manager.filter(lookup=lookup).update(text=to)
            touch([str(lookup.pk)])


def test_a_renamed_column_is_known_to_other_processes(lookup, other, clock):
    seen(other)
    lookup.columns = ["A", "Renamed"]
    lookup.save()
    clock.now += 1
    assert other.table("T").find("A", "a", "Renamed") == "old"
