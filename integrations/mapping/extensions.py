"""A site's extensions of a base mapping (contract, "Mapping extensions")."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from integrations.mapping.errors import MappingError
from integrations.mapping.jsonata import NO_FUNCTIONS, Functions, check, evaluate
from integrations.mapping.pointer import objects_at
from integrations.mapping.pool import POOL
from integrations.mapping.values import JSON


@dataclass(frozen=True, slots=True)
class Extension:
    """Fields to set at a point of the target. `pointer`: JSON Pointer, `*` for each item of a list, "" the whole;
    `expression`: JSONata over {source, target, item}; `name`: for errors."""

    pointer: str
    expression: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a mapping makes of a sample: by the base alone, and with the extensions."""

    base: JSON
    result: JSON


def apply_extensions(
    target: JSON, source: JSON, extensions: Sequence[Extension], *, functions: Functions = NO_FUNCTIONS
) -> JSON:
    """The target with each extension's fields set, in order; the target passed in is left as it is.

    A field returned as null is removed; an undefined result changes nothing. Each extension sees what those
    before it did. `item` is the object at the pointer. MappingError names extension and pointer.
    """
    if not extensions:
        return target
    extended = orjson.loads(orjson.dumps(target))
    for extension in extensions:
        _apply(extended, source, extension, functions)
    return extended


def preview(
    base: str, extensions: Sequence[Extension], sample: JSON, *, functions: Functions = NO_FUNCTIONS
) -> Preview:
    """Base expression and extensions tried on a sample source; raises what a run would raise."""
    made = evaluate(base, sample, functions=functions, name="base")
    return Preview(base=made, result=apply_extensions(made, sample, extensions, functions=functions))


def check_extension(
    expression: str,
    pointer: str,
    sample_target: JSON,
    sample_source: JSON,
    *,
    functions: Functions = NO_FUNCTIONS,
    name: str = "",
) -> JSON:
    """Compile an extension and run it against a sample before it is saved; answers the extended sample target.

    MappingError says what is wrong, also where the pointer meets no item of the sample to be tried with.
    """
    check(expression, name=name, functions=functions)
    if not objects_at(sample_target, pointer, name=name):
        raise MappingError(
            f"The sample's list at {pointer!r} has no items, so there is nothing to try this with"
        )
    extension = Extension(pointer=pointer, expression=expression, name=name)
    return apply_extensions(sample_target, sample_source, [extension], functions=functions)


def _apply(target: JSON, source: JSON, extension: Extension, functions: Functions) -> None:
    places = objects_at(target, extension.pointer, name=extension.name)
    if not places:
        return
    results = POOL.run(
        extension.expression,
        source=source,
        target=target,
        items=places,
        functions=functions,
        name=extension.name,
    )
    for place, result in zip(places, results, strict=True):
        _set_fields(place, result, extension)


def _set_fields(place: dict[str, Any], result: JSON, extension: Extension) -> None:
    if result is None:
        return
    if not isinstance(result, dict):
        raise MappingError(
            f"The extension {extension.name!r} at {extension.pointer!r} returned {type(result).__name__} "
            f"{str(result)[:60]!r}; it must return an object of the fields to set",
            place=extension.name,
        )
    for key, value in result.items():
        if value is None:
            place.pop(key, None)
        else:
            place[key] = value
