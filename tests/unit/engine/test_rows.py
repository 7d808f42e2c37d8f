"""insert_rows writes what bulk_create writes, change_rows what update writes."""

import pytest
from django.db import IntegrityError
from django.db.models import F
from django.utils import timezone

from integrations.engine.rows import change_rows, insert_rows, insert_unless_there
from integrations.models import Activity, BusinessKey, Connection, FileTransfer, Instance, Payload, Step
from integrations.services.flows_sync import flows_sync


@pytest.fixture
def instance(make_flow) -> Instance:
    flow = make_flow(lambda run, message: None)
    return Instance.objects.create(flow=flow, cause="manual")


def plain(row) -> dict:
    return {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_rows_come_back_as_they_were_made(instance: Instance):
    flows_sync()
    source = Connection.objects.create(name="A SOURCE", adapter="memory")
    rows = [
        FileTransfer(instance=instance, source=source, source_name=f"näme {n}", source_size=2**40 + n)
        for n in range(3)
    ]
    insert_rows(rows)
    found = {row.pk: row for row in FileTransfer.objects.all()}
    assert [plain(found[row.pk]) for row in rows] == [plain(row) for row in rows]


def test_equal_values_that_are_other_objects_are_not_mixed_up(instance: Instance):
    insert_rows([Activity(instance=instance, kind="noted", text=text) for text in ("a", "b", "b", "a")])
    assert list(instance.activities.values_list("text", flat=True)) == ["a", "b", "b", "a"]


def test_an_inserted_row_is_saved_again_as_an_update(instance: Instance):
    (row,) = rows = [FileTransfer(instance=instance, source_name="one")]
    insert_rows(rows)
    row.state = FileTransfer.State.SENT
    row.save()
    assert FileTransfer.objects.get().state == "sent"


def test_one_row_that_cannot_be_inserted_leaves_none(instance: Instance):
    with pytest.raises(IntegrityError):
        insert_rows([BusinessKey(instance=instance, name="file", value="same") for _ in range(2)])
    assert not instance.keys.exists()


def test_nothing_to_insert_asks_the_database_nothing(instance: Instance, django_assert_num_queries):
    with django_assert_num_queries(0):
        insert_rows([])


def test_a_row_whose_unique_values_are_there_is_left_alone(instance: Instance):
    assert insert_unless_there(Step(instance=instance, key="call", attempt=1, result={"status": 200}))
    assert not insert_unless_there(Step(instance=instance, key="call", attempt=2))
    (step,) = instance.steps.all()
    assert (step.attempt, step.result) == (1, {"status": 200})


def test_rows_that_are_met_are_changed_and_counted(instance: Instance):
    insert_rows([Step(instance=instance, key=key, attempt=1) for key in ("one", "two")])
    now = timezone.now()
    this = {"instance": instance.pk, "key": "one"}
    assert change_rows(Step, this, state=Step.State.DONE, result={"ä": [None]}, ended_at=now) == 1
    assert change_rows(Step, {"instance": instance.pk, "key": "none"}, attempt=2) == 0
    one, two = instance.steps.all()
    assert (one.state, one.result, one.ended_at) == ("done", {"ä": [None]}, now)
    assert (two.state, two.result, two.ended_at) == ("intent", None, None)


def test_a_relation_and_an_expression_are_written_too(instance: Instance):
    payload = Payload.objects.create(pk="0" * 64, size=1)
    assert change_rows(Instance, {"pk": instance.pk}, answer=payload, lease_until=None)
    assert change_rows(Instance, {"pk": instance.pk}, retries=F("retries") + 2)
    instance.refresh_from_db()
    assert (instance.answer, instance.retries) == (payload, 2)
