"""`manage.py seed_instances`: many made-up instances, as the console would see a busy hub's."""

from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from integrations.models import Activity, BusinessKey, ErrorFamily, ErrorInstance, Flow, Instance

pytestmark = pytest.mark.django_db


def seed(number: int, *more: str) -> str:
    said = StringIO()
    call_command("seed_instances", str(number), *more, stdout=said)
    return said.getvalue()


def test_so_many_are_made_over_so_many_days_and_are_whole():
    before = timezone.now()
    said = seed(3000, "--days", "30", "--lines", "2")
    assert "3,000 instances over 30 days" in said
    times = sorted(Instance.objects.values_list("created_at", flat=True))
    assert len(times) == 3000
    assert before - timedelta(days=30, minutes=1) < times[0] < before - timedelta(days=29)
    assert times[-1] <= timezone.now()
    assert Activity.objects.count() == 6000
    assert BusinessKey.objects.values("instance").distinct().count() == 3000


def test_errors_belong_to_families_that_count_them():
    seed(3000)
    states = Counter(ErrorInstance.objects.values_list("state", flat=True))
    assert set(states) == {"open", "recovered", "discarded"}
    failed = Instance.objects.filter(status__in=["failed", "held"])
    assert failed.count() == states["open"]
    assert not failed.filter(fault_text="").exists()
    for family in ErrorFamily.objects.all():
        errors = family.errors.order_by("last_failed_at")
        assert family.count == errors.count()
        assert family.first_seen == errors[0].last_failed_at
        assert family.last_seen == errors.reverse()[0].last_failed_at


def test_the_same_number_makes_the_same_rows_and_more_are_added():
    seed(200)
    first = sorted(Instance.objects.values_list("primary_key_value", flat=True))
    seed(200)
    both = sorted(Instance.objects.values_list("primary_key_value", flat=True))
    assert both == sorted(first * 2)


def test_in_production_none_are_made(settings):
    settings.EMBEDDED = False
    with pytest.raises(CommandError, match="no place in a production hub"):
        seed(10)
    assert not Instance.objects.exists()


def test_without_flows_it_says_what_to_do():
    Flow.objects.all().delete()
    with pytest.raises(CommandError, match=r"Run manage\.py migrate first"):
        seed(10)
