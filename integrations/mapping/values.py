"""JSON values at the edge of a mapping: what cannot go in or come out whole is refused and named."""

import json
from typing import Any

import orjson

from integrations.mapping.errors import MappingError
from integrations.mapping.limits import Limits

JSON = Any

_LARGEST_WHOLE = 2**53 - 1


def label(name: str) -> str:
    """A mapping as errors call it."""
    return f"The mapping {name!r}" if name else "The mapping"


def document_of(source: JSON, name: str) -> str:
    """The source as JSON text; MappingError names the first value that would not come through whole."""
    try:
        return orjson.dumps(
            source, option=orjson.OPT_STRICT_INTEGER | orjson.OPT_PASSTHROUGH_DATETIME
        ).decode()
    except TypeError as error:
        where, what = _unfit(source, "") or ("", str(error))
        raise MappingError(
            f"{label(name)} cannot take the source: {where or 'the whole'} {what}", place=name
        ) from None


def _unfit(value: JSON, path: str) -> tuple[str, str] | None:
    """JSON Pointer and description of the first value that JSON or a mapping cannot hold exactly."""
    if isinstance(value, dict):
        odd = next((key for key in value if not isinstance(key, str)), None)
        if odd is not None:
            return path, f"has the key {odd!r}, which is not text"
        pairs = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list | tuple):
        pairs = [(str(index), item) for index, item in enumerate(value)]
    else:
        unfit = _unfit_scalar(value)
        return (path, unfit) if unfit else None
    return next((found for key, item in pairs if (found := _unfit(item, f"{path}/{key}"))), None)


def _unfit_scalar(value: JSON) -> str:
    if isinstance(value, int) and abs(value) > _LARGEST_WHOLE:
        return f"is {value}, which has more digits than a mapping keeps (2^53): send it as text"
    if isinstance(value, str):
        return (
            "" if value.isascii() or _encodes(value) else "is text with half a character (a lone surrogate)"
        )
    if value is None or isinstance(value, bool | int | float):
        return ""
    return f"is a {type(value).__name__}, which is no JSON value"


def _encodes(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def check_output(result: JSON, name: str, limits: Limits) -> None:
    """MappingError where a result is too long, or has a number JSON cannot hold."""
    try:
        size = len(json.dumps(result, allow_nan=False, ensure_ascii=False, separators=(",", ":")))
    except ValueError:
        raise MappingError(
            f"{label(name)} makes a number that is not finite: a division by zero?", place=name
        ) from None
    if size > limits.output:
        raise MappingError(
            f"{label(name)} makes {size} characters; at most {limits.output} are kept", place=name
        )
