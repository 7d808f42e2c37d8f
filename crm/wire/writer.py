"""Writing plain values as XML text, in the schema's order.

Text put together is three times as fast as building elements first; what comes out is the same, and is valid as long
as the values are.
"""

import re
from typing import Any

from crm.wire.types import ComplexType, Member

Plain = dict[str, Any]
_SPECIAL = re.compile("[&<>\r]|[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}


class Names:
    """Prefixes of the namespaces of one message, and each member's tags with them."""

    def __init__(self, namespaces: dict[str, str]) -> None:
        """`namespaces`: prefix → URI."""
        self._prefixes = {uri: prefix for prefix, uri in namespaces.items()}
        self._tags: dict[int, list[tuple[Member, str, str]]] = {}

    def name(self, tag: str) -> str:
        """A tag with its prefix."""
        uri, _, local = tag[1:].partition("}")
        return f"{self._prefixes[uri]}:{local}"

    def tags(self, kind: ComplexType) -> list[tuple[Member, str, str]]:
        """The type's members with their opening and closing tags."""
        known = self._tags.get(id(kind))
        if known is None:
            names = [(member, self.name(member.tag)) for member in kind.members]
            known = [(member, f"<{name}>", f"</{name}>") for member, name in names]
            self._tags[id(kind)] = known
        return known


def write(value: Plain, kind: ComplexType, names: Names, out: list[str]) -> None:
    """Append the value's members; None is left out."""
    for member, opening, closing in names.tags(kind):
        given = value.get(member.name)
        if given is None:
            continue
        for one in given if member.many else (given,):
            out.append(opening)
            if member.type is not None:
                write(one, member.type, names, out)
            else:
                out.append(escaped(one if one.__class__ is str else text_of(one)))
            out.append(closing)


def escaped(text: str) -> str:
    """The text as XML has it; a character that XML has no way to write becomes a replacement character."""
    if _SPECIAL.search(text) is None:
        return text
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0], "\N{REPLACEMENT CHARACTER}"), text)


def text_of(value: Any) -> str:
    """A simple value as the schemas spell it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
