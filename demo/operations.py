"""A REST neighbour that is what its OpenAPI document says: operations, schemas, and each keyed call done once."""

import json
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator

from demo.http import Answer, Call, problem
from demo.idempotent import HEADER, Idempotent
from demo.neighbour import HttpNeighbour
from demo.quick_check import quick_check

_PARAMETER = re.compile(r"\{([^{}]+)\}")
_MOST_NAMED, _LONGEST_TEXT = 10, 300


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the document. `schema`: the name of its body's, "" where the body is not JSON."""

    id: str
    method: str
    pattern: re.Pattern[str]
    schema: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of an operation, checked: the values in its path, its message where it has one, its bytes."""

    values: Mapping[str, str]
    message: Any
    body: bytes


class Catalog:
    """An OpenAPI document (JSON, 3.1) and the checks that follow from it."""

    def __init__(self, path: Path, *, base: str = "") -> None:
        """`base`: what comes before each of the document's paths."""
        self.base = base
        self.document: dict[str, Any] = json.loads(path.read_text())
        self.operations = [
            Operation(said["operationId"], method.upper(), _pattern(base + place), _schema_of(said))
            for place, item in self.document["paths"].items()
            for method, said in item.items()
        ]
        schemas = self.document["components"]["schemas"]
        self._quick = {name: quick_check(schema, schemas) for name, schema in schemas.items()}
        self._validators = {
            name: Draft202012Validator({"$ref": f"#/components/schemas/{name}", **self.document})
            for name in schemas
        }

    def at(self, path: str) -> list[tuple[Operation, dict[str, str]]]:
        """The operations of a path, each with the values its parameters have there; a slash at the end is free."""
        found = ((one, one.pattern.fullmatch(path.rstrip("/"))) for one in self.operations)
        return [
            (one, {name: unquote(value) for name, value in match.groupdict().items()})
            for one, match in found
            if match is not None
        ]

    def wrong(self, schema: str, message: Any) -> str:
        """What is wrong with a message, place by place; "" where nothing is."""
        if self._quick[schema](message):
            return ""
        errors = islice(self._validators[schema].iter_errors(message), _MOST_NAMED)
        return "; ".join(
            f"{'/'.join(map(str, error.absolute_path)) or 'the message'}: {error.message[-_LONGEST_TEXT:]}"
            for error in errors
        )


class OperationsNeighbour(HttpNeighbour):
    """A neighbour that offers the operations of a catalog, and answers an Idempotency-Key it knows as before."""

    def __init__(self, catalog: Catalog, *, most_keys: int = 50_000, **how: Any) -> None:
        """`most_keys`: how many Idempotency-Keys it remembers; `how`: as HttpNeighbour takes it."""
        super().__init__(**how)
        self.operations = catalog
        self.idempotent = Idempotent(most=most_keys)

    @property
    def catalog(self) -> dict[str, Any]:
        """Its OpenAPI document, with the address where it answers now."""
        return {**self.operations.document, "servers": [{"url": self.url + self.operations.base}]}

    @property
    @abstractmethod
    def does(self) -> Mapping[str, Callable[[Asked], Answer]]:
        """What each operation does, by its id."""

    def settles(self, answer: Answer) -> bool:
        """Whether an answer says that the call was taken, so that a repeat is answered the same."""
        return answer.status < 300

    def handle(self, call: Call) -> Answer:
        """The catalog, or one of its operations; 404 and 405 for what it does not have."""
        if (call.method, call.path) == ("GET", f"{self.operations.base}/openapi.json"):
            return Answer(200, self.catalog)
        there = self.operations.at(call.path)
        for operation, values in there:
            if operation.method == call.method:
                return self._once(operation, values, call)
        if not there:
            return Answer(404, problem(404, f"There is nothing at {call.path}"))
        allowed = ", ".join(operation.method for operation, _ in there)
        said = problem(405, f"{call.method} is not known here; use {allowed}")
        return Answer(405, said, {"Allow": allowed})

    def _once(self, operation: Operation, values: Mapping[str, str], call: Call) -> Answer:
        key = call.headers.get(HEADER, "") if call.method != "GET" else ""
        scope = f"{call.method} {call.path} {key}" if key else ""
        return self.idempotent.once(
            scope, lambda: self._checked(operation, values, call), settles=self.settles
        )

    def _checked(self, operation: Operation, values: Mapping[str, str], call: Call) -> Answer:
        message = None
        if operation.schema:
            try:
                message = call.json()
            except ValueError as error:
                return Answer(400, problem(400, f"The body is not JSON: {error}"))
            if wrong := self.operations.wrong(operation.schema, message):
                return Answer(400, problem(400, wrong))
        return self._does[operation.id](Asked(values, message, call.body))

    @cached_property
    def _does(self) -> Mapping[str, Callable[[Asked], Answer]]:
        return self.does


def _pattern(path: str) -> re.Pattern[str]:
    literal, *rest = _PARAMETER.split(path.rstrip("/"))
    pairs = zip(rest[::2], rest[1::2], strict=True)
    return re.compile(
        re.escape(literal)
        + "".join(f"(?P<{name.replace('-', '_')}>[^/]+){re.escape(after)}" for name, after in pairs)
    )


def _schema_of(operation: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]
