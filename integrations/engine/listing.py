"""Which files a run finds at its source, and whether they could be given another name afterwards."""

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from integrations.adapters.contract import FileInfo
from integrations.adapters.names import name_trouble
from integrations.engine.breakers import breaker_worked
from integrations.engine.faults import TechnicalFault
from integrations.engine.files import at_edge, store_of
from integrations.engine.stream import Kind

if TYPE_CHECKING:
    from integrations.engine.context import Run


def check_prefixes(listed: str, **prefixes: str) -> None:
    """TechnicalFault for names that a file could not be given, or by which it would be listed again."""
    for what, prefix in prefixes.items():
        if prefix and prefix.startswith(listed):
            raise TechnicalFault(
                f"Files that are {what} are renamed to begin with {prefix!r}, which begins with {listed!r} that "
                "is listed: every run would send them again",
                hint=f"Choose another prefix for files that are {what}.",
            )
        if prefix and (trouble := name_trouble(f"{prefix}x")):
            raise TechnicalFault(
                f"The prefix for files that are {what}, {prefix!r}, cannot be used: {trouble}",
                hint="Choose another prefix.",
            )


class Listing(Protocol):
    """What is listed, and what is put before a name afterwards."""

    @property
    def source(self) -> str: ...
    @property
    def directory(self) -> str: ...
    @property
    def prefix(self) -> str: ...
    @property
    def sent_prefix(self) -> str: ...


def listed_files(run: "Run", job: Listing) -> list[FileInfo]:
    """The files there are, in name order; one that could not be renamed afterwards with its trouble."""
    with at_edge(job.source):
        store = store_of(run, job.source)
        row = run.connection(job.source)
        with run.stream.timed(
            Kind.LISTED, f"Listed {job.directory} for {job.prefix}*", connection=row
        ) as line:
            # By name: a server may list a file twice while its directory changes.
            found = {
                info.name: info for info in store.list(job.directory, job.prefix) if not info.is_directory
            }
            line.text += f": {len(found)} file(s)"
        breaker_worked(row)
    return [_renamable(found[name], job.sent_prefix) for name in sorted(found)]


def _renamable(info: FileInfo, prefix: str) -> FileInfo:
    """The file; with its trouble, where it could be sent but not renamed afterwards."""
    trouble = "" if info.trouble else name_trouble(f"{prefix}{info.name}")
    return replace(info, trouble=f"with {prefix!r} before it, {trouble}") if trouble else info
