"""Controllable devices nobody has: each number gives the same one, so that both sides speak of the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

HEAD_ENDS = ("ECOBEE", "CHARGEPOINT", "TESLA")
# Type and make and model as DERMS says them, and the same as CPMCS does: rows of the lookups AssetType and AssetSpec
# of the package OU CPMCS DERMS.
KINDS = (
    ("THERMOSTAT", "ECOBEE!SMART_THERMOSTAT_PREMIUM", "SMART-THERMOSTAT", "ECOBEE-STP"),
    ("EV_CHARGER", "CHARGEPOINT!HOME_FLEX", "EV-CHARGER", "CP-HOMEFLEX"),
    ("BATTERY", "TESLA!POWERWALL_3", "BATTERY-STORAGE", "TESLA-PW3"),
)


@dataclass(frozen=True, slots=True)
class Device:
    """A device: `type` and `specification` as DERMS says them, `cpmcs_…` as CPMCS does."""

    id: str
    nic: str
    head_end: str
    type: str
    specification: str
    cpmcs_type: str
    cpmcs_specification: str
    badge: str
    serial: str


def device(number: int) -> Device:
    """The device of this number, from 0."""
    kind, specification, cpmcs_type, cpmcs_specification = KINDS[number % len(KINDS)]
    return Device(
        id=f"{number + 1:012}",
        nic=nic_of(number),
        head_end=HEAD_ENDS[number % len(HEAD_ENDS)],
        type=kind,
        specification=specification,
        cpmcs_type=cpmcs_type,
        cpmcs_specification=cpmcs_specification,
        badge=f"B{number:08}",
        serial=f"S{number:010}",
    )


def devices(count: int, first: int = 0) -> Iterator[Device]:
    """`count` devices, one after another."""
    return (device(number) for number in range(first, first + count))


def nic_of(number: int) -> str:
    """The NIC id alone, for files of many."""
    return (
        f"00:1A:{number >> 24 & 255:02X}:{number >> 16 & 255:02X}:{number >> 8 & 255:02X}:{number & 255:02X}"
    )


def as_asset(one: Device, sequence: int) -> dict[str, Any]:
    """As DERMS lists it in an enrolment request."""
    return {
        "sequence": sequence,
        "assetId": one.id,
        "specification": one.specification,
        "assetType": one.type,
        "badgeNo": one.badge,
        "serialNo": one.serial,
        "nicId": one.nic,
        "headEndSystem": one.head_end,
    }


def as_controllable(one: Device, status: str = "ACTIVE", replaces: str = "") -> dict[str, Any]:
    """As CPMCS lists it at a location."""
    listed = {
        "deviceId": one.id,
        "deviceType": one.cpmcs_type,
        "specification": one.cpmcs_specification,
        "badgeNumber": one.badge,
        "serialNumber": one.serial,
        "nicId": one.nic,
        "headEndSystem": one.head_end,
        "status": status,
    }
    return {**listed, "replacesDeviceId": replaces} if replaces else listed
