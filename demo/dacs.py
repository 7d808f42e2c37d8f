"""DACS: finds uploads on its shelves, checks each record, acknowledges the incremental ones to the hub.

Seed 001 chapters 2 and 4: X1-COUP, X1-MSPUP and X1-MSUPL read the files, X1-SYNREQACK answers. Initial loads
are not acknowledged.
"""

import json
import threading
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from demo.acknowledgements import Acknowledgement, HubAddress, Outbox, send
from demo.extracts import batch_of, digest
from demo.http import Answer, Call, problem
from demo.journal import Journal
from demo.neighbour import HttpNeighbour
from demo.shelf import Item, Shelf
from demo.uploads import Checked, Lookups, base_lookups, check_upload

DATA = Path(__file__).parent / "data"
HEALTH = "/rest/apis/common/system/healthCheck"
HEALTHY = {"healthOverallResponse": 200, "healthCheckResults": []}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that DACS has read. `trouble`: why it could not be."""

    shelf: str
    name: str
    version: str
    sha256: str = ""
    accepted: int = 0
    rejected: int = 0
    trouble: str = ""


class Dacs(HttpNeighbour):
    """The device and program system. While it runs, it looks at its shelves and sends what is due."""

    name = "dacs"

    def __init__(
        self,
        *,
        shelves: Mapping[str, Shelf],
        hub: HubAddress | None = None,
        lookups: Lookups | None = None,
        kept: Path | None = None,
        username: str = "",
        password: str = "",
        port: int = 0,
        slow_seconds: float = 5.0,
        poll_seconds: float = 0.2,
        retry_seconds: float = 2.0,
        senders: int = 2,
    ) -> None:
        """`shelves`: by name, where the hub delivers; `hub`: None to keep acknowledgements back; `kept`: a
        directory where uploads and acknowledgements last from one start to the next.
        """
        super().__init__(port=port, username=username, password=password, slow_seconds=slow_seconds)
        self.shelves = dict(shelves)
        self.hub = hub
        self.lookups = lookups or base_lookups()
        self.outbox = Outbox(
            Journal(kept and kept / "dacs-acknowledgements.jsonl"), retry_seconds=retry_seconds
        )
        self._poll_seconds = poll_seconds
        self._journal = Journal(kept and kept / "dacs-uploads.jsonl")
        self._uploads = [Upload(**entry) for entry in self._journal.read()]
        self._senders = senders
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []

    @cached_property
    def catalog(self) -> dict[str, Any]:
        """Its OpenAPI document; X1-SYNREQACK, which it sends, is among the webhooks."""
        found: dict[str, Any] = json.loads((DATA / "dacs_openapi.json").read_text())
        return found

    def start(self) -> "Dacs":
        """Listen, look at the shelves, send."""
        super().start()
        self._ending.clear()
        works: list[Callable[[], bool]] = [self.read_uploads, *[self.send_one] * self._senders]
        self._threads = [threading.Thread(target=self._repeat, args=(work,), daemon=True) for work in works]
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """End all of it."""
        self._ending.set()
        for thread in self._threads:
            thread.join(timeout=10)
        self._threads = []
        super().stop()

    def uploads(self) -> list[Upload]:
        """The files it has read, oldest first."""
        return list(self._uploads)

    def read_uploads(self) -> bool:
        """Read every new file once; whether there was any."""
        known = {(one.shelf, one.name, one.version) for one in self._uploads}
        new = [
            (place, item)
            for place in self.shelves
            for item in self.shelves[place].items()
            if batch_of(item.name) and (place, item.name, item.version) not in known
        ]
        for place, item in new:
            self._read(place, item)
        return bool(new)

    def send_one(self) -> bool:
        """Send one acknowledgement that is due; whether there was one."""
        one = self.outbox.take() if self.hub else None
        if one is None or self.hub is None:
            return False
        self.outbox.sent(one, send(self.hub, one))
        return True

    def handle(self, call: Call) -> Answer:
        """The health check and the catalog."""
        if (call.method, call.path) == ("GET", "/openapi.json"):
            return Answer(200, {**self.catalog, "servers": [{"url": self.url}]})
        if (call.method, call.path.rstrip("/")) == ("GET", HEALTH):
            return Answer(200, HEALTHY)
        return Answer(404, problem(404, f"There is nothing at {call.path}"))

    def _read(self, place: str, item: Item) -> None:
        upload, checked = self._checked(place, item)
        self.outbox.add(Acknowledgement(one.reference, one.errors) for one in checked if one.reference)
        self._journal.add(asdict(upload))
        self._uploads.append(upload)

    def _checked(self, place: str, item: Item) -> tuple[Upload, list[Checked]]:
        shelf = self.shelves[place]
        try:
            with shelf.open(item.name) as content:
                sha256 = digest(content)
            with shelf.open(item.name) as content:
                checked = list(check_upload(content, item.name, self.lookups))
        except (ValueError, zipfile.BadZipFile) as error:
            return Upload(place, item.name, item.version, trouble=str(error)), []
        rejected = sum(bool(one.errors) for one in checked)
        return Upload(place, item.name, item.version, sha256, len(checked) - rejected, rejected), checked

    def _repeat(self, work: Callable[[], bool]) -> None:
        while not self._ending.is_set():
            if not work():
                self._ending.wait(self._poll_seconds)
