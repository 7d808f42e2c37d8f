"""Landbase searches: from a pole, an intersection or an address to coordinates (seed 004 table 5.1).

The hub's own landbase objects are searched, or a service behind the connection that `landbase.connection` names. That
one can be down, and so can the hub's own where its table is not there: the ticket is created all the same.
"""

from collections.abc import Sequence

import orjson
import structlog
from django.db import DatabaseError, transaction

from crm.config import Config
from crm.models import LandbaseObject
from crm.outage.draft import Search
from integrations.adapters.contract import Request
from integrations.adapters.errors import AdapterError
from integrations.engine.connections import call_target, connection_endpoint, connection_named
from integrations.engine.faults import Fault

log = structlog.get_logger(__name__)
OPERATION = "landbaseSearch"
AT_ONCE = 1000
Point = tuple[float, float]


class LandbaseDown(Exception):
    """Nobody could be asked."""


def search_key(parameters: dict[str, str]) -> str:
    """The key of a landbase object: its parameters without case and blanks around, in one order."""
    folded = {
        name.strip().casefold(): " ".join(value.split()).casefold() for name, value in parameters.items()
    }
    return "|".join(f"{name}={folded[name]}" for name in sorted(folded))[:255]


def find_places(settings: Config, searches: Sequence[Search]) -> list[Point | None]:
    """A point for each search, None where there is nothing of that kind. LandbaseDown."""
    if not searches:
        return []
    connection = settings.properties.text("landbase.connection", "")
    try:
        return _asked_elsewhere(connection, searches) if connection else _own(searches)
    except (AdapterError, Fault, DatabaseError) as error:
        log.warning("landbase_down", connection=connection, error=str(error))
        raise LandbaseDown from error


def _own(searches: Sequence[Search]) -> list[Point | None]:
    wanted = [(one.type, search_key(one.parameters)) for one in searches]
    keys = list(dict.fromkeys(key for _, key in wanted))
    found: dict[tuple[str, str], Point] = {}
    with transaction.atomic():
        for start in range(0, len(keys), AT_ONCE):
            rows = LandbaseObject.objects.filter(key__in=keys[start : start + AT_ONCE])
            for kind, key, x, y in rows.values_list("search_type", "key", "x", "y"):
                found[kind.casefold(), key] = (x, y)
    return [found.get((kind.casefold(), key)) for kind, key in wanted]


def _asked_elsewhere(connection: str, searches: Sequence[Search]) -> list[Point | None]:
    """One call for all: {searches: [{type, parameters}]} → {places: [{x, y} or null]}, in the same order."""
    asked = {"searches": [{"type": one.type, "parameters": one.given} for one in searches]}
    endpoint = connection_endpoint(connection_named(connection))
    answer = call_target(endpoint, Request(OPERATION, body=orjson.dumps(asked)))
    try:
        places = orjson.loads(answer.body)["places"]
        points = [None if one is None else (float(one["x"]), float(one["y"])) for one in places]
    except (ValueError, KeyError, TypeError) as error:
        raise LandbaseDown from error
    if len(points) != len(searches):
        raise LandbaseDown
    return points
