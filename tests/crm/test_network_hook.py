"""What network location files say fills service delivery points (seed 002, SP Network Location Transfer)."""

from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import Incident, ServiceDeliveryPoint
from crm.services import service_points_from_network as service
from crm.services.import_rows import Imported
from crm.services.service_points_from_network import service_points_from_network
from crm.services.service_points_import import service_points_import
from integrations.engine.network_locations import AT_ONCE, NetworkLocationTap, locations_noted
from integrations.models import NetworkLocation
from tests.crm.conftest import Crm
from tests.crm.scene import at_once
from tests.factories import FileTransferFactory

pytestmark = pytest.mark.django_db
HEADER = "servicePointId,transformerId,effectiveDateTime\n"
MAY, JUNE = "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"


def pass_file(*lines: str) -> None:
    """Let a network location file pass."""
    run: Any = SimpleNamespace(note=lambda text, warning=False: None)
    tap = NetworkLocationTap(run, FileTransferFactory())
    tap.feed((HEADER + "".join(f"{line}\n" for line in lines)).encode())
    tap.feed(b"")


def transformers() -> dict[str, str]:
    return dict(ServiceDeliveryPoint.objects.values_list("mrid", "transformer_id"))


def location(name: str, transformer: str = "") -> NetworkLocation:
    return NetworkLocation(service_point_id=name, transformer_id=transformer)


def test_a_passing_file_makes_the_points_that_are_missing():
    pass_file(f"S1,T1,{MAY}", f"S2,,{MAY}")
    assert transformers() == {"S1": "T1", "S2": ""}


def test_known_points_move_and_keep_everything_else():
    ServiceDeliveryPoint.objects.create(
        mrid="S1", transformer_id="T0", customer_priority=6, x=1, y=2, address="A"
    )
    before = ServiceDeliveryPoint.objects.get().updated_at
    pass_file(f"S1,T1,{MAY}")
    row = ServiceDeliveryPoint.objects.get()
    assert (row.transformer_id, row.customer_priority, row.x, row.address) == ("T1", 6, 1.0, "A")
    assert row.updated_at > before


def test_a_location_without_a_transformer_leaves_the_one_that_is_known():
    ServiceDeliveryPoint.objects.create(mrid="S1", transformer_id="T0")
    pass_file(f"S1,,{MAY}")
    assert transformers() == {"S1": "T0"}


def test_an_older_file_moves_nothing():
    pass_file(f"S1,NEW,{JUNE}")
    pass_file(f"S1,OLD,{MAY}", f"S2,OLD,{MAY}")
    assert transformers() == {"S1": "NEW", "S2": "OLD"}


def test_a_file_of_several_batches_fills_them_all():
    pass_file(*(f"S{number},T,{MAY}" for number in range(2 * AT_ONCE + 1)))
    assert ServiceDeliveryPoint.objects.filter(transformer_id="T").count() == 2 * AT_ONCE + 1


def test_tickets_of_one_transformer_join_one_incident_then(crm: Crm):
    pass_file(f"S1,T1,{MAY}", f"S2,T1,{MAY}", f"S3,T2,{MAY}")
    for name in ("S1", "S2", "S3"):
        crm.create({"UsagePoint": {"mRID": name}})
    assert sorted(Incident.objects.values_list("scope", flat=True)) == ["transformer T1", "transformer T2"]


@pytest.mark.django_db(transaction=True)
def test_places_and_points_are_written_together_or_not_at_all():
    def fail(**_: Any) -> None:
        raise ConnectionError("the database went away")

    locations_noted.connect(fail)
    try:
        with pytest.raises(ConnectionError):
            pass_file(f"S1,T1,{MAY}")
    finally:
        locations_noted.disconnect(fail)
    assert (transformers(), NetworkLocation.objects.count()) == ({}, 0)


def test_the_signal_has_the_rows_that_were_written_alone():
    heard: list[list[str]] = []

    def listen(rows: list[NetworkLocation], **_: Any) -> None:
        heard.append([row.service_point_id for row in rows])

    locations_noted.connect(listen)
    try:
        pass_file(f"S2,NEW,{JUNE}", f"S1,T1,{MAY}")
        pass_file(f"S2,OLD,{MAY}", "too long" * 10 + f",T1,{MAY}")
        pass_file()
    finally:
        locations_noted.disconnect(listen)
    assert heard == [["S1", "S2"]]


def test_the_service_says_what_it_did():
    rows = [location("S1", "T1"), location("S2"), location("S3", "T3")]
    assert service_points_from_network(locations=iter(rows)) == Imported(3, 0, 0)
    rows[1].transformer_id = "T2"
    assert service_points_from_network(locations=rows) == Imported(0, 1, 2)
    assert service_points_from_network(locations=[]) == Imported()


def test_a_batch_takes_a_constant_number_of_statements(monkeypatch: pytest.MonkeyPatch):
    def statements(count: int) -> int:
        rows = [location(f"{count}-{number}", "T" if number % 2 else "") for number in range(count)]
        with CaptureQueriesContext(connection) as seen:
            assert service_points_from_network(locations=rows).added == count
        return len(seen)

    assert statements(100) == statements(10)
    monkeypatch.setattr(service, "AT_ONCE", 10)
    assert statements(40) == 4 * statements(20) / 2


def test_the_command_fills_points_from_all_places_once():
    NetworkLocation.objects.bulk_create(location(f"S{number}", f"T{number}") for number in range(3))
    ServiceDeliveryPoint.objects.create(mrid="S1", transformer_id="T1")
    for expected in ("2 added, 0 changed, 1 unchanged", "0 added, 0 changed, 3 unchanged"):
        out = StringIO()
        call_command("crm_import", "network", stdout=out)
        assert out.getvalue() == f"{expected}, 0 left out\n"
    assert transformers() == {"S0": "T0", "S1": "T1", "S2": "T2"}


@pytest.mark.django_db(transaction=True)
def test_files_imports_and_tickets_at_once_wait_for_each_other_in_one_order(crm: Crm):
    names = [f"S{number:03}" for number in range(120)]
    pass_file(*(f"{name},T0,{MAY}" for name in names))

    def send() -> list[str]:
        return [crm.create(*({"UsagePoint": {"mRID": one}} for one in names[:30])).result for _ in range(4)]

    def imported(order: int) -> bool:
        rows = [
            {"servicePointId": one, "transformerId": f"T{order}", "address": "A"} for one in names[::order]
        ]
        return not service_points_import(rows=rows, actor="op").problems

    found = at_once(
        [
            lambda: pass_file(*(f"{name},T1,{JUNE}" for name in names[::-1])),
            lambda: pass_file(*(f"{name},T2,{JUNE}" for name in names)),
            lambda: imported(1),
            lambda: imported(-1),
            send,
        ]
    )
    assert found == [None, None, True, True, ["OK"] * 4]
    assert len(transformers()) == 120
