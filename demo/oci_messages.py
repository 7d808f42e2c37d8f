"""What comes to the native object storage server, and what it sends back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

from demo.oci_bucket import Content
from demo.oci_signature import Refusal


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came. `target`: path and query as sent; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    stream: BinaryIO
    document: bytes = b""

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return int(self.headers.get("content-length") or 0)

    @property
    def query(self) -> dict[str, str]:
        """Parameters by name."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back: a document, or `span` (first byte, length) of contents on disk."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    document: bytes = b""
    contents: tuple[Content, ...] = ()
    span: tuple[int, int] = (0, 0)

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return self.span[1] if self.contents else len(self.document)


def refusal(error: Refusal) -> Reply:
    """An error as the service words it."""
    return document({"code": error.code, "message": error.message}, error.status)


def document(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """JSON."""
    return Reply(status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(value).encode())
