"""A first look at a message: whether it surely fits a JSON schema, ten times sooner than a validator can say.

CPMCS gets devices by the thousand, and a neighbour must not be what a bench measures. A check says True only
where it knows every keyword it met; for anything else the validator has the word, and it alone says what is wrong.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]
Schema = Mapping[str, Any]

_KNOWN = {
    "object": {"type", "description", "required", "properties", "additionalProperties"},
    "array": {"type", "description", "items", "minItems"},
    "string": {"type", "description", "minLength", "maxLength", "pattern"},
}


def quick_check(schema: Schema, schemas: Mapping[str, Schema]) -> Check:
    """The check of a schema; `schemas`: what a `$ref` names by its last part. None may contain itself."""
    if set(schema) == {"$ref"}:
        return quick_check(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if set(schema) == {"enum"} and all(isinstance(one, str) for one in schema["enum"]):
        allowed = frozenset(schema["enum"])
        return lambda value: isinstance(value, str) and value in allowed
    kind = schema.get("type", "")
    if not isinstance(kind, str) or kind not in _KNOWN or set(schema) - _KNOWN[kind]:
        return _unsure
    return _MAKERS[kind](schema, schemas)


def _unsure(_: Any) -> bool:
    return False


def _of_object(schema: Schema, schemas: Mapping[str, Schema]) -> Check:
    required = frozenset(schema.get("required", ()))
    checks = {name: quick_check(one, schemas) for name, one in schema.get("properties", {}).items()}
    if schema.get("additionalProperties") is not False:
        return _unsure

    def check(value: Any) -> bool:
        if not isinstance(value, dict) or not required <= value.keys():
            return False
        return all(name in checks and checks[name](one) for name, one in value.items())

    return check


def _of_array(schema: Schema, schemas: Mapping[str, Schema]) -> Check:
    fewest = schema.get("minItems", 0)
    item = quick_check(schema["items"], schemas) if "items" in schema else _unsure
    return lambda value: isinstance(value, list) and len(value) >= fewest and all(map(item, value))


def _of_string(schema: Schema, _: Mapping[str, Schema]) -> Check:
    least, most = schema.get("minLength", 0), schema.get("maxLength", float("inf"))
    search = re.compile(schema.get("pattern", "")).search
    return lambda value: isinstance(value, str) and least <= len(value) <= most and search(value) is not None


_MAKERS = {"object": _of_object, "array": _of_array, "string": _of_string}
