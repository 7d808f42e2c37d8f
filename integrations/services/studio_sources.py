"""Source messages a mapping can be tried with: those recorded of its flow, newest first."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.db.models import Q, QuerySet

from integrations.engine.faults import Fault, InvalidMessage, TechnicalFault, fault_of
from integrations.models import Activity, Instance, Mapping, Payload
from integrations.services.studio_derive import DEBUG, FILE, FROM_MESSAGE, MESSAGE, NEVER, from_file, way_of
from integrations.storage import payload_bytes

MOST_BYTES = 256 * 1024  # of a source that is tried in the studio
DEEPEST = 60  # levels of a document
INSTANCES = 1_000  # of the flow's newest that are looked through
CHUNK = 200
LINE, WHOLE = "line", "message"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One source on record, its content not read yet; `key` names it in a page's address."""

    key: str
    at: datetime
    instance: Instance
    payload: Payload

    @property
    def label(self) -> str:
        """As it is chosen by: the instance's business key, else its id."""
        row = self.instance
        known = f"{row.primary_key_name} {row.primary_key_value}".strip()
        return known or str(row.pk)[:13]

    @property
    def large(self) -> bool:
        """Whether it is too large to be tried."""
        return self.payload.size > MOST_BYTES


@dataclass(frozen=True, slots=True)
class Found:
    """What is on record: sources, and among how many of the flow's newest instances they were looked for."""

    sources: list[Recorded] = field(default_factory=list)
    looked: int = 0


def recorded(mapping: Mapping, most: int) -> Found:
    """The newest sources of this mapping on record, at most so many, among the flow's INSTANCES newest instances."""
    way = way_of(mapping)
    sources: list[Recorded] = []
    looked = 0
    while way != NEVER and looked < INSTANCES and len(sources) < most:
        rows = _instances(mapping)[looked : looked + CHUNK]
        chunk = {row.pk: row for row in rows}
        looked += len(chunk)
        sources += list(_of(mapping, way, chunk))[: most - len(sources)]
        if len(chunk) < CHUNK:
            break
    return Found(sources, looked)


def _instances(mapping: Mapping) -> QuerySet[Instance]:
    found = Instance.objects.filter(flow=mapping.flow_id).order_by("-created_at", "-id")
    return found.select_related("message_payload", "attachment")


def _of(mapping: Mapping, way: str, chunk: dict[Any, Instance]) -> Iterator[Recorded]:
    if way == FILE:
        for row in chunk.values():
            if row.message_payload is not None and row.attachment_id:
                yield _whole(row)
        return
    lines = mapped_lines(mapping).filter(instance__in=list(chunk)).order_by("-instance__created_at", "-id")
    seen: set[Any] = set()
    for line in lines:
        row = chunk[line.instance_id]
        if line.payload_out is not None:
            yield Recorded(f"{LINE}-{line.pk}", line.at, row, line.payload_out)
        elif way == MESSAGE and row.message_payload is not None and row.pk not in seen:
            yield _whole(row)
        seen.add(row.pk)


def _whole(row: Instance) -> Recorded:
    assert row.message_payload is not None  # noqa: S101  (asked for by both callers)
    return Recorded(f"{WHOLE}-{row.pk}", row.created_at, row, row.message_payload)


def mapped_lines(mapping: Mapping) -> QuerySet[Activity]:
    """The lines of the activity stream that this mapping wrote, also those where it failed."""
    text = f"Mapped with {mapping.name}"
    named = Q(text=text) | Q(text__startswith=f"{text},") | Q(text__startswith=f"{text}:")
    return Activity.objects.filter(named, kind=Activity.Kind.MAPPED).select_related("payload_out")


def find_recorded(mapping: Mapping, key: str) -> Recorded:
    """The source of this key; InvalidMessage where it is not one of this mapping's."""
    kind, _, name = key.partition("-")
    gone = InvalidMessage(
        "This recorded message is not on record for this mapping any more", hint="Choose another one."
    )
    if kind == LINE and name.isascii() and name.isdigit() and len(name) < 19:  # noqa: PLR2004  (a 64-bit number)
        line = mapped_lines(mapping).filter(pk=name, instance__flow=mapping.flow_id).first()
        if line is not None and line.payload_out is not None:
            return Recorded(key, line.at, line.instance, line.payload_out)
    elif kind == WHOLE and way_of(mapping) in (MESSAGE, FILE):
        known = _uuid(name)
        row = _instances(mapping).filter(pk=known).first() if known else None
        if row is not None and row.message_payload is not None:
            return _whole(row)
    raise gone


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def sources_of(mapping: Mapping, found: Recorded) -> list[Any]:
    """The documents the mapping gets of a recorded message, one for most; Fault where they cannot be read."""
    if found.large:
        raise InvalidMessage(
            f"The message has {found.payload.size} bytes; {MOST_BYTES} can be tried here",
            hint="Choose a smaller one.",
        )
    try:
        document = document_of(payload_bytes(found.payload))
        if found.key.startswith(LINE):
            return [document]
        if way_of(mapping) == FILE:
            return [from_file(found.instance, mapping, document)]
        return FROM_MESSAGE[mapping.name](document)
    except Fault:
        raise
    except (KeyError, AttributeError, TypeError) as error:
        raise TechnicalFault(f"The message is not as this flow takes it: {error!r}") from error
    except Exception as error:
        raise fault_of(error) from error


def document_of(content: bytes) -> Any:
    """JSON text as a document; InvalidMessage where it is none, too long or nested too deep."""
    if len(content) > MOST_BYTES:
        raise InvalidMessage(f"This has {len(content)} bytes; {MOST_BYTES} can be tried here")
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidMessage(f"This is no JSON: {error}") from None
    if _too_deep(document):
        raise InvalidMessage(f"This is nested deeper than {DEEPEST} levels")
    return document


def _too_deep(document: Any) -> bool:
    level = [document]
    for _ in range(DEEPEST):
        level = [item for value in level for item in _items(value)]
        if not level:
            return False
    return True


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def how_to_record(mapping: Mapping) -> str:
    """A sentence: what has to be so that messages of this mapping are on record."""
    return {
        MESSAGE: "Messages of this flow are stored until its retention ends; it has mapped none since.",
        FILE: "Messages and files of this flow are stored until its retention ends; none came since.",
        DEBUG: "What this mapping gets is put together while the flow runs, so it is kept only while the flow is "
        "traced at level debug (audit keeps calls and answers, not what goes into a mapping).",
        NEVER: "This mapping works through a file record by record and what it gets is not kept at any tracing level: "
        "use a sample.",
    }[way_of(mapping)]


def needs_debug(mapping: Mapping) -> bool:
    """Whether only debug tracing keeps what this mapping gets."""
    return way_of(mapping) == DEBUG
