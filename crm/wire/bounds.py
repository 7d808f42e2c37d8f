"""How much there may be in a message, looked at before it is validated.

The validator's log finds the place of each error by counting the siblings before it: measured, ten thousand tickets
that are all wrong took 1.2 s, twenty thousand 7.5 s, a hundred thousand many minutes. So no element has more members
than any sensible message needs, and long lists are validated a part at a time, up to the first part that is wrong.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lxml import etree

MOST_MEMBERS = 500
AT_ONCE = 1000
_CROWDED = etree.XPath(f"descendant-or-self::*[*[{MOST_MEMBERS + 1}]]")


@dataclass(frozen=True, slots=True)
class Items:
    """What a message's payload lists, e.g. TroubleTickets of TroubleTicket; `most`: how many are taken."""

    outer: str
    inner: str
    most: int

    def of(self, message: "etree._Element") -> "etree._Element | None":
        """The element that holds the list, whatever its namespace; None where there is none."""
        found: etree._Element | None = message
        for name in ("Payload", self.outer) if self.outer else ():
            found = None if found is None else child_named(found, name)
        return found if self.outer else None


def too_much(message: "etree._Element", items: Items) -> str:
    """What there is too much of; "" where there is not."""
    listed = items.of(message)
    crowded: list[Any] = _CROWDED(message)  # type: ignore[assignment]  # the stubs know all that XPath can give
    for one in crowded:
        count = len(one)
        if one is not listed:
            return f"{_local(one)} has {count} elements; {MOST_MEMBERS} are the most"
        if count > items.most:
            return f"{count} {items.inner} elements in one message; {items.most} are the most"
    return ""


def parts(listed: "etree._Element | None") -> Iterator[None]:
    """Let the element hold a part of its list after the other; afterwards it holds all of it again."""
    if listed is None or len(listed) <= AT_ONCE:
        yield
        return
    with _whole_afterwards(listed) as every:
        for start in range(0, len(every), AT_ONCE):
            listed[:] = every[start : start + AT_ONCE]
            yield


@contextmanager
def _whole_afterwards(listed: "etree._Element") -> "Iterator[list[etree._Element]]":
    every = list(listed)
    try:
        yield every
    finally:
        listed[:] = every


def child_named(element: "etree._Element", name: str) -> "etree._Element | None":
    """The first child of this name, in whatever namespace; None where there is none."""
    return next((one for one in element if isinstance(one.tag, str) and _local(one) == name), None)


def _local(element: "etree._Element") -> str:
    return str(element.tag).rpartition("}")[2][:60]
