"""The schemas' types as the codec walks them: read once from the XSD files, which stay the only description."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from threading import RLock

from lxml import etree

SCHEMAS = Path(__file__).parent / "schemas"
MESSAGE = "http://iec.ch/TC57/2011/schema/message"
_XS = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True, slots=True)
class Member:
    """An element of a complex type: `tag` as lxml spells it, `type` None where it holds text."""

    name: str
    tag: str
    many: bool
    place: int
    kind: str
    type: "ComplexType | None"


@dataclass
class ComplexType:
    """A sequence of members; `open` where elements of other namespaces may follow."""

    members: list[Member] = field(default_factory=list)
    open: bool = False

    @cached_property
    def by_tag(self) -> dict[str, Member]:
        """Members by their whole tag."""
        return {member.tag: member for member in self.members}

    @cached_property
    def by_name(self) -> dict[str, Member]:
        """Members by their local name."""
        return {member.name: member for member in self.members}


class _Schema:
    """One XSD file."""

    def __init__(self, path: Path) -> None:
        self.root = etree.parse(str(path)).getroot()
        self.namespace = str(self.root.get("targetNamespace"))
        self._types: dict[str, ComplexType] = {}
        self._imports = [schema(str(one.get("schemaLocation"))) for one in self.root.iterfind(f"{_XS}import")]

    def element(self, name: str) -> Member:
        """A global element; KeyError if there is none."""
        for one in self.root.iterfind(f"{_XS}element"):
            if one.get("name") == name:
                return self._member(one, 0)
        raise KeyError(f"{self.namespace} has no element {name}")

    def complex_type(self, name: str) -> ComplexType | None:
        """A type by its name; None where it is a simple one."""
        if name in self._types:
            return self._types[name]
        for one in self.root.iterfind(f"{_XS}complexType"):
            if one.get("name") == name:
                return self._sequence(name, one)
        return None

    def _sequence(self, name: str, at: "etree._Element") -> ComplexType | None:
        if at.find(f"{_XS}sequence") is None:  # text with attributes
            return None
        made = self._types[name] = ComplexType()
        for place, one in enumerate(_particles(at)):
            if one.tag == f"{_XS}any":
                made.open = True
            else:
                made.members.append(self._member(one, place))
        return made

    def _member(self, one: "etree._Element", place: int) -> Member:
        many = one.get("maxOccurs") == "unbounded"
        if ref := one.get("ref"):
            owner, local = self._named(ref)
            found = owner.element(local)
            return Member(found.name, found.tag, many, place, found.kind, found.type)
        name, kind = str(one.get("name")), str(one.get("type") or "string")
        owner, local = self._named(kind)
        tag = f"{{{self.namespace}}}{name}"
        return Member(
            name, tag, many, place, local, None if owner is _BUILT_IN else owner.complex_type(local)
        )

    def _named(self, name: str) -> "tuple[_Schema, str]":
        prefix, _, local = name.rpartition(":")
        namespace = self.root.nsmap.get(prefix or None)
        if namespace == self.namespace:
            return self, local
        return next((one for one in self._imports if one.namespace == namespace), _BUILT_IN), local


def _particles(at: "etree._Element") -> Iterator["etree._Element"]:
    for one in at:
        if one.tag in (f"{_XS}sequence", f"{_XS}choice"):
            yield from _particles(one)
        elif one.tag in (f"{_XS}element", f"{_XS}any"):
            yield one


_BUILT_IN = object.__new__(_Schema)


@cache
def schema(file: str) -> _Schema:
    """The schema in this file of the schemas' folder."""
    return _Schema(SCHEMAS / file)


_lock = RLock()
_elements: dict[tuple[str, str], Member] = {}


def message_element(noun: str, name: str) -> Member:
    """The message element of this name, e.g. TroubleTickets, CreatedTroubleTickets."""
    found = _elements.get((noun, name))
    if found is None:
        with _lock:  # a type that another thread is still reading has members missing
            found = _elements[noun, name] = schema(f"{noun}Message.xsd").element(name)
    return found


def message_type(noun: str, name: str) -> ComplexType:
    """The type of the message element of this name: every one has members."""
    found = message_element(noun, name).type
    assert found is not None  # noqa: S101  (as the schemas have it)
    return found
