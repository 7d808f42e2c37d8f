"""Asked gives what the ORM gives, without building the query anew; it stands beside design section 4's rules, which
are asked for with every request."""

import threading
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import Exists, F, OuterRef
from django.forms.models import model_to_dict

from hub.asked import Asked
from integrations.models import BusinessKey, Client, Flow, Instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def instance() -> Instance:
    client = Client.objects.create(client_id="caller", user=User.objects.create_user("olivia"))
    return Instance.objects.create(
        flow=Flow.objects.all()[0],
        cause="inbound",
        client=client,
        parameters={"a": [1, None]},
        due_at=datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    )


def test_a_row_is_what_the_orm_makes_of_it(instance: Instance):
    found = Asked(lambda pk: Instance.objects.filter(pk=pk), uuid.UUID).first(instance.pk)
    assert found is not None
    assert model_to_dict(found) == model_to_dict(Instance.objects.get())
    assert (found.pk, found.due_at, found.parameters) == (
        instance.pk,
        instance.due_at,
        instance.parameters,
    )


def test_related_rows_and_annotations_come_with_it(instance: Instance, django_assert_num_queries):
    BusinessKey.objects.create(instance=instance, name="account", value="1")
    asked = Asked(
        lambda fence, name: (
            Instance.objects.filter(fence=fence, flow__identifier=name)
            .select_related("flow", "client__user", "parent")
            .annotate(twice=F("round") * 2, known=Exists(BusinessKey.objects.filter(instance=OuterRef("pk"))))
        ),
        int,
        str,
    )
    with django_assert_num_queries(1):
        found: Any = asked.first(0, instance.flow.identifier)
        assert found.flow == instance.flow
        assert found.client is not None
        assert found.client.user is not None
        assert (found.client.user.username, found.parent) == ("olivia", None)
        assert (found.twice, bool(found.known)) == (2, True)


def test_only_the_values_change_from_one_question_to_the_next(instance: Instance):
    asked = Asked(lambda client, name: Client.objects.filter(pk=client, client_id=name), int, str)
    assert asked.first(instance.client_id, "caller") == instance.client
    assert asked.first(instance.client_id, "' OR 1=1 --") is None
    assert asked(0, "caller") == []
    Client.objects.update(name="Dispatch")
    found = asked.first(instance.client_id, "caller")
    assert found is not None
    assert found.name == "Dispatch"


def test_fields_left_out_are_asked_for_when_they_are_read(instance: Instance, django_assert_num_queries):
    found = Asked(lambda pk: Instance.objects.filter(pk=pk).only("pk"), uuid.UUID).first(instance.pk)
    assert found is not None
    with django_assert_num_queries(1):
        assert found.parameters == {"a": [1, None]}


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_over_its_own_connection() -> None:
    Client.objects.create(client_id="caller")
    asked = Asked(lambda name: Client.objects.filter(client_id=name), str)
    seen: list[list[Client]] = [asked("caller")]

    def ask() -> None:
        try:
            seen.append(asked("caller"))
        finally:
            connections.close_all()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert [[row.client_id for row in rows] for rows in seen] == [["caller"], ["caller"]]
