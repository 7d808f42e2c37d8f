"""Reading an OpenAPI document (2 or 3, JSON): which operations a target offers."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from integrations.adapters.errors import AdapterError

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_PARAMETER = re.compile(r"\{[^{}]*\}")


def operations_in(content: bytes, base_url: str) -> dict[str, str]:
    """`METHOD path` → operation id ("" where the document names none), paths as seen from `base_url`.

    AdapterError where the content is no OpenAPI document.
    """
    document = _document(content)
    own = urlsplit(base_url).path.rstrip("/")
    found: dict[str, str] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            operation = item.get(method) if isinstance(item, dict) else None
            if isinstance(operation, dict):
                whole = f"{_base_path(document)}{path}"
                seen = whole.removeprefix(own) if whole.startswith(f"{own}/") else whole
                found[f"{method.upper()} {seen}"] = str(operation.get("operationId", ""))
    return found


def missing_operations(wanted: Mapping[str, str], offered: Mapping[str, str]) -> list[str]:
    """The names in `wanted` (name → `METHOD path`) that `offered` (`METHOD path` → id) has no place for.

    The names of path parameters may differ.
    """
    there = {_shape(operation) for operation in offered}
    return [name for name, operation in wanted.items() if _shape(operation) not in there]


def _shape(operation: str) -> str:
    return _PARAMETER.sub("{}", operation).rstrip("/")


def _document(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError as error:
        raise AdapterError(
            "The catalog is not JSON", hint="Give the address of the JSON form of the OpenAPI document."
        ) from error
    if not isinstance(found, dict) or not isinstance(found.get("paths"), dict):
        raise AdapterError("The catalog is no OpenAPI document: it has no `paths`")
    return found


def _base_path(document: dict[str, Any]) -> str:
    """`basePath` (OpenAPI 2), or the path of the first server (3)."""
    if "basePath" in document:
        return str(document["basePath"]).rstrip("/")
    servers = document.get("servers")
    if isinstance(servers, list) and servers and isinstance(servers[0], dict):
        return urlsplit(str(servers[0].get("url", ""))).path.rstrip("/")
    return ""
