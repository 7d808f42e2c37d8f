"""OU CPMCS DERMS Device Status Check, OU DERMS CPMCS Device Status Ack (seed 002, Device Status Check and Ack…)."""

import pytest

from integrations.engine.registry import spec_at
from integrations.models import Instance
from tests.flows.conftest import mails
from tests.flows.cpmcs_derms.conftest import CROSS, Sides, answer_of, told

CHECK = ("OUTL-BA-DACS_DRMS_DEVICE_STATUS", "X1-CTRLDVCS")
ACK = ("OUTL-BA-DRMS_DACS_DEV_STAT_ACK", "status-check-ack-to-dacs")
SENT = f"{CROSS}/digitalAssets/controllableDeviceStatus/response"


def test_a_check_reaches_derms_and_cpmcs_gets_its_communication_id(
    sides: Sides,
):  # Device Status Check, steps 1-4
    assert answer_of(sides, *CHECK, told("device_status_check")) == {
        "responseDetails": {"externalId": "30000000000001"}
    }
    (call,) = sides.at_derms("/status-check")
    assert call["body"] == {
        "dacsMessageId": "30000000000001",
        "deviceInfo": {
            "division": "CA",
            "deviceType": "SMART-THERMOSTAT",
            "specification": "ECOBEE-STP",
            "headEndSystem": "ECOBEE",
            "nicid": "NIC00000001",
        },
    }


def test_what_may_lack_in_a_check_lacks_at_derms_too(sides: Sides):
    wanted = told("device_status_check")
    for name in ("deviceType", "specification"):
        del wanted["sendDetails"]["deviceInfo"][name]
    answer_of(sides, *CHECK, wanted)
    assert set(sides.at_derms("/status-check")[0]["body"]["deviceInfo"]) == {
        "division",
        "headEndSystem",
        "nicid",
    }


@pytest.mark.parametrize(("code", "bo_status"), [("SUCCESS", "COMPLETED"), ("FAILURE", "FAILED")])
def test_a_devices_answer_reaches_cpmcs_and_derms_gets_its_bo_status(sides: Sides, code: str, bo_status: str):
    # Device Status Check Acknowledgment, steps 1-4
    answer = answer_of(sides, *ACK, told("device_status_ack", responseCode=code))
    (call,) = sides.at_cpmcs(SENT)
    assert call["body"] == {"responseDetail": {"transactionID": "30000000000001", "result": {"status": code}}}
    (said,) = answer["responses"]["response"]
    assert (said["responseCode"], said["dacsMessageId"]) == (bo_status, "30000000000001")
    assert said["id"] == "30000000000001"
    assert said["responseTimeISO"] == answer["whenISO"]
    assert answer["ackType"] == "SUCCESS"  # however the device is: CPMCS has been told
    assert mails("error") == []


def test_times_are_as_derms_writes_them(sides: Sides):
    answer = answer_of(sides, *ACK, told("device_status_ack"))
    assert len(answer["whenISO"]) == len("2026-07-01T14:00:00.000Z")
    assert answer["whenISO"].endswith("Z")


def test_the_check_and_its_answer_are_found_by_the_same_communication_id(sides: Sides):
    answer_of(sides, *CHECK, told("device_status_check"))
    answer_of(sides, *ACK, told("device_status_ack"))
    found = Instance.objects.filter(primary_key_value="30000000000001")
    assert {one.flow.identifier for one in found} == {CHECK[0], ACK[0]}


def test_the_check_and_its_ack_are_told_apart_where_both_are_printed_alike(db: None):
    # flows.md: the seed prints OUTL-BA-DACS_DRMS_DEVICE_STATUS for both; the resource says which is meant
    printed = CHECK[0]
    assert spec_at(printed, CHECK[1]).identifier == CHECK[0]
    assert spec_at(printed, ACK[1]).identifier == ACK[0]
    assert spec_at(printed, "neither").identifier == CHECK[0]
