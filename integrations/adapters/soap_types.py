"""What may stand in an element, by the types zeep has resolved."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from zeep.xsd import elements as parts
from zeep.xsd.types import AnySimpleType

VALUE = "_value_1"  # the text of an element that has attributes, too; zeep calls it so


@dataclass(slots=True)
class Member:
    """A child element by its JSON name. `element` is zeep's, `tag` its {namespace}name; None and "" for an xs:any."""

    name: str
    tag: str
    element: Any
    many: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """What may stand in a complex type; `text` is the type of its text where that is all it holds, or None.

    `members` are in the schema's order, `attributes` are zeep's by JSON name; `names` are those JSON may have, and
    `open` says that it may have any {namespace}name besides.
    """

    members: tuple[Member, ...]
    by_tag: dict[str, Member]
    attributes: dict[str, Any]
    text: Any
    names: tuple[str, ...]
    open: bool

    def known(self) -> str:
        """The members there are, in words."""
        return ", ".join(self.names) or "none"


def shape_of(kind: Any) -> Shape:
    """The shape of one of zeep's complex types."""
    attributes = {name: item for name, item in kind.attributes if item.name is not None}
    content = [particle for _, particle in kind.elements_nested]
    if content and isinstance(content[0], parts.Element) and isinstance(content[0].type, AnySimpleType):
        return Shape((), {}, attributes, content[0].type, (*attributes, VALUE), open=False)
    by_tag = _members(content, taken=set(attributes))
    names = (*(member.name for tag, member in by_tag.items() if tag), *attributes)
    return Shape(tuple(by_tag.values()), by_tag, attributes, None, names, open="" in by_tag)


def _members(content: Any, *, taken: set[str]) -> dict[str, Member]:
    found: dict[str, Member] = {}
    for element, many in _leaves(content, many=False):
        tag = "" if isinstance(element, parts.Any) else str(element.qname.text)
        if tag in found:  # in two places of the schema: where each stands is the validator's concern
            found[tag].many = True
            continue
        name = tag if not tag or element.name in taken else str(element.name)
        found[tag] = Member(name, tag, element if tag else None, many)
        taken.add(name)
    return found


def _leaves(particles: Any, *, many: bool) -> Iterator[tuple[Any, bool]]:
    """The elements and xs:any of sequences, choices and groups, and whether each may come several times."""
    for particle in particles:
        several = many or particle.accepts_multiple
        if isinstance(particle, parts.Element | parts.Any):
            yield particle, several
        else:
            yield from _leaves(particle, many=several)
