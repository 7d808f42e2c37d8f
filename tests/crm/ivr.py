"""The IVR as a real server around the hub, and callbacks for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.models import Callback, Incident, TroubleTicket
from demo import soap
from demo.http import Answer, Call
from demo.ivr import PATH, Ivr
from integrations.engine.leases import Keeper
from integrations.engine.runner import work_on
from integrations.models import Flow, Instance
from integrations.services.flow_run import flow_run
from integrations.services.instance_resubmit import instance_resubmit
from tests.flows.conftest import connection_set

FLOW = "GRIDOPS-CRM_SEND_CALLBACKS"
IVR = "OU SOAP IVR for GRIDOPS-CRM"
USER = ("HUB", "a long password")
State = Callback.State


def point_at(url: str, *, retries: int = 0, **settings: Any) -> None:
    """The IVR's connection, set to this address."""
    connection_set(IVR, {"url": url, "user": USER[0], **settings}, {"password": USER[1]}, retries=retries)


class Listening(Ivr):
    """An IVR that keeps what came to it, whole."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.came: list[bytes] = []

    def handle(self, call: Call) -> Answer:
        self.came.append(call.body)
        return super().handle(call)


@contextmanager
def running_ivr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listening]:
    """The IVR as a real server, and the flow switched on; it calls nobody by itself.

    No thread but the test's own may ask the database anything, as its transaction is rolled back.
    """
    monkeypatch.setattr(Keeper, "_renew", lambda keeper, held: None)
    with Listening(username=USER[0], password=USER[1], slow_seconds=1) as running:
        point_at(running.url + PATH)
        Flow.objects.filter(package="GRIDOPS-CRM").update(active=True)
        yield running


def queued(*priorities: int, **given: Any) -> list[Callback]:
    """Callbacks in the queue, of these priorities, all of one restored incident."""
    incident = Incident.objects.create(status="Field Completed", restored_at=timezone.now(), cause="Tree")
    found = []
    for place, priority in enumerate(priorities):
        ticket = TroubleTicket.objects.create(
            kind="customer",
            trouble_code="No Power/No Light",
            source="CallCenter",
            language_id=21514,
            event_at=timezone.now(),
            received_at=timezone.now(),
            call_back=True,
            callback_media=["SMS", "email"],
            comment=f"Lights out {place}",
            incident=incident,
        )
        values = {"reason": "Restored", "priority": priority, "language_id": 21514, **given}
        found.append(Callback.objects.create(ticket=ticket, incident=incident, **values))
    return found


def run() -> Instance:
    """The flow, run by hand; one attempt of a worker at it."""
    return worked(flow_run(flow=Flow.objects.get(identifier=FLOW), parameters={}, actor="olga"))


def worked(instance: Instance) -> Instance:
    """One more attempt, as if it was due."""
    Instance.objects.filter(pk=instance.pk).update(due_at=timezone.now())
    work_on(instance.pk)
    instance.refresh_from_db()
    return instance


def resubmitted(instance: Instance) -> Instance:
    return worked(instance_resubmit(instance=instance, actor="olga"))


def messages(ivr: Listening) -> list[Any]:
    """The messages that reached the IVR, as elements, in their order."""
    return [soap.opened(body).element for body in ivr.came]


def sent(ivr: Listening) -> list[list[str]]:
    """The mRIDs of each message."""
    return [
        [soap.text_at(one, "mRID") for one in soap.all_at(message, "Payload/CallBacks/CallBack")]
        for message in messages(ivr)
    ]


def mrids(*rows: Callback) -> list[str]:
    return [str(row.pk) for row in rows]


def again(row: Callback) -> Callback:
    row.refresh_from_db()
    return row


def over(*rows: Callback) -> None:
    """The time that they were assigned for is over."""
    Callback.objects.filter(pk__in=[row.pk for row in rows]).update(
        release_at=timezone.now() - timedelta(seconds=1)
    )
