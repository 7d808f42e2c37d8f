"""Messages that come in the same moment: each its own transaction on its own connection, on both databases."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.models import Incident, ReceivedMessage, ServiceDeliveryPoint, TroubleTicket
from tests.crm.conftest import ticket
from tests.crm.wording import CLEAN, at_once, names, over, send_raw, stored

pytestmark = pytest.mark.django_db(transaction=True)
ONCE = {"MessageID": "m1", "CorrelationID": "c1"}


def test_two_clients_create_the_same_external_id_at_once(make_crm):
    clients = [make_crm("CALLCENTER"), over(make_crm("IVR"), "soap")]
    said = at_once(*[lambda crm=crm: crm.create({"name": "same"}) for crm in clients])
    assert [one.result for one in said] == ["OK", "OK"]
    assert len({one.tickets[0]["mRID"] for one in said}) == 2
    assert names() == ["same", "same"]


def test_messages_at_once_open_one_incident_for_one_service_point(make_crm, points):
    clients = [make_crm(f"CLIENT{n}") for n in range(6)]
    ServiceDeliveryPoint.objects.update(transformer_id="")
    for mrid in ("SDP-1", "SDP-2", "SDP-3"):
        at = {"UsagePoint": {"mRID": mrid}}
        said = at_once(*[lambda crm=crm, at=at: crm.create(at, at) for crm in clients])
        assert [one.result for one in said] == ["OK"] * 6
        assert Incident.objects.get(service_point=mrid).tickets.count() == 12


def test_messages_at_once_open_one_incident_for_one_transformer(make_crm, points):
    clients = [make_crm(f"CLIENT{n}") for n in range(4)]
    calls = [
        lambda crm=crm, n=n: crm.create({"UsagePoint": {"mRID": f"SDP-{1 + n % 2}"}})
        for n, crm in enumerate(clients)
    ]
    assert [one.result for one in at_once(*calls)] == ["OK"] * 4
    assert Incident.objects.get().tickets.count() == 4


def test_messages_at_once_with_the_same_points_in_another_order_do_not_wait_for_each_other(make_crm):
    ServiceDeliveryPoint.objects.bulk_create([ServiceDeliveryPoint(mrid=f"P-{n:03}") for n in range(200)])
    given = [{"UsagePoint": {"mRID": f"P-{n:03}"}} for n in range(200)]
    clients = [make_crm(f"CLIENT{n}") for n in range(4)]
    calls = [
        lambda crm=crm, mine=given[:: 1 if n % 2 else -1]: crm.create(*mine) for n, crm in enumerate(clients)
    ]
    assert [one.result for one in at_once(*calls)] == ["OK"] * 4
    assert (Incident.objects.count(), TroubleTicket.objects.count()) == (200, 800)


def test_one_message_id_at_once_is_done_once_and_answered_alike(make_crm):
    crm = make_crm()
    said = at_once(*[lambda: crm.create(CLEAN, **ONCE) for _ in range(5)])
    assert [one.document for one in said] == [said[0].document] * 5
    assert (names(), ReceivedMessage.objects.get().repeats) == (["clean"], 4)


def test_one_message_id_at_once_with_several_payloads_is_one_of_them(make_crm):
    crm = make_crm()
    said = at_once(*[lambda n=n: crm.create({"name": f"t{n}"}, **ONCE) for n in range(4)])
    assert sorted(one.result for one in said) == ["FAILED", "FAILED", "FAILED", "OK"]
    assert len(names()) == 1


def test_one_nonce_at_once_is_taken_once(make_crm):
    crm = make_crm()
    detection = {"Nonce": "n1", "Created": (timezone.now() - timedelta(seconds=1)).isoformat()}
    body = {"Payload": {"TroubleTickets": {"TroubleTicket": [ticket(**CLEAN)]}}}
    send = lambda: send_raw(crm, "soap", "CreatedTroubleTickets", body, ReplayDetection=detection)  # noqa: E731
    assert sorted(one.status_code for one in at_once(*[send] * 4)) == [200, 401, 401, 401]
    assert names() == ["clean"]


def test_changes_at_once_lose_no_comment(make_crm):
    clients = [make_crm(f"CLIENT{n}") for n in range(4)]
    clients[0].create(CLEAN)
    said = at_once(
        *[
            lambda crm=crm, n=n: crm.change({"name": "clean", "comment": f"c{n}"})
            for n, crm in enumerate(clients)
        ]
    )
    assert [one.result for one in said] == ["OK"] * 4
    assert sorted(stored("clean").comment.split("\n")) == ["c0", "c1", "c2", "c3"]


def test_changes_at_once_of_the_same_tickets_in_another_order_do_not_wait_for_each_other(make_crm):
    clients = [make_crm(f"CLIENT{n}") for n in range(2)]
    clients[0].create(*[{"name": f"t{n}"} for n in range(50)])
    given = [{"name": f"t{n}", "comment": "c"} for n in range(50)]
    said = at_once(lambda: clients[0].change(*given), lambda: clients[1].change(*given[::-1]))
    assert [one.result for one in said] == ["OK", "OK"]
    assert set(TroubleTicket.objects.values_list("comment", flat=True)) == {"c\nc"}
