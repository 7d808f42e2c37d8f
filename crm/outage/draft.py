"""A ticket on its way from a message to its row: what was checked, and what it comes to."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm.models import TroubleTicket

Plain = dict[str, Any]
Kind = TroubleTicket.Kind


@dataclass(slots=True)
class Search:
    """A landbase search: its type as configured, and its parameters without case."""

    type: str
    parameters: dict[str, str]
    given: dict[str, str]

    @property
    def text(self) -> str:
        """For the comment of a ticket that could not be located."""
        return f"{self.type}: " + ", ".join(f"{name} {value}" for name, value in self.given.items())


@dataclass(slots=True)
class Draft:
    """One ticket of a message. `label`: how errors name it; `fatal`: it is not created."""

    given: Plain
    label: str
    fatal: bool = False
    trouble_code: str = ""
    comment: str = ""
    source: str = ""
    language: int = 0
    event_at: datetime | None = None
    received_at: datetime | None = None
    call_back: bool = False
    media: list[str] = field(default_factory=list)
    periods: list[dict[str, str]] = field(default_factory=list)
    hazards: list[str] = field(default_factory=list)
    special: bool = False
    usage_point: str = ""
    search: Search | None = None
    point: tuple[float, float] | None = None
    found: tuple[float, float] | None = None  # by the landbase search
    # Set once it is placed in the outage model.
    id: str = ""  # as crm.outage.bulk has keys
    service_point: str | None = None
    transformer: str = ""
    at_point: tuple[float, float] | None = None
    previous: int = 0
    incident: str = ""
    affected: bool = False

    @property
    def kind(self) -> str:
        """What places it, the strongest first."""
        if self.service_point is not None:
            return Kind.CUSTOMER
        if self.found is not None:
            return Kind.LANDBASE
        return Kind.LOCATION if self.point is not None else Kind.UNLOCATED

    @property
    def place(self) -> tuple[float, float] | None:
        """Its coordinates: a landbase search beats a position point, either the service delivery point's."""
        return self.found or self.point or self.at_point
