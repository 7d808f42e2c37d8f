"""From a value that a lookup lacks to the recovered instance, with a real flow, mail and worker."""

import json

from integrations.engine.runner import work_on
from integrations.models import ErrorInstance, Instance, MissingValue, Notification
from integrations.services.beat import tasks
from integrations.services.bulk_start import bulk_start
from integrations.services.bulk_work import bulk_work
from integrations.services.instance_submit import instance_submit
from integrations.services.missing_check import missing_settle, released_by
from integrations.services.missing_fill import missing_fill
from lookups.models import Lookup
from tests import factories


def translate(run, message):
    """A flow that asks a lookup."""
    return {"type": run.lookup("AssetType", "DERMS", message["type"], "DACS")}


def submit(client, **message):
    body = json.dumps(message).encode()
    return instance_submit(
        identifier="TEST-FLOW", resource="go", version="1.0", message=body, client=client
    ).instance


def test_mail_error_row_release_recovered(make_flow, client):
    make_flow(translate)
    Lookup.objects.create(name="AssetType", columns=["DERMS", "DACS"])
    instances = [submit(client, type=kind) for kind in ("AC", "AC", "PV")]
    for instance in instances:
        work_on(instance.pk)
    error = ErrorInstance.objects.get(instance=instances[0])
    mail = Notification.objects.get(kind="error", instance=instances[0])
    assert (
        f"Put it right: http://127.0.0.1:8000/admin/integrations/errorinstance/{error.pk}/change/"
        in mail.body
    )

    lacking = MissingValue.objects.get(value="AC")
    person = factories.UserFactory(is_superuser=True)
    missing_fill(missing=lacking, cells={1: "D1AC"}, person=person, actor=person.username)
    released = released_by(MissingValue.objects.all())
    assert released.count() == 2
    order = bulk_start(errors=released, selection={}, title="released", rate=6_000, actor="olga")
    for _ in range(2):
        type(order).objects.update(next_at=error.last_failed_at)
        bulk_work()
    for instance in instances[:2]:
        work_on(instance.pk)
    assert dict(ErrorInstance.objects.values_list("instance", "state")) == {
        instances[0].pk: "recovered",
        instances[1].pk: "recovered",
        instances[2].pk: "open",
    }
    assert set(Instance.objects.filter(flow__identifier="TEST-FLOW").values_list("status", flat=True)) == {
        "succeeded",
        "failed",
    }


def test_the_beat_works_off_orders_and_looks_for_rows_that_came(transactional_db):
    assert {task.name: task.do for task in tasks()}.items() >= {
        "bulk resubmissions": bulk_work,
        "missing values": missing_settle,
    }.items()
