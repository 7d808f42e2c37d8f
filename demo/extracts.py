"""The extract files of CCS as DACS uploads them: columns, flags, names.

Tab-delimited records without a header line in a file called `.csv` (seed 001 chapters 2 and 3), with the columns
of the published upload layouts of X1-COUP, X1-MSPUP and X1-MSUPL; the last columns of the service point and the
service are this project's own reading, as the published lists break off there.
"""

import hashlib
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from demo.people import Customer

INITIAL, INCREMENTAL = "F1IL", "F1IC"
CONTACT, SERVICE_POINT, SERVICE = "contact", "metered service point", "metered service"

_COMMON = ("External Reference Id", "Change Date Time", "Initial Load Sync Flag", "External Id")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    CONTACT: (
        *_COMMON,
        *("Contact Type", "Name", "Home Phone", "Mobile Phone", "Business Phone", "Email"),
        *("Life Support Sensitive Load", "Life Support Sensitive Load Description", "Purged"),
    ),
    SERVICE_POINT: (
        *_COMMON,
        *(
            "Metered SP Type",
            "SP Source Status",
            "Division",
            "External Premise Id",
            "Time Zone",
            "Country",
            "Postal",
        ),
        *("Address 1", "Address 2", "Address 3", "Address 4", "City", "County", "State"),
        *("Latitude", "Longitude", "Purged"),
    ),
    SERVICE: (
        *_COMMON,
        *(
            "Metered Service Type",
            "External Contact Id",
            "External Account Id",
            "Start Date Time",
            "End Date Time",
        ),
        *("Division", "Status", "External Service Point Id", "Rate Schedule", "Purged"),
    ),
}
REQUIRED: Mapping[str, tuple[str, ...]] = {
    CONTACT: ("Initial Load Sync Flag", "External Id", "Contact Type", "Name", "Life Support Sensitive Load"),
    SERVICE_POINT: (
        "Initial Load Sync Flag",
        "External Id",
        "Metered SP Type",
        "SP Source Status",
        "Time Zone",
    ),
    SERVICE: ("Initial Load Sync Flag", "External Id", "Metered Service Type", "Start Date Time"),
}


@dataclass(frozen=True, slots=True)
class Batch:
    """An extract batch of CCS (seed 001 chapter 3): what it extracts, and whether it is the initial load."""

    code: str
    entity: str
    initial: bool


BATCHES: Mapping[str, Batch] = {
    code: Batch(code, entity, code.endswith("IL"))
    for code, entity in {
        "C1-DCTIL": CONTACT,
        "C1-DSPIL": SERVICE_POINT,
        "C1-DMSIL": SERVICE,
        "C1-DCTEX": CONTACT,
        "C1-DSPEX": SERVICE_POINT,
        "C1-DMSEX": SERVICE,
    }.items()
}
_NAME = re.compile(r"(?P<code>C1-D[A-Z]{4})_(?P<number>\d+)_(?P<rerun>\d+)\.csv(?P<zip>\.zip)?")


@dataclass(frozen=True, slots=True)
class Source:
    """One record to extract: `reference` is the sync request's id, "" for the initial load."""

    customer: Customer
    reference: str
    changed_at: datetime


def file_name(code: str, number: int, rerun: int = 0, *, zipped: bool = False) -> str:
    """E.g. C1-DCTIL_0033_00.csv.zip (seed 001 chapter 3)."""
    return f"{code}_{number:04}_{rerun:02}.csv{'.zip' if zipped else ''}"


def batch_of(name: str) -> Batch | None:
    """The batch whose file this is, None where the name is of no extract."""
    match = _NAME.fullmatch(name)
    return BATCHES.get(match["code"]) if match else None


def write_extract(
    path: Path, inner_name: str, batch: Batch, sources: Iterable[Source], *, zipped: bool
) -> int:
    """Write the records to `path`, zipped as the member `inner_name` if so wanted; how many there were."""
    lines = (line(batch, source) for source in sources)
    if not zipped:
        with path.open("wb") as file:
            return _write(file.write, lines)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(inner_name, "w") as member:
        return _write(member.write, lines)


def line(batch: Batch, source: Source) -> str:
    """One record, tab-delimited, ended by a newline."""
    flag = INITIAL if batch.initial else INCREMENTAL
    head = (source.reference, _moment(source.changed_at), flag)
    return "\t".join((*head, *_VALUES[batch.entity](source.customer))) + "\n"


def read_extract(content: BinaryIO, name: str) -> Iterator[dict[str, str]]:
    """The records of a file by column, one at a time; ValueError for a name or a line that is none."""
    batch = batch_of(name)
    if batch is None:
        raise ValueError(f"{name} is not the name of an extract")
    if not name.endswith(".zip"):
        yield from _records(content, batch.entity)
        return
    with zipfile.ZipFile(content) as archive:
        for member in archive.namelist():
            with archive.open(member) as inner:
                yield from _records(inner, batch.entity)


def digest(content: BinaryIO) -> str:
    """SHA-256 of the rest of a file, in hexadecimal."""
    found = hashlib.sha256()
    while chunk := content.read(1024 * 1024):
        found.update(chunk)
    return found.hexdigest()


def _write(write: Callable[[bytes], object], lines: Iterable[str]) -> int:
    count = 0
    for text in lines:
        write(text.encode())
        count += 1
    return count


def _records(content: Iterable[bytes], entity: str) -> Iterator[dict[str, str]]:
    columns = COLUMNS[entity]
    for number, raw in enumerate(content, start=1):
        values = raw.decode().rstrip("\r\n").split("\t")
        if len(values) != len(columns):
            raise ValueError(f"record {number} has {len(values)} columns; a {entity} has {len(columns)}")
        yield dict(zip(columns, values, strict=True))


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _contact(one: Customer) -> Sequence[str]:
    phones = (one.home_phone, one.mobile_phone, one.business_phone)
    support = (_flag(one.life_support), one.life_support_text)
    return (one.person_id, one.contact_type, one.name, *phones, one.email, *support, "false")


def _service_point(one: Customer) -> Sequence[str]:
    status = "D1CN" if one.connected else "D1DC"
    site = (one.division, one.premise_id, "America/Los_Angeles", "USA", one.postal)
    address = (one.address, "", "", "", one.city, "", "OR", one.latitude, one.longitude)
    return (one.service_point_id, one.service_point_type, status, *site, *address, "false")


def _service(one: Customer) -> Sequence[str]:
    parties = (one.person_id, one.account_id, _moment(one.start), "")
    rest = (one.division, one.agreement_status, one.service_point_id, one.rate_schedule, "false")
    return (one.agreement_id, one.agreement_type, *parties, *rest)


_VALUES: Mapping[str, Callable[[Customer], Sequence[str]]] = {
    CONTACT: _contact,
    SERVICE_POINT: _service_point,
    SERVICE: _service,
}
