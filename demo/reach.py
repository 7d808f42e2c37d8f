"""How the hub and its neighbours reach each other, in plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# User → role; the last one is a superuser too, so that nothing in the console is out of reach.
PEOPLE: Mapping[str, str] = {
    "viewer": "Viewer",
    "business.admin": "Business admin",
    "operator": "Operator",
    "configurator": "Configurator",
    "admin": "Administrator",
}


@dataclass(frozen=True, slots=True)
class Reach:
    """How one connection reaches its neighbour."""

    connection: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    host_key: str = ""
    catalog_url: str = ""
    connect_timeout: float = 5.0
    read_timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Caller:
    """A system that calls the hub, and the flows, or operations of the call centre's interface, it may call."""

    client_id: str
    name: str
    flows: Sequence[str]
    secret: str = field(repr=False)
