"""Pieces of messages' JSON schemas, for flows to say what they take."""

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.engine.faults import InvalidMessage
from integrations.engine.moments import moment_of

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "maxLength": 500}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 120}
FILE_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255}
DIRECTORY: Schema = {"type": "string", "minLength": 1, "maxLength": 500}
COUNT: Schema = {"type": "integer", "minimum": 0}
# XSD dateTime with its zone: one without would be another moment at each end.
MOMENT: Schema = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$",
}


def one_of(*words: str) -> Schema:
    """One of these words."""
    return {"enum": list(words)}


def each(item: Schema, *, least: int = 0, most: int = 10_000) -> Schema:
    """A list of these."""
    return {"type": "array", "items": item, "minItems": least, "maxItems": most}


def shape(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object that has these fields and may have those; others pass."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


def details(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An outbound message of CPMCS: all it says is in sendDetails."""
    return shape({"sendDetails": shape(required, optional)})


def in_order(message: Mapping[str, Any], pairs: Sequence[tuple[str, str]], *, at: str = "") -> None:
    """InvalidMessage where an end is before its start; a field that is missing says nothing."""
    for start, end in pairs:
        first, last = moment_of(message.get(start)), moment_of(message.get(end))
        if first is not None and last is not None and last < first:
            raise InvalidMessage(
                f"{end} ({message[end]}) is before {start} ({message[start]})",
                details=[{"title": f"{end} is before {start}", "o:errorPath": f"{at}/{end}"}],
            )
