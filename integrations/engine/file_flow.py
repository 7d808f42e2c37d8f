"""The body of a flow that moves files as they are: from a place, by prefix, to a child flow or an operation.

A flow of this kind is its declaration; what it does is the engine's (seeds 001 to 003: list, move, rename, report).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from integrations.engine.places import Place, Preferred
from integrations.engine.pump import Feed, FileTransfer, Job, Tap, move_files
from integrations.engine.reports import BUSINESS_RECIPIENTS, COMPLETE_FLAG, NO_FILE_FLAG, finish

if TYPE_CHECKING:
    from integrations.engine.context import Run


@dataclass(frozen=True)
class FileFlow:
    """What distinguishes one file flow from another, mostly names of properties.

    `prefix`: the property with the beginning of the files' names, or a parameter's name where `by_parameter`;
    `sent_prefix`, `failed_prefix`: the properties with what is put before a name afterwards; `to`: the children, or
    what sends one file; `recipients`: the properties of those who are told.
    """

    source: str
    place: Place
    prefix: str
    sent_prefix: str
    to: "Preferred | Callable[[Run], Callable[[Feed], None]]"
    by_parameter: bool = False
    failed_prefix: str = ""
    recipients: tuple[str, ...] = (BUSINESS_RECIPIENTS,)
    tell_of_none: bool = True
    serial: bool = False
    taps: "Callable[[Run, FileTransfer], list[Tap]]" = lambda run, transfer: []
    delivered: "Callable[[Run, Sequence[FileTransfer]], None]" = lambda run, transfers: None

    @property
    def properties(self) -> tuple[str, ...]:
        """Those that have to be set before the flow is switched on."""
        named = (self.sent_prefix, self.failed_prefix, "" if self.by_parameter else self.prefix)
        choice = (self.to.preference,) if isinstance(self.to, Preferred) else ()
        own = (*self.place.properties, *named, *choice, NO_FILE_FLAG, COMPLETE_FLAG)
        return tuple(name for name in own if name)

    @property
    def calls(self) -> tuple[str, ...]:
        """The child flows."""
        return self.to.calls if isinstance(self.to, Preferred) else ()

    def move(self, run: "Run") -> dict[str, object]:
        """List, move, rename, report; the summary is the answer."""
        text = run.properties.text
        prefix = run.parameters[self.prefix] if self.by_parameter else text(self.prefix)
        source = run.spec.stands.connection(self.source)
        directory = self.place.directory_at(run, source)
        job = Job(
            source=source,
            directory=directory,
            prefix=prefix,
            sent_prefix=text(self.sent_prefix),
            failed_prefix=text(self.failed_prefix) if self.failed_prefix else "",
            hand_on=self.to.handover(run) if isinstance(self.to, Preferred) else self.to(run),
            taps=lambda transfer: self.taps(run, transfer),
            delivered=lambda transfers: self.delivered(run, transfers),
            serial=self.serial,
        )
        return finish(
            run,
            move_files(run, job),
            where=f"{directory} of {source}",
            prefix=prefix,
            tell_of_none=self.tell_of_none,
            recipients=self.recipients,
        )
