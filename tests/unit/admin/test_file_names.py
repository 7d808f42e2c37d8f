"""A file is found by its name at the source and the target, and by what it was renamed to."""

import pytest
from django.urls import reverse

from integrations import models
from tests import factories
from tests.unit.admin.conftest import list_of, text_of


@pytest.fixture
def moved(db):
    """One that has three names, and another."""
    factories.FileTransferFactory()
    return factories.FileTransferFactory(
        source_name="IN_7.csv", renamed_to="SENT-IN_7.csv", target_name="OUT_7.csv"
    )


@pytest.mark.parametrize("name", ["IN_7.csv", "SENT-IN_7.csv", "OUT_7.csv", "SENT-", "OUT_"])
def test_the_list_finds_it_by_each_name_or_its_beginning(viewer, moved, name):
    found = viewer.get(list_of(models.FileTransfer), {"q": name}).context["cl"].result_list
    assert [row.pk for row in found] == [moved.pk]


@pytest.mark.parametrize("name", models.FileTransfer.NAMES)
def test_find_shows_it_by_each_name(viewer, moved, name):
    answer = viewer.get(reverse("business-object"), {"value": getattr(moved, name)})
    assert [event.row for event in answer.context["story"].events] == [moved]


def test_a_file_that_kept_its_name_is_one_event(viewer):
    factories.FileTransferFactory(source_name="SAME.csv", target_name="SAME.csv")
    page = viewer.get(reverse("business-object"), {"value": "SAME.csv"})
    assert len(page.context["story"].events) == 1
    assert "SAME.csv" in text_of(page)
