"""OUAI: analytics, which the hub meets at its object storage and nowhere else (seed 003)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from demo import ouai_files
from demo.control import Action
from demo.derms_files import write
from demo.extracts import digest
from demo.namespaces import BucketShelf, NamespaceServer
from demo.ouai_files import PLAIN, Layout

# As seed 003 has them in OUTL-BRT-OUAI_DACS_DRMS_ConfigProps.
NAMESPACE = "ouainamespace"
ENROLMENTS, FEEDBACK = "OUAIEnrollFolder", "OUAIEnrollAckFolder"
OUTCOMES, KWH, FORECASTS = "OUAIOutcomeFolder", "OUAIKwhAvoidFolder", "Ouai_LRFolder"
BUCKETS = (ENROLMENTS, FEEDBACK, OUTCOMES, KWH, FORECASTS)


@dataclass(frozen=True, slots=True)
class File:
    """A file as it lies in a bucket."""

    name: str
    size: int
    sha256: str


class Ouai:
    """Analytics. What it puts into its buckets itself is neither received nor failed."""

    name = "ouai"

    def __init__(self, objects: NamespaceServer | None = None) -> None:
        """`objects`: its object storage, with the five buckets; one of its own on a free port where None."""
        self.objects = objects or NamespaceServer(NAMESPACE, BUCKETS)

    @property
    def url(self) -> str:
        """Where its object storage answers."""
        return self.objects.url

    @property
    def port(self) -> int:
        """The same, as a port; 0 takes a free one at the start."""
        return self.objects.port

    @port.setter
    def port(self, port: int) -> None:
        self.objects.port = port

    def start(self) -> Self:
        """Listen, make the buckets."""
        self.objects.start()
        return self

    def stop(self) -> None:
        """Listen no more."""
        self.objects.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def fail(self, mode: str, times: int | None = None) -> None:
        """Fail the next `times` requests (all, where None), as object storage does."""
        self.objects.fail(mode, times)

    def received(self) -> list[dict[str, Any]]:
        """Every request at its object storage, oldest first."""
        return self.objects.received()

    def reset(self, *, files: bool = False) -> None:
        """Work again, forget what was received; with `files`, empty the buckets as well."""
        self.objects.reset(files=files)

    def shelf(self, bucket: str) -> BucketShelf:
        """A bucket as OUAI sees it; ValueError for one that it has not."""
        if bucket not in BUCKETS:
            raise ValueError(f"OUAI has no bucket {bucket!r}; it has {', '.join(BUCKETS)}")
        return self.objects.shelf(bucket)

    def put(self, bucket: str, name: str, content: Iterable[bytes]) -> File:
        """Put a file there, whole from the start."""
        with TemporaryDirectory() as scratch:
            path = write(Path(scratch) / "content", content)
            made = _described(name, path)
            self.shelf(bucket).put(name, path)
        return made

    def put_kwh(self, name: str, events: Sequence[str], points: int, *, layout: Layout = PLAIN) -> File:
        """What so many service points saved in these events; `name` begins with ouai.kwh_avoided."""
        return self.put(KWH, name, ouai_files.kwh_avoided(events, points, layout=layout))

    def put_forecast(
        self, name: str, points: int, *, days: int = 1, first_day: date | None = None, layout: Layout = PLAIN
    ) -> File:
        """By how much so many service points could go down; `name` begins with ouai.load_forecast."""
        content = ouai_files.load_forecast(points, days=days, first_day=first_day, layout=layout)
        return self.put(FORECASTS, name, content)

    def put_feedback(
        self,
        name: str,
        sync_request_ids: Iterable[str],
        errors: Mapping[str, str] | None = None,
        *,
        layout: Layout = PLAIN,
    ) -> File:
        """What became of enrolments; `errors`: sync request id → text; `name`: see `feedback_name`."""
        return self.put(FEEDBACK, name, ouai_files.feedback(sync_request_ids, errors, layout=layout))

    def taken(self, bucket: str) -> dict[str, File]:
        """The files of a bucket as they are now, by name: what was delivered, or renamed."""
        return {one.name: one for one in self._files(bucket)}

    def summary(self) -> dict[str, Any]:
        """The digest of every file, by bucket and name."""
        return {bucket: {one.name: one.sha256 for one in self._files(bucket)} for bucket in BUCKETS}

    @property
    def actions(self) -> dict[str, Action]:
        """What its control offers beside: `summary`, `kwh {"name", "events", "points"}`,
        `forecast {"name", "points", "days"}` and `feedback {"name", "syncRequestIds", "errors"}`.
        """
        return {
            "summary": lambda _: self.summary(),
            "kwh": lambda told: _shown(
                self.put_kwh(_name(told), list(map(str, told["events"])), int(told.get("points", 10)))
            ),
            "forecast": lambda told: _shown(
                self.put_forecast(_name(told), int(told.get("points", 10)), days=int(told.get("days", 1)))
            ),
            "feedback": lambda told: _shown(
                self.put_feedback(
                    _name(told), list(map(str, told["syncRequestIds"])), dict(told.get("errors", {}))
                )
            ),
        }

    def _files(self, bucket: str) -> Iterator[File]:
        shelf = self.shelf(bucket)
        for item in shelf.items():
            try:
                with shelf.open(item.name) as content:
                    sha256 = digest(content)
                    yield File(item.name, content.tell(), sha256)
            except KeyError:  # renamed or deleted meanwhile
                continue


def _described(name: str, path: Path) -> File:
    with path.open("rb") as content:
        return File(name, path.stat().st_size, digest(content))


def _name(told: Mapping[str, Any]) -> str:
    return str(told["name"])


def _shown(one: File) -> dict[str, Any]:
    return {"name": one.name, "size": one.size, "sha256": one.sha256}
