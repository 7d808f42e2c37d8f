"""Where files are, as property lists name it, and the child flow that a preference sends them to.

An application that takes files from a file server or from object storage has a child flow for each; which one gets a
file is a property's value, `ftp` or `os`, and so is the place there (seeds 001 to 003, File to File Transfer).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from integrations.engine.volley import Handover

if TYPE_CHECKING:
    from integrations.engine.context import Run

FTP, OS = "ftp", "os"


@dataclass(frozen=True, slots=True)
class Place:
    """A directory or a bucket, by the names of the properties that hold it."""

    directory: str = ""
    namespace: str = ""
    bucket: str = ""

    @property
    def properties(self) -> tuple[str, ...]:
        """Those that have to be set."""
        return tuple(name for name in (self.directory, self.namespace, self.bucket) if name)

    def directory_at(self, run: "Run", connection: str) -> str:
        """The directory as the connection's store has it."""
        if self.directory:
            return run.properties.text(self.directory)
        return run.files(connection).directory_for(self._bucket(run))

    def handover(self, run: "Run", flow: str) -> Handover:
        """Each file to the child flow of this identifier, with the message that puts it here."""
        if self.directory:
            directory = run.properties.text(self.directory)
            return Handover(flow, lambda name: {"fileName": name, "directory": directory})
        bucket = self._bucket(run)
        return Handover(flow, lambda name: {"objectName": name, **bucket})

    def _bucket(self, run: "Run") -> dict[str, str]:
        text = run.properties.text
        return {"namespaceName": text(self.namespace), "bucketName": text(self.bucket)}


@dataclass(frozen=True, slots=True)
class Preferred:
    """A property whose value says which child flow takes a file, and where each puts it."""

    preference: str
    children: Mapping[str, tuple[str, Place]]
    default: str | None = None

    @property
    def calls(self) -> tuple[str, ...]:
        """The flows it may call."""
        return tuple(flow for flow, _ in self.children.values())

    def handover(self, run: "Run") -> Handover:
        """The child that the property names now."""
        chosen = run.properties.choice(self.preference, tuple(self.children), self.default)
        flow, place = self.children[chosen]
        return place.handover(run, flow)
