"""One segment of a CSV file on its way to a target."""

from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from integrations.adapters import open_adapter
from integrations.adapters.contract import Caller, Endpoint, Request, Response
from integrations.engine.faults import ConnectionUnusable
from integrations.mapping import Segment
from integrations.models import Payload, Step


@dataclass
class Part:
    """One segment on its way, and what came of it. `repeat`: an earlier try of it ended nobody knows how."""

    number: int
    segment: Segment
    step: Step | None
    repeat: bool
    body: "Future[bytes]"
    size: int = 0
    response: Response | None = None
    error: Exception | None = None
    began: datetime | None = None
    milliseconds: float = 0.0
    kept: Payload | None = None

    @property
    def key(self) -> str:
        """The step's."""
        return f"segment {self.number}"


def call_target(endpoint: Endpoint, request: Request) -> Response:
    """The target's answer; AdapterError, or ConnectionUnusable where it has no operations."""
    with open_adapter(endpoint) as adapter:
        if not isinstance(adapter, Caller):
            raise ConnectionUnusable(
                f"Connection {endpoint.name!r} is {endpoint.adapter}: it has no operations to call"
            )
        return adapter.invoke(request)
