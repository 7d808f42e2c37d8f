"""Customers nobody is: names, streets and numbers put together from lists with a fixed seed.

Telephone numbers are of the range kept for fiction (555-01xx), addresses of towns that do not exist,
e-mail addresses of example.org (RFC 2606). Codes are CCS's own; DACS translates them (seed 001 chapter 4).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# fmt: off
FIRST = (
    "Ada", "Bela", "Carmen", "Dario", "Elin", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaia", "Leon",
    "Mira", "Nils", "Odile", "Pavel", "Quirin", "Rosa", "Sven", "Tilda", "Ugo", "Vera", "Wanda",
    "Xenia", "Yusuf", "Zoe",
)
LAST = (
    "Abelson", "Brightwater", "Castellan", "Dunmore", "Eversley", "Fairwind", "Glasbury", "Hartwick",
    "Inverness", "Jorvik", "Kestrel", "Lindqvist", "Merriweather", "Northcote", "Oakhurst", "Penrose",
    "Quillfeather", "Ravensbourne", "Silverton", "Thornbury", "Underhill", "Valewood", "Whitcombe",
    "Yarrow", "Zeller",
)
STREETS = (
    "Acorn", "Birch", "Cedar", "Dogwood", "Elm", "Fern", "Gorse", "Hazel", "Iris", "Juniper", "Larch",
    "Maple", "Nettle", "Oak", "Poplar", "Rowan", "Spruce", "Willow",
)
# fmt: on
WAYS = ("Street", "Avenue", "Lane", "Road", "Court", "Way")
TRADES = (
    "Bakery",
    "Laundry",
    "Cold Storage",
    "Machine Works",
    "Bicycles",
    "Greenhouses",
    "Printing",
    "Cinema",
)
TOWNS = (("Amberford", "97990"), ("Millbrook Fold", "97991"), ("Saltmarsh", "97992"))

# One in this many customers has, for each entity, a code that DACS does not know and so refuses.
ODD_ONE_IN = 12
_ODD_PLACE = {"contact": 4, "metered service point": 8, "metered service": 0}


@dataclass(frozen=True, slots=True)
class Customer:
    """A person with one service point and one service agreement, as CCS holds them."""

    person_id: str
    account_id: str
    premise_id: str
    service_point_id: str
    agreement_id: str
    contact_type: str
    name: str
    home_phone: str
    mobile_phone: str
    business_phone: str
    email: str
    life_support: bool
    life_support_text: str
    address: str
    city: str
    postal: str
    latitude: str
    longitude: str
    division: str
    service_point_type: str
    connected: bool
    agreement_type: str
    agreement_status: str
    rate_schedule: str
    start: datetime


def customers(count: int, *, seed: int = 2024) -> Iterator[Customer]:
    """`count` customers, the same ones for the same seed, one at a time."""
    chance = random.Random(seed)
    for number in range(1, count + 1):
        yield _customer(number, chance)


def is_refused_by_dacs(entity: str, index: int) -> bool:
    """Whether the customer at this index (from 0) has a code that DACS lacks, in what is extracted of it."""
    return (index + 1) % ODD_ONE_IN == _ODD_PLACE[entity]


def _customer(number: int, chance: random.Random) -> Customer:
    business = chance.random() < 0.15
    first, last = chance.choice(FIRST), chance.choice(LAST)
    city, postal = chance.choice(TOWNS)
    fuel = chance.choice("EEEG")
    use = "COM" if business else "RES"
    life_support = not business and chance.random() < 0.04
    place = number % ODD_ONE_IN
    return Customer(
        person_id=f"{4_000_000_000 + number}",
        account_id=f"{5_000_000_000 + number}",
        premise_id=f"{6_000_000_000 + number}",
        service_point_id=f"{7_000_000_000 + number}",
        agreement_id=f"{8_000_000_000 + number}",
        contact_type="G" if place == _ODD_PLACE["contact"] else "B" if business else "P",
        name=f"{last} {chance.choice(TRADES)}" if business else f"{last}, {first}",
        home_phone="" if business else _phone(chance),
        mobile_phone=_phone(chance) if chance.random() < 0.8 else "",
        business_phone=_phone(chance) if business else "",
        email=f"{first}.{last}.{number}@example.org".lower(),
        life_support=life_support,
        life_support_text="Oxygen concentrator" if life_support else "",
        address=f"{chance.randint(1, 990)} {chance.choice(STREETS)} {chance.choice(WAYS)}",
        city=city,
        postal=postal,
        latitude=f"{44.9 + chance.random() / 10:.6f}",
        longitude=f"{-123.1 + chance.random() / 10:.6f}",
        division=chance.choice(("EAST", "WEST")),
        service_point_type=f"{fuel}-EVC" if place == _ODD_PLACE["metered service point"] else f"{fuel}-{use}",
        connected=chance.random() < 0.95,
        agreement_type=f"{fuel}-SOLAR" if place == _ODD_PLACE["metered service"] else f"{fuel}-{use}",
        agreement_status="20" if chance.random() < 0.9 else "60",
        rate_schedule=f"{fuel}-{use}-1",
        start=datetime(2019, 1, 1, 8, tzinfo=UTC) + timedelta(days=chance.randint(0, 1800)),
    )


def _phone(chance: random.Random) -> str:
    return f"(503) 555-01{chance.randint(0, 99):02}"
