"""Calling the hub's flows as an edge system does: POST, HTTP Basic, JSON or multipart (contract: inbound REST)."""

import json
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import requests

from demo.acknowledgements import Answered

FLOWS = "/ic/api/integration/v1/flows"
LONGEST_BODY = 1_000_000


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes beside a message: its name, and its content or where that is."""

    name: str
    content: bytes | Path = field(repr=False)

    def open(self) -> IO[bytes]:
        """Its bytes, to be closed by the caller."""
        return BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")


@dataclass(frozen=True, slots=True)
class Hub:
    """The hub as a partner knows it: its URL and the partner's log-in there."""

    url: str
    client_id: str
    secret: str = field(repr=False)
    adapter: str = "oracleutilities"
    timeout: float = 60.0

    def address(self, identifier: str, resource: str) -> str:
        """Where a flow takes its messages."""
        return f"{self.url}{FLOWS}/{self.adapter}/{identifier}/1.0/{resource}"

    def post(self, identifier: str, resource: str, message: Any, *, key: str = "") -> Answered:
        """Send a message; what the hub said. `key`: an Idempotency-Key, none where it is ""."""
        return self._post(identifier, resource, key, json=message)

    def post_file(
        self, identifier: str, resource: str, message: Any, file: Attached, *, key: str = ""
    ) -> Answered:
        """Send a message and a file as the parts `request` and `file`; what the hub said."""
        with file.open() as content:
            parts = {
                "request": (None, json.dumps(message), "application/json"),
                "file": (file.name, content, "text/csv"),
            }
            return self._post(identifier, resource, key, files=parts)

    def _post(self, identifier: str, resource: str, key: str, **how: Any) -> Answered:
        try:
            answer = requests.post(
                self.address(identifier, resource),
                auth=(self.client_id, self.secret),
                headers={"Idempotency-Key": key} if key else {},
                timeout=self.timeout,
                **how,
            )
        except requests.RequestException as error:
            return Answered(None, f"{type(error).__name__}: {error}")
        return Answered(
            answer.status_code, answer.text[:LONGEST_BODY], answer.headers.get("X-Busbar-Instance", "")
        )
