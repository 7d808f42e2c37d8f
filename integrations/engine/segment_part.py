"""One segment of a CSV file on its way to a target."""

from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from integrations.adapters.contract import Response
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
