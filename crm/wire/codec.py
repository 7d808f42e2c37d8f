"""Between XML elements, JSON and plain values, by the schemas' types.

A plain value is a dict of member name → text, dict, or list of them where a member may come several times; texts stay
texts (xs:dateTime, xs:boolean …) until somebody needs them otherwise.
"""

from typing import Any

from lxml import etree

from crm.wire.types import ComplexType, Member
from crm.wire.writer import text_of

DEEPEST = 20
Plain = dict[str, Any]


class Malformed(ValueError):
    """A value that is not of its type; says where and why."""


def decode(element: "etree._Element", kind: ComplexType) -> Plain:
    """The element's members; what the type does not know is left out (validation has let it pass)."""
    found: Plain = {}
    members = kind.by_tag
    for child in element:
        member = members.get(child.tag)
        if member is None:
            continue
        value = child.text or "" if member.type is None else decode(child, member.type)
        if member.many:
            known = found.get(member.name)
            if known is None:
                found[member.name] = [value]
            else:
                known.append(value)
        else:
            found[member.name] = value
    return found


def from_json(value: Any, member: Member, where: str = "", depth: int = 0) -> "etree._Element":
    """The element that JSON stands for. Malformed names the member that is unknown or of another type."""
    element = etree.Element(member.tag)
    where = where or member.name
    if member.type is None:
        _put_given(element, value, where)
        return element
    if not isinstance(value, dict):
        # A list in place of what holds but a list: {"TroubleTickets": [ … ]} is understood.
        only = member.type.members[0] if len(member.type.members) == 1 else None
        if not (isinstance(value, list) and only and only.many):
            raise Malformed(f"{where} has to be an object")
        value = {only.name: value}
    if depth > DEEPEST:
        raise Malformed(f"{where} is nested too deeply")
    _put_members(element, value, member.type, where, depth)
    return element


def _put_members(element: "etree._Element", value: Plain, kind: ComplexType, where: str, depth: int) -> None:
    for name in value:
        if name not in kind.by_name:
            raise Malformed(f"{where} has no member {name[:60]!r}; it has {', '.join(kind.by_name)}")
    for member in kind.members:
        given = value.get(member.name)
        if given is None:
            continue
        several = given if isinstance(given, list) and not _is_wrapped(member, given) else [given]
        if len(several) > 1 and not member.many:
            raise Malformed(f"{where}.{member.name} comes once, not as a list")
        for place, one in enumerate(several):
            spot = f"{where}.{member.name}[{place}]" if member.many else f"{where}.{member.name}"
            element.append(from_json(one, member, spot, depth + 1))


def _is_wrapped(member: Member, given: list[Any]) -> bool:
    """Whether the list stands for an element that holds nothing but a list."""
    only = member.type.members[0] if member.type and len(member.type.members) == 1 else None
    return not member.many and only is not None and only.many


def _put_given(element: "etree._Element", value: Any, where: str) -> None:
    if not isinstance(value, str | int | float | bool):
        raise Malformed(f"{where} has to be a text, a number or true or false")
    try:
        element.text = value if isinstance(value, str) else text_of(value)
    except ValueError:
        raise Malformed(f"{where} has a character that XML cannot carry") from None


def to_json(value: Any, kind: ComplexType) -> Plain:
    """Plain values as JSON has them: booleans and whole numbers as such, lists always lists, None left out."""
    found: Plain = {}
    for member in kind.members:
        given = value.get(member.name)
        if given is None:
            continue
        made = [_json_of(one, member) for one in (given if member.many else (given,))]
        found[member.name] = made if member.many else made[0]
    return found


def _json_of(value: Any, member: Member) -> Any:
    if member.type is not None:
        return to_json(value, member.type)
    if isinstance(value, str) and member.kind == "boolean":
        return value.strip() in ("true", "1")
    if isinstance(value, str) and member.kind == "integer":
        return int(value)
    return value
