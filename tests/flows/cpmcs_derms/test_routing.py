"""Which DERMS a message goes to (seed 002, lookup OUTL-BRT-DACS_DRMS_Routing; contract: instance, division, *)."""

from collections.abc import Iterator

import pytest

from demo.derms import Derms
from integrations.models import Connection, Instance
from lookups.models import Lookup, Row
from tests.flows.conftest import connection_set
from tests.flows.cpmcs_derms.conftest import (
    BASE,
    DERMS,
    Sides,
    answer_of,
    carry,
    fault_of_call,
    read,
    run_once,
    submit,
    told,
)

ROUTING = "OUTL-BRT-DACS_DRMS_Routing"
OTHER = "OU REST DERMS of the west"
OPT_OUT = ("OUTL-BA-DACS_DERMS_EVTOPTOUT_UPD", "X1-EPOPTOMSG")
RULE = ("OUTL-BA-DACS_DERMS_PROGRULE_SYNC", "X1-GEDPGRMSG")
RESERVATION = ("OUTL_BA_DRMS_DACS_EVT_DVCRESV", "reserveDevice")


@pytest.fixture
def west(sides: Sides) -> Iterator[Derms]:
    """A second DERMS, whose instance is DERMS2 and whose division is WEST."""
    first = Connection.objects.get(name=DERMS)
    Connection.objects.create(
        name=OTHER, adapter="rest", role=first.role, package=first.package, settings=first.settings
    )
    Row(lookup=Lookup.objects.get(name=ROUTING), cells=["WEST", "DERMS2", OTHER]).save()
    with Derms(username="HUB", password="of the west") as derms:
        connection_set(
            OTHER, {"url": f"{derms.url}{BASE}", "auth": "basic", "user": "HUB"}, {"password": "of the west"}
        )
        yield derms


def opt_out(division: str) -> dict:
    found = told("opt_out")
    found["sendDetails"]["deviceInfo"]["division"] = division
    return found


def without_star() -> None:
    for row in Row.objects.filter(lookup__name=ROUTING):
        if "*" in row.cells:
            row.delete()


def test_a_division_with_a_row_of_its_own_goes_to_its_own_derms(sides: Sides, west: Derms):
    answer_of(sides, *OPT_OUT, opt_out("WEST"))
    assert len(west.received()) == 1
    assert sides.derms.received() == []
    found = Instance.objects.get(flow__identifier=OPT_OUT[0])
    assert ("dermsConnection", OTHER) in set(found.keys.values_list("name", "value"))


@pytest.mark.parametrize("division", ["CA", ""])
def test_any_other_division_goes_where_the_star_says(sides: Sides, west: Derms, division: str):
    answer_of(sides, *OPT_OUT, opt_out(division))
    assert len(sides.derms.received()) == 1
    assert west.received() == []


def test_the_instance_comes_before_anything_else(sides: Sides, west: Derms):
    message = told("device_reservation", drmsInstanceId="DERMS2", division="CA")
    instance = carry(sides, *RESERVATION, message, read("device_reservation.csv"))
    assert instance.status == "succeeded"
    assert [call["path"] for call in west.received()] == [f"{BASE}/device-reservation-ack"]
    assert sides.derms.received() == []


def test_without_instance_or_division_the_star_decides(sides: Sides, west: Derms):
    message = told("device_reservation")
    del message["drmsInstanceId"]
    assert carry(sides, *RESERVATION, message, read("device_reservation.csv")).status == "succeeded"
    rule = told("program_rule")
    del rule["sendDetails"]["division"]
    answer_of(sides, *RULE, rule)
    assert len(sides.derms.received()) == 2


def test_an_unknown_division_without_a_star_names_lookup_column_and_value(sides: Sides):
    without_star()
    fault = fault_of_call(sides, *OPT_OUT, opt_out("NOWHERE"))
    assert (fault.code, fault.fault_class, fault.status) == ("HUB-LOOKUP", "technical", 422)
    assert f"Lookup {ROUTING} has no DRMS_Site_Connection for Division 'NOWHERE'" in fault.text
    assert "NOWHERE" in fault.hint
    assert sides.derms.received() == []


def test_an_unknown_instance_without_a_star_fails_and_goes_on_once_the_row_is_there(
    sides: Sides, west: Derms
):
    without_star()
    message = told("device_reservation", drmsInstanceId="DERMS9")
    failed = carry(sides, *RESERVATION, message, read("device_reservation.csv"))
    assert (failed.status, failed.fault_code) == ("failed", "HUB-LOOKUP")
    assert "for DRMS_Instance 'DERMS9'" in failed.fault_text
    Row(lookup=Lookup.objects.get(name=ROUTING), cells=["", "DERMS9", OTHER]).save()
    again = submit(sides, *RESERVATION, message, read("device_reservation.csv"))
    assert run_once(again.instance).status == "succeeded"
    assert len(west.received()) == 1


def test_a_row_that_names_no_connection_there_is_says_so(sides: Sides):
    Row(lookup=Lookup.objects.get(name=ROUTING), cells=["EAST", "DERMS3", "OU REST NOBODY"]).save()
    fault = fault_of_call(sides, *OPT_OUT, opt_out("EAST"))
    assert fault.code == "HUB-CONNECTION"
    assert "OU REST NOBODY" in fault.text
