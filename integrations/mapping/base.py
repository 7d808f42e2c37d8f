"""Base mappings: the `*.jsonata` files that ship beside the flows."""

import hashlib
from pathlib import Path

from integrations.mapping.errors import MappingError
from integrations.mapping.jsonata import check


def load_base(folder: Path, name: str) -> str:
    """The expression in `<folder>/<name>.jsonata`, read and compiled once so that a broken one stops the start.

    MappingError: there is no such file, it is not UTF-8, or it does not compile.
    """
    path = folder / f"{name}.jsonata"
    try:
        expression = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MappingError(
            f"The mapping {name!r} has no file: {path.name} is not beside its flow", place=name
        ) from None
    except UnicodeDecodeError:
        raise MappingError(f"The mapping {name!r} is not UTF-8: {path.name}", place=name) from None
    check(expression, name=name)
    return expression


def digest(expression: str) -> str:
    """The SHA-256 of an expression's text, by which its versions are told apart."""
    return hashlib.sha256(expression.encode()).hexdigest()
