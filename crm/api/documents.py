"""What the OpenAPI document says of the operations."""

from typing import Any

from crm.operations.registry import OPERATIONS
from crm.wire.types import ComplexType, Member, message_type

DESCRIPTION = (
    "The same operations as over SOAP, with the same names and the same Reply. Lists are arrays. The answer is 200 "
    "whatever Reply.Result says; Reply.Error has an entry for each reason."
)
_KINDS: dict[str, dict[str, Any]] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "dateTime": {"type": "string", "format": "date-time"},
}


def _shape(kind: ComplexType) -> dict[str, Any]:
    return {"type": "object", "properties": {one.name: _member(one) for one in kind.members}}


def _member(member: Member) -> dict[str, Any]:
    one = _shape(member.type) if member.type is not None else _KINDS.get(member.kind, {"type": "string"})
    return {"type": "array", "items": one} if member.many else one


def _of(noun: str, name: str) -> dict[str, Any]:
    return {**_shape(message_type(noun, name)), "title": name}


ASKED = {"application/json": {"oneOf": [_of(one.asks_in, one.name) for one in OPERATIONS]}}
ANSWERS: dict[Any, Any] = {
    (200, "application/json"): {
        "oneOf": [
            _of(noun, name)
            for noun, name in dict.fromkeys((one.answers_in, one.answer_element) for one in OPERATIONS)
        ]
    }
}
