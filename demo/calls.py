"""A call centre's day: 200 real calls (data/calls), made into trouble tickets of all kinds (seed 004 chapter 5).

The same calls give the same tickets at each start, but for their names and times; service delivery points and landbase
objects are made of them too, so that most can be found. Persons are made up.
"""

import csv
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from demo.people import FIRST, LAST

DATA = Path(__file__).parent / "data" / "calls"
NYC, BOSTON = "NYC", "Boston"  # as Header.Source names them: each has coordinates of its own
NYC_PROJECTION = "EPSG:2263"  # New York Long Island State Plane, feet
CUSTOMER, LANDBASE, LOCATION, UNLOCATED = "customer", "landbase", "location", "unlocated"
ENGLISH, SPANISH = 1033, 21514
SEED = 311
# How many of the customers who call hang on each transformer of a city, the rest by threes.
_ON_A_TRANSFORMER = (12, 8, 6, 4)
_PRIORITIES = (0, 6, 2, 5, 0, 3, 0, 1)
_UNKNOWN_ONE_IN = 6  # landbase objects that are not on the map
_CALL_EVERY = timedelta(seconds=30)
_SOURCES: Mapping[str, str] = {
    "PHONE": "CallCenter",
    "Constituent Call": "CallCenter",
    "ONLINE": "Portal",
    "Self Service": "Portal",
    "MOBILE": "IVR",
    "Citizens Connect App": "IVR",
    "City Worker App": "Operator",
}
# What a call is about, by how a word of it begins: trouble code and hazard; the first that fits counts.
_TROUBLES = (
    ("power/phone lines", "Flick Light/Partial Light", "line down"),
    ("tree", "No Power/No Light", "LINE_DOWN"),
    ("wiring", "Voltage Problem", "fire"),
    ("cycling", "Partial Light", ""),
    ("light", "No Power", ""),
    ("power", "No Power/No Light", ""),
    ("electric", "VOLTAGE", ""),
    ("heat", "Voltage Problem", ""),
    ("signal", "Flick Light/Partial Light", ""),
    ("police", "No Power/No Light", "police/fire caller"),
)
_OTHERWISE = ("No Power/No Light", "No Power", "Voltage Problem", "Partial Light", "Not Restored")

Row = Mapping[str, str]
Ticket = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call as a city has it. `x`, `y`: as that city gives coordinates; `streets`: two where it is a crossing."""

    city: str
    key: str
    about: str
    channel: str
    x: str
    y: str
    longitude: str
    latitude: str
    address: str = ""
    town: str = ""
    streets: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Placed:
    """A call and what it becomes. `kind`: as the hub has to place it; `point`: its service delivery point."""

    call: Call
    kind: str
    point: str = ""
    transformer: str = ""
    priority: int = 0
    asks: bool = False
    automatic: bool = False
    on_map: bool = True

    @property
    def to_ivr(self) -> bool:
        """Whether the IVR is to call back, by the customer's priority or as an operator wants it."""
        return self.priority >= 5 or self.automatic


@cache
def calls() -> tuple[Call, ...]:
    """All calls, New York's first."""
    return tuple(_nyc(DATA / "nyc311-100.csv")) + tuple(_boston(DATA / "boston311-100.csv"))


def _nyc(path: Path) -> Iterator[Call]:
    for row in _rows(path):
        yield Call(
            city=NYC,
            key=row["Unique Key"],
            about=f"{row['Complaint Type']}: {row['Descriptor']}",
            channel=row["Open Data Channel Type"],
            x=row["X Coordinate (State Plane)"],
            y=row["Y Coordinate (State Plane)"],
            longitude=row["Longitude"],
            latitude=row["Latitude"],
            address=row["Incident Address"],
            town=row["City"],
            streets=(row["Intersection Street 1"], row["Intersection Street 2"]),
        )


def _boston(path: Path) -> Iterator[Call]:
    for row in _rows(path):
        place, _, rest = row["location"].strip().partition("  ")
        first, _, second = place.removeprefix("INTERSECTION of ").partition(" & ")
        crossing = place.startswith("INTERSECTION of ")
        yield Call(
            city=BOSTON,
            key=row["case_enquiry_id"],
            about=f"{row['reason']}: {row['type']}",
            channel=row["source"],
            x=row["longitude"],
            y=row["latitude"],
            longitude=row["longitude"],
            latitude=row["latitude"],
            address="" if crossing else place,
            town=rest.partition("  ")[0].strip(),
            streets=(first, second) if crossing else ("", ""),
        )


def _rows(path: Path) -> Iterator[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


@cache
def placed() -> tuple[Placed, ...]:
    """What each call becomes, in their order: about a third are customers."""
    chance = random.Random(SEED)
    return tuple(_customers([_placed(call, chance) for call in calls()]))


def _placed(call: Call, chance: random.Random) -> Placed:
    roll = chance.random()
    if roll < 1 / 3:
        return Placed(call, CUSTOMER)
    if roll > 0.97 or not (call.x or all(call.streets)):
        return Placed(call, UNLOCATED)
    if all(call.streets) or (call.address and call.town and roll < 0.6):
        on_map = chance.randrange(_UNKNOWN_ONE_IN) > 0 and bool(call.longitude)
        return Placed(call, LANDBASE if on_map else UNLOCATED, on_map=on_map)
    return Placed(call, LOCATION)


def _customers(found: Sequence[Placed]) -> Iterator[Placed]:
    """The same, the customers at their service delivery points; two of three want to be called back."""
    counted = {NYC: 0, BOSTON: 0}
    for one in found:
        if one.kind != CUSTOMER:
            yield one
            continue
        city = one.call.city
        place = counted[city]
        counted[city] += 1
        yield Placed(
            one.call,
            CUSTOMER,
            point=f"SDP-{city.upper()}-{place + 1:03}",
            transformer=f"T-{city.upper()}-{_transformer(place) + 1:02}",
            priority=_PRIORITIES[place % len(_PRIORITIES)],
            asks=place % 3 != 2,
            automatic=place % 10 == 4,
        )


def _transformer(place: int) -> int:
    """Which transformer the customer at this place hangs on."""
    for number, size in enumerate(_ON_A_TRANSFORMER):
        if place < size:
            return number
        place -= size
    return len(_ON_A_TRANSFORMER) + place // 3


def service_point_rows() -> list[Row]:
    """The service delivery points of the customers who call, as an import takes them; places in degrees."""
    return [
        {
            "servicePointId": one.point,
            "customerPriority": str(one.priority),
            "transformerId": one.transformer,
            "x": one.call.longitude,
            "y": one.call.latitude,
            "address": ", ".join(filter(None, (one.call.address, one.call.town))),
        }
        for one in placed()
        if one.kind == CUSTOMER
    ]


def landbase_rows() -> list[Row]:
    """The addresses and intersections on the map, each once, as an import takes them; places in degrees."""
    found: dict[tuple[str, ...], Row] = {}
    for one in placed():
        if one.kind == LANDBASE:
            kind, parameters = search_of(one.call)
            at = {"x": one.call.longitude, "y": one.call.latitude}
            found.setdefault((kind, *_folded(parameters)), {"searchType": kind, **at, **parameters})
    return list(found.values())


def _folded(parameters: Row) -> list[str]:
    return [" ".join(value.split()).casefold() for value in parameters.values()]


def search_of(call: Call) -> tuple[str, dict[str, str]]:
    """The landbase search that finds a call's place: its type and parameters."""
    if all(call.streets):
        return "Intersection", {"street1": call.streets[0], "street2": call.streets[1]}
    return "Address", {"address": call.address, "city": call.town}


def ticket(one: Placed, place: int, *, name: str, now: datetime) -> Ticket:
    """The TroubleTicket of a call, its members in the schema's order. `place`: among all calls, from 0."""
    chance = random.Random(f"{SEED} {one.call.key}")
    code, hazard = _trouble(one.call, chance)
    called = (now - _CALL_EVERY * (len(calls()) - place)).isoformat()
    made: Ticket = {
        "callBack": one.asks,
        "comment": one.call.about,
        "createdDateTime": called,
        "csrId": "csr7",
        "firstCallDateTime": called,
        "languageId": SPANISH if chance.random() < 0.2 else ENGLISH,
        "name": name,
        "source": _SOURCES.get(one.call.channel),
        "troubleCode": code,
        "CallBacks": _callback(chance, now) if one.asks else None,
        "CustomerData": _person(one.call, chance),
        "IncidentHazard": {"mRID": hazard} if hazard else None,
        "Location": _location(one),
        "UsagePoint": {"mRID": one.point} if one.point else None,
    }
    return {member: value for member, value in made.items() if value is not None}


def _trouble(call: Call, chance: random.Random) -> tuple[str, str]:
    otherwise = chance.choice(_OTHERWISE)
    found = ((code, hazard) for word, code, hazard in _TROUBLES if re.search(rf"\b{word}", call.about, re.I))
    return next(found, (otherwise, ""))


def _callback(chance: random.Random, now: datetime) -> dict[str, Any]:
    period = {"end": (now + timedelta(hours=6)).isoformat(), "start": now.isoformat()}
    return {"contactDetail": chance.choice(("SMS", "mobile phone", "email")), "Periods": period}


def _person(call: Call, chance: random.Random) -> dict[str, Any]:
    first, last = chance.choice(FIRST), chance.choice(LAST)
    area = "212" if call.city == NYC else "617"
    return {
        "firstName": first,
        "lastName": last,
        "electronicAddress": {"email1": f"{first}.{last}.{call.key}@example.org".lower()},
        "mobilePhone": {"localNumber": f"({area}) 555-01{chance.randrange(100):02}"},
    }


def _location(one: Placed) -> list[dict[str, Any]] | None:
    if one.kind == LOCATION:
        return [{"PositionPoint": {"xPosition": one.call.x, "yPosition": one.call.y}}]
    if one.kind == LANDBASE or not one.on_map:
        kind, parameters = search_of(one.call)
        return [{"description": name, "name": value, "type": kind} for name, value in parameters.items()]
    return None
