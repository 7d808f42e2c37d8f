"""How DACS reads an upload: each record against its columns and the extendable lookups.

The lookups are those of seed 001 chapter 4, "Sync Admin Data".
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from demo.extracts import (
    CONTACT,
    INCREMENTAL,
    INITIAL,
    REQUIRED,
    SERVICE,
    SERVICE_POINT,
    batch_of,
    read_extract,
)

Lookups = Mapping[str, Mapping[str, str]]
LOOKUPS = Path(__file__).parent / "data" / "dacs_lookups.json"

# Which column goes through which extendable lookup; an empty value needs none.
TRANSLATED: Mapping[str, Mapping[str, str]] = {
    CONTACT: {
        "Contact Type": "D1-CCBContactTypeLookup",
        "Life Support Sensitive Load": "D1-CCBLifeSupSensitiveLdLookup",
    },
    SERVICE_POINT: {"Metered SP Type": "D1-CCBSPTypeLookup", "Division": "D1-CCBDivisionLookup"},
    SERVICE: {
        "Metered Service Type": "D2-CCBSATypeLookup",
        "Status": "D2-CCBSAStatusLookup",
        "Rate Schedule": "D2-CCBRateScheduleLookup",
        "Division": "D1-CCBDivisionLookup",
    },
}


@dataclass(frozen=True, slots=True)
class Checked:
    """One record that DACS has read. `reference`: whom to acknowledge, "" for the initial load."""

    reference: str
    external_id: str
    errors: tuple[str, ...]


def base_lookups() -> Lookups:
    """The extendable lookups as this DACS has them: lookup → CCS value → DACS value."""
    found: Lookups = json.loads(LOOKUPS.read_text())
    return found


def check_upload(content: BinaryIO, name: str, lookups: Lookups) -> Iterator[Checked]:
    """Each record of a file with what is wrong with it; ValueError where the file itself cannot be read."""
    batch = batch_of(name)
    if batch is None:
        raise ValueError(f"{name} is not the name of an extract")
    for record in read_extract(content, name):
        errors = tuple(record_errors(record, batch.entity, lookups))
        reference = record["External Reference Id"] if record["Initial Load Sync Flag"] == INCREMENTAL else ""
        yield Checked(reference, record["External Id"], errors)


def record_errors(record: Mapping[str, str], entity: str, lookups: Lookups) -> Iterator[str]:
    """What DACS has against a record, a sentence each."""
    for column in REQUIRED[entity]:
        if not record[column]:
            yield f"{column} is missing for the {entity} {record['External Id']}."
    flag = record["Initial Load Sync Flag"]
    if flag not in (INITIAL, INCREMENTAL):
        yield f"Initial Load Sync Flag is {flag}; it can be {INITIAL} or {INCREMENTAL}."
    if flag == INCREMENTAL and not record["External Reference Id"]:
        yield f"External Reference Id is missing for the {entity} {record['External Id']}."
    for column, lookup in TRANSLATED[entity].items():
        value = record[column]
        if value and value not in lookups[lookup]:
            whose = f"of the {entity} {record['External Id']}"
            yield f"{column} {value} {whose} is not in the extendable lookup {lookup}."
