"""A storm: trouble tickets in messages of 1, 50 and 1000 from 1, 8 and 32 callers at once, over SOAP and REST.

The yardstick is the floor of the same run: lxml parsing and validating the message alone, and the rows of the same
message inserted alone, by the driver and by the ORM.
"""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import django
from django.core.management import call_command
from django.db import connection, transaction
from lxml import etree

from bench.callers import Load, Target, load
from bench.figures import Fact, Figure, Progress, median, tell
from bench.hub import web_server
from bench.sql import counted
from bench.storm_messages import (
    A_TRANSFORMER,
    PATHS,
    POINTS,
    REST,
    SOAP,
    TYPES,
    content_of,
    point,
    storm_message,
)

CLIENT, SECRET = "STORM", "only for the time of this measurement"
SIZES = {1: 96, 50: 32, 1000: 8}  # tickets a message → messages a round, at least one a caller
CALLERS, SHORT = (1, 8, 32), (1, 8)
ROUNDS, SHORT_ROUNDS = 3, 2
WHOLE = 1000
ALONE = "parsing and inserting alone"
ALONE_ORM = "parsing and bulk_create alone"


def measure(*, full: bool) -> None:
    """The floors and one message of 1,000; then the storm."""
    _prepare()
    part = f"Trouble tickets, {connection.vendor}"
    with web_server(workers=2) as (url, _):
        _warm_up(url)
        _whole(part, url)
        for transport in (SOAP, REST):
            for size in SIZES:
                for callers in CALLERS if full else SHORT:
                    _storm(part, url, Turn(transport, size, callers, ROUNDS if full else SHORT_ROUNDS))
    _statements(part)


def _prepare() -> None:
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    from crm.models import ServiceDeliveryPoint  # noqa: PLC0415  (models need Django set up)
    from crm.services.caller import caller_allow  # noqa: PLC0415  (as above)
    from integrations.services.client_create import client_create  # noqa: PLC0415  (as above)

    rows = [
        ServiceDeliveryPoint(mrid=point(n), customer_priority=n % 7, transformer_id=f"T-{n // A_TRANSFORMER}")
        for n in range(POINTS)
    ]
    ServiceDeliveryPoint.objects.bulk_create(rows, batch_size=1000)
    made = client_create(client_id=CLIENT, flows=[], secret=SECRET, actor="bench")
    caller_allow(client=made.client, actor="bench")


_seed = 0


def _messages(size: int, count: int, transport: str) -> list[bytes]:
    """New messages, made before anything is timed."""
    global _seed  # noqa: PLW0603  (no two messages of a run are the same)
    made = [content_of(storm_message(size, _seed + n), transport) for n in range(count)]
    _seed += count
    return made


def _load(url: str, transport: str, size: int, count: int, callers: int) -> Load:
    made = {str(n): content for n, content in enumerate(_messages(size, count, transport))}
    target = Target(
        url, "POST", CLIENT, SECRET, lambda key: (PATHS[transport], made[key]), content_type=TYPES[transport]
    )
    return load(target, list(made), callers)


def _warm_up(url: str) -> None:
    for transport in (SOAP, REST):
        _load(url, transport, 10, 8, 4)


@dataclass(frozen=True, slots=True)
class Turn:
    """So many tickets a message, from so many callers."""

    transport: str
    size: int
    callers: int
    rounds: int

    @property
    def title(self) -> str:
        """As it is shown."""
        callers = f"{self.callers} caller{'s' if self.callers > 1 else ''}"
        return f"{self.transport}, {self.size} a message, {callers}"


def _storm(part: str, url: str, turn: Turn) -> None:
    count = max(SIZES[turn.size], turn.callers)
    loads = []
    for number in range(turn.rounds):
        tell(Progress(turn.title, number, turn.rounds))
        loads.append(_load(url, turn.transport, turn.size, count, turn.callers))
    rate = median(turn.size * one.rate for one in loads)
    tell(Figure(part, f"{turn.title}: tickets", rate, "/s", _floor_rate, ALONE, True, turn.rounds))
    for percent, word in ((50, "median"), (99, "99th percentile")):
        tell(Fact(part, f"{turn.title}: {word}", round(median(one.at(percent) for one in loads), 1), "ms"))


_floor_rate = 0.0


def _whole(part: str, url: str) -> None:
    """One message of 1,000 at a time, and in turn with it what its parts take alone."""
    global _floor_rate  # noqa: PLW0603  (the yardstick of all that follows)
    hub, parsing, raw, orm = [], [], [], []
    _schema()
    for number in range(5):
        tell(Progress("one message of 1000", number, 5))
        content = _messages(WHOLE, 1, SOAP)[0]
        hub.append(_load(url, SOAP, WHOLE, 1, 1).times[0])
        parsing.append(_timed(lambda content=content: _parse(content)))  # type: ignore[misc]  # bound at once
        rows = _rows(content)
        raw.append(_timed(lambda rows=rows: _insert(rows)))  # type: ignore[misc]  # as above
        objects = _objects(rows)
        orm.append(_timed(lambda objects=objects: _create(objects)))  # type: ignore[misc]  # as above
    floor, floor_orm = median(parsing) + median(raw), median(parsing) + median(orm)
    _floor_rate = WHOLE * 1000 / floor
    rate = WHOLE * 1000 / median(hub)
    what = "one message of 1000, one caller: tickets"
    tell(Figure(part, what, rate, "/s", _floor_rate, ALONE, True, 5))
    tell(Figure(part, what, rate, "/s", WHOLE * 1000 / floor_orm, ALONE_ORM, True, 5))
    for name, times in (
        ("parse and validate", parsing),
        ("insert, driver", raw),
        ("insert, bulk_create", orm),
    ):
        tell(Fact(part, f"1000 tickets, {name} alone", round(median(times), 1), "ms"))


def _timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


def _parse(content: bytes) -> None:
    """What lxml alone does: parse, and validate by the schema."""
    message = etree.fromstring(content)[0][0]
    if not _schema().validate(message):
        raise RuntimeError(f"A message of the storm is not valid: {_schema().error_log}")


@cache
def _schema() -> etree.XMLSchema:
    from crm.wire.types import SCHEMAS  # noqa: PLC0415  (settings have to be there)

    return etree.XMLSchema(etree.parse(str(SCHEMAS / "TroubleTicketsMessage.xsd")))


Rows = list[tuple[Any, Any, list[tuple[Any, ...]]]]


def _rows(content: bytes) -> Rows:
    """The rows that the hub makes of a message: caught in a transaction that is rolled back."""
    operation: Any = import_module("crm.operations.created_trouble_tickets")
    placing: Any = import_module("crm.outage.placing")

    caught: Rows = []
    real = operation.put_rows, placing.put_rows

    def catch(model: Any, columns: Any, rows: Any) -> None:
        caught.append((model, columns, rows))
        real[0](model, columns, rows)

    operation.put_rows = placing.put_rows = catch
    try:
        with transaction.atomic():
            _post(content)
            transaction.set_rollback(True)
    finally:
        operation.put_rows, placing.put_rows = real
    return [(model, columns, _free(model, columns, rows)) for model, columns, rows in caught]


def _free(model: Any, columns: Any, rows: Any) -> list[tuple[Any, ...]]:
    """The rows without what ties them to rows that were rolled back."""
    gone = {place for place, name in enumerate(columns) if name in ("incident", "message")}
    return [tuple(None if place in gone else value for place, value in enumerate(row)) for row in rows]


def _insert(rows: Rows) -> None:
    from crm.outage.bulk import put_rows  # noqa: PLC0415  (models need Django set up)

    with transaction.atomic():
        for model, columns, values in rows:
            put_rows(model, columns, values)


def _objects(rows: Rows) -> list[tuple[Any, list[Any]]]:
    """The same rows as the ORM takes them, under new keys."""
    import orjson  # noqa: PLC0415  (beside the other one)

    from integrations.models.ids import time_ordered_key  # noqa: PLC0415  (models need Django set up)

    keys: dict[str, str] = {}
    found = []
    for model, columns, values in rows:
        fields = [model._meta.get_field(name) for name in columns]
        made = []
        for row in values:
            given = {
                field.attname: orjson.loads(value) if field.get_internal_type() == "JSONField" else value
                for field, value in zip(fields, row, strict=True)
            }
            for name in ("id", "ticket_id"):
                if name in given:
                    given[name] = keys.setdefault(given[name], time_ordered_key())
            made.append(model(**given))
        found.append((model, made))
    return found


def _create(objects: list[tuple[Any, list[Any]]]) -> None:
    with transaction.atomic():
        for model, made in objects:
            model.objects.bulk_create(made, batch_size=500)


def _post(content: bytes) -> None:
    from django.test import Client  # noqa: PLC0415  (needs Django set up)

    pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    client = Client(SERVER_NAME="127.0.0.1")
    shown = {"authorization": f"Basic {pair}"}
    answer = client.post(PATHS[SOAP], content, content_type=TYPES[SOAP], headers=shown)
    if answer.status_code != 200:
        raise RuntimeError(f"The hub answered {answer.status_code}: {answer.content[:300]!r}")


def _statements(part: str) -> None:
    """SQL of messages of three sizes, in this process."""
    for size in SIZES:
        content = _messages(size, 2, SOAP)
        _post(content[0])
        with counted() as found:
            _post(content[1])
        tell(Fact(part, f"SQL statements of a message of {size}", found.total, "statements"))
