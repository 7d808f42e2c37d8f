"""Several small files carried together: each step is done for all of them, and written down once for all.

The ledger's order is that of one file (files.py), so a crash leaves each file in a state it could have been left in
alone; the next attempt settles them one by one. Only what is plain goes in a volley: new files of a known size, handed
to one flow that writes them to one place. Whatever is unusual about a file is met alone, where it is said in full.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from integrations.adapters.contract import FileInfo
from integrations.adapters.errors import AdapterError
from integrations.adapters.several import Whole
from integrations.engine import brood
from integrations.engine.carriage import Carriage, Carried, Ways, aim_of, most_at_once
from integrations.engine.faults import Fault
from integrations.engine.files import at_edge, store_of
from integrations.models import FileTransfer, Flow

if TYPE_CHECKING:
    from integrations.engine.context import Run

State = FileTransfer.State
TOGETHER = 64  # files of a volley, where the connection sets no number
LARGEST = 4 * 1024 * 1024  # bytes of a file that still goes in a volley
MOST_BYTES = 16 * 1024 * 1024  # of all its files: they are in memory together


@dataclass(frozen=True)
class Handover:
    """To which flow each file is handed, and its message for a file of this name."""

    flow: str
    message: Callable[[str], dict[str, Any]]


def volleys(listed: Sequence[FileInfo], alone: set[str], most: int) -> Iterator[list[FileInfo]]:
    """The files in name order, small ones together, at most so many; those named in `alone` are."""
    together: list[FileInfo] = []
    size = 0
    for info in listed:
        fits = most > 1 and info.size <= LARGEST and not info.trouble and info.name not in alone
        if together and (not fits or len(together) == most or size + info.size > MOST_BYTES):
            yield together
            together, size = [], 0
        if fits:
            together.append(info)
            size += info.size
        else:
            yield [info]
    if together:
        yield together


def carry(
    run: "Run", ways: Ways, handover: Handover, infos: Sequence[FileInfo]
) -> list[tuple[FileInfo, Fault | None]]:
    """Carry as many of these files as go together, from the first on: each with its fault, None where it is done.

    [] where the first one has to go alone.
    """
    flow = brood.row_of(run.spec.stands.flow(handover.flow))
    if not brood.may_be(run, flow):
        return []
    volley = _read(run, ways, [_prepared(run, ways, handover, flow, info) for info in infos])
    if volley:
        Carriage(run, ways, volley).carry()
    return [(one.info, one.fault) for one in volley]


def _read(run: "Run", ways: Ways, found: Sequence[Carried]) -> list[Carried]:
    """The files that go together, read: up to the first whose name is taken at the target, or that is not as listed.

    Nothing has happened anywhere yet; whoever is left out is met alone.
    """
    aim = aim_of(found[0])
    same = list(takewhile(lambda one: aim_of(one) == aim, found))
    with at_edge(aim[0]):
        store = store_of(found[0].child, aim[0])
        taken = store.taken(
            aim[1], [one.transfer.target_name for one in same], at_once=most_at_once(found[0].child, aim[0])
        )
    free = list(takewhile(lambda one: one.transfer.target_name not in taken, same))
    if not free:
        return []
    run.claim.check()
    with at_edge(ways.source.name):
        source = store_of(run, ways.source.name)
        names = [one.info.name for one in free]
        contents = source.read_many(ways.directory, names, at_once=most_at_once(run, ways.source.name))
    return list(takewhile(lambda one: one.transfer.sha256, map(_filled, free, contents)))


def _prepared(run: "Run", ways: Ways, handover: Handover, flow: Flow, info: FileInfo) -> Carried:
    """A file with its ledger row, its child's run, and where the child says that it goes; nothing saved."""
    transfer = FileTransfer(
        instance=run.instance,
        source=ways.source,
        source_directory=ways.directory,
        source_name=info.name,
        source_size=info.size,
        source_modified=info.modified,
        state=State.COPYING,
        tries=1,
    )
    child, delivery = brood.unborn(run, flow, handover.message(info.name), info.name)
    transfer.target = child.connection(delivery.connection)
    transfer.target_directory, transfer.target_name = delivery.directory, delivery.name
    return Carried(info, b"", transfer, child)


def _filled(one: Carried, content: Whole | AdapterError) -> Carried:
    """With the content, if the source still has what it listed; else without a checksum."""
    if isinstance(content, Whole) and _same(content, one.info):
        one.content = content.content
        one.transfer.size = len(content.content)
        one.transfer.sha256 = hashlib.sha256(content.content).hexdigest()
    return one


def _same(content: Whole, info: FileInfo) -> bool:
    """Whether the file is as it was listed; one that grew is still being written."""
    now = content.info
    return len(content.content) == now.size == info.size and now.modified == info.modified
