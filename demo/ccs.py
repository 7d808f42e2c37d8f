"""CCS: its customers, its extract batches, and the REST service that takes acknowledgements.

Seed 001 chapters 2 and 3; the REST service is F1-SyncRequest of the Oracle Utilities framework.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jsonschema import Draft202012Validator

from demo.extracts import BATCHES, Batch, Source, digest, file_name, write_extract
from demo.http import Answer, Call, problem
from demo.journal import Journal
from demo.neighbour import HttpNeighbour
from demo.people import Customer, customers
from demo.shelf import Shelf
from demo.sync_requests import PENDING, NotAwaitingError, SyncRequest, SyncRequests, UnknownSyncRequestError

DATA = Path(__file__).parent / "data"
HEALTH = "/rest/apis/common/system/healthCheck/"
SYNC_REQUEST = "/rest/apis/common/sync/syncRequest/"
HEALTHY = {"healthOverallResponse": 200, "healthCheckResults": []}


@dataclass(frozen=True, slots=True)
class Extract:
    """A file that CCS has put on a shelf. `references`: its sync requests' ids, none for the initial load."""

    name: str
    batch: str
    size: int
    sha256: str
    records: int
    references: tuple[str, ...]


class Ccs(HttpNeighbour):
    """The customer system. Files go to a shelf, acknowledgements come by PATCH."""

    name = "ccs"

    def __init__(
        self,
        *,
        population: int = 300,
        first_id: int = 10_000_000_000_001,
        kept: Path | None = None,
        username: str = "",
        password: str = "",
        port: int = 0,
        slow_seconds: float = 5.0,
    ) -> None:
        """`population`: how many customers; `first_id`: of the first sync request; `kept`: a directory where
        sync requests and batch numbers last from one start to the next, None to forget them.
        """
        super().__init__(port=port, username=username, password=password, slow_seconds=slow_seconds)
        self.population = population
        self.sync_requests = SyncRequests(
            Journal(kept and kept / "ccs-sync-requests.jsonl"), first_id=first_id
        )
        self._batches = Journal(kept and kept / "ccs-batches.jsonl")
        self._number = max((entry["number"] for entry in self._batches.read()), default=0)

    @cached_property
    def customers(self) -> Sequence[Customer]:
        """All customers, in order."""
        return list(customers(self.population))

    @cached_property
    def catalog(self) -> dict[str, Any]:
        """Its OpenAPI document."""
        found: dict[str, Any] = json.loads((DATA / "ccs_openapi.json").read_text())
        return found

    def change(self, entity: str, count: int) -> list[SyncRequest]:
        """`count` customers change, so that sync requests are made, as the audit algorithms do."""
        before = len(self.sync_requests.find(entity=entity))
        return self.sync_requests.make(entity, ((before + n) % self.population for n in range(count)))

    def extract(self, code: str, shelf: Shelf, *, zipped: bool = False) -> Extract:
        """Run one extract batch: every customer for the initial load, else every pending sync request.

        KeyError for a code that is no extract batch.
        """
        batch = BATCHES[code]
        requests = [] if batch.initial else self.sync_requests.find(PENDING, batch.entity)
        name = file_name(code, self._next_number(code), zipped=zipped)
        with TemporaryDirectory() as scratch:
            path = Path(scratch) / name
            records = write_extract(
                path, name.removesuffix(".zip"), batch, self._sources(batch, requests), zipped=zipped
            )
            extract = _described(path, batch, records, requests)
            self.sync_requests.extracted(
                requests, name
            )  # before the file: its acknowledgement cannot come first
            shelf.put(name, path)
        return extract

    def handle(self, call: Call) -> Answer:
        """F1-SyncRequest, the health check, the catalog."""
        if (call.method, call.path) == ("GET", "/openapi.json"):
            return Answer(200, {**self.catalog, "servers": [{"url": self.url}]})
        if (call.method, call.path.rstrip("/")) == ("GET", HEALTH.rstrip("/")):
            return Answer(200, HEALTHY)
        if call.path.startswith(SYNC_REQUEST):
            if call.method != "PATCH":
                return Answer(
                    405, problem(405, f"{call.method} is not known here; use PATCH"), {"Allow": "PATCH"}
                )
            return self._acknowledged(call.path.removeprefix(SYNC_REQUEST), call)
        return Answer(404, problem(404, f"There is nothing at {call.path}"))

    def _acknowledged(self, key: str, call: Call) -> Answer:
        try:
            message = call.json()
        except ValueError as error:
            return Answer(400, problem(400, f"The body is not JSON: {error}"))
        wrong = self._schema_problems(message)
        if not wrong and message["syncRequestId"] != key:
            wrong = f"syncRequestId is {message['syncRequestId']}, but the path says {key}"
        if wrong:
            return Answer(400, problem(400, wrong))
        try:
            self.sync_requests.acknowledge(key, message["exceptionInfo"] if message["hasError"] else None)
        except UnknownSyncRequestError as error:
            return Answer(404, problem(404, str(error.args[0])))
        except NotAwaitingError as error:
            return Answer(400, problem(400, str(error)))
        return Answer(200, {"syncRequestId": key})

    def _schema_problems(self, message: Any) -> str:
        found = sorted(self._validator.iter_errors(message), key=lambda error: list(map(str, error.path)))
        return "; ".join(
            f"{'/'.join(map(str, error.path)) or 'the message'}: {error.message}" for error in found
        )

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator({"$ref": "#/components/schemas/SyncRequestUpdate", **self.catalog})

    def _sources(self, batch: Batch, requests: Sequence[SyncRequest]) -> Iterator[Source]:
        now = datetime.now(UTC)
        if batch.initial:
            return (Source(one, "", now) for one in customers(self.population))
        return (Source(self.customers[one.customer], one.id, now) for one in requests)

    def _next_number(self, code: str) -> int:
        self._number += 1
        self._batches.add({"code": code, "number": self._number})
        return self._number


def _described(path: Path, batch: Batch, records: int, requests: Sequence[SyncRequest]) -> Extract:
    with path.open("rb") as content:
        sha256 = digest(content)
    references = tuple(one.id for one in requests)
    return Extract(path.name, batch.code, path.stat().st_size, sha256, records, references)
