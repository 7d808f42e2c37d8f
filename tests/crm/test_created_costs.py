"""How many statements a message costs: a constant, and one more a thousand tickets."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import Incident, ServiceDeliveryPoint, TroubleTicket
from crm.operations import created_trouble_tickets
from crm.outage import placing
from tests.crm.conftest import Crm, Plain

Make = Callable[[int], Plain]
PERSON = {
    "lastName": "Byron",
    "mobilePhone": {"localNumber": "555"},
    "electronicAddress": {"email1": "a@b.org"},
}


@pytest.fixture
def statements(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Send so many tickets; how many statements that took. COPY goes past Django's log and is counted beside it."""
    copied: list[str] = []
    for module in (created_trouble_tickets, placing):
        kept = module.put_rows

        def counting(model: Any, columns: Any, rows: Any, kept: Any = kept) -> None:
            if rows and connection.vendor == "postgresql":
                copied.append(str(model))
            kept(model, columns, rows)

        monkeypatch.setattr(module, "put_rows", counting)

    def count(number: int, make: Make) -> int:
        copied.clear()
        with CaptureQueriesContext(connection) as queries:
            said = crm.create(*[make(n) for n in range(number)])
        assert (said.result, len(said.tickets)) == ("OK", number)
        return len(queries) + len(copied)

    return count


def in_the_model(n: int) -> Plain:
    return {"UsagePoint": {"mRID": f"P-{n}"}, "CustomerData": PERSON, "name": f"t{n}"}


def affected(n: int) -> Plain:
    return {"UsagePoint": {"mRID": f"P-{n % 7}"}}


def unlocated(n: int) -> Plain:
    return {"UsagePoint": {"mRID": f"NONE-{n}"}, "CustomerData": PERSON}


def with_coordinates(n: int) -> Plain:
    return {"Location": [{"PositionPoint": {"xPosition": str(-73 - n / 10_000), "yPosition": "40"}}]}


def at_a_pole(n: int) -> Plain:
    return {"Location": [{"type": "Pole", "description": "poleId", "name": f"P-{n}"}]}


@pytest.mark.parametrize("make", [in_the_model, affected, unlocated, with_coordinates, at_a_pole])
def test_a_message_takes_a_constant_number_of_statements_and_one_more_a_thousand_tickets(statements, make):
    ServiceDeliveryPoint.objects.bulk_create([ServiceDeliveryPoint(mrid=f"P-{n}") for n in range(3000)])
    statements(7, make)
    constant = statements(8, make) - 1  # seven join an incident, if any can, and one opens its own
    for number in (1, 50, 1000, 2500):
        assert statements(number, make) <= constant + math.ceil(number / 1000), number
    assert TroubleTicket.objects.count() == 3566
    assert constant < 40


def test_affected_tickets_cost_the_reading_of_their_incidents(statements):
    ServiceDeliveryPoint.objects.bulk_create([ServiceDeliveryPoint(mrid=f"P-{n}") for n in range(3000)])
    statements(1000, in_the_model)
    few = statements(1, in_the_model)
    Incident.objects.update(confirmed_at="2026-01-01T00:00:00Z")
    assert statements(1, in_the_model) == few + 2  # incidents, their crews
    assert statements(1000, in_the_model) == few + 2


def test_changes_cost_a_constant_number_of_statements(crm: Crm):
    crm.create(*[{"name": f"t{n}"} for n in range(1000)])
    counted = []
    for number in (1, 50, 1000):
        with CaptureQueriesContext(connection) as queries:
            given = [{"name": f"t{n}", "comment": "c", "CustomerData": PERSON} for n in range(number)]
            assert crm.change(*given).result == "OK"
        counted.append(len(queries))
    assert counted == [counted[0]] * 3
