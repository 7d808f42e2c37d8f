"""Between JSON and the elements of a WSDL's messages, by the types zeep has resolved.

A member is called after its element or attribute; one that may come several times is a list in every answer. What an
xs:any takes is called {namespace}name and is a list, too. Texts, dates and times stay as XML has them (ISO 8601);
booleans and numbers become JSON's, but for numbers that a reader of JSON would round: those stay texts.

zeep has builders and readers of its own. They are not used: they send true for any text where a boolean goes, and leave
out without a word what they cannot convert, such as 24:00 for the end of a day or the offset of a date.
"""

import math
from decimal import Decimal
from typing import Any

from lxml import etree
from zeep.exceptions import LookupError as NotDeclared
from zeep.exceptions import NamespaceError
from zeep.xsd.types import ComplexType, ListType, UnionType, builtins

from integrations.adapters.errors import BadMessage
from integrations.adapters.soap_types import VALUE, Member, Shape, shape_of

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_XSD = "http://www.w3.org/2001/XMLSchema"
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1  # the whole numbers that the hub's JSON keeps
_LONGEST = 40  # digits, which no number that JSON keeps comes near
_TRUE = ("true", "1")


class Translator:
    """Makes elements of JSON and JSON of elements, for the types of one WSDL."""

    def __init__(self, types: Any) -> None:
        """`types`: zeep's, of the whole WSDL."""
        self._types = types
        self._shapes: dict[int, Shape] = {}
        found = (name for name in types.namespaces if name and name != _XSD)
        self._prefixes = {f"n{number}": name for number, name in enumerate(found)}

    def element(self, described: Any, value: Any) -> "etree._Element":
        """The element that `described` (zeep's) names, with the members of `value`; BadMessage names a wrong one.

        What is missing or of a wrong form is not looked for here: the schema says that.
        """
        made = etree.Element(described.qname.text, nsmap=self._prefixes)
        self._fill(made, described.type, value, described.name)
        return made

    def json(self, described: Any, element: "etree._Element") -> Any:
        """What stands in a valid element that `described` (zeep's) names."""
        return self._value(described.type, element)

    def _shape(self, kind: Any) -> Shape:
        found = self._shapes.get(id(kind))
        if found is None:
            found = self._shapes[id(kind)] = shape_of(kind)
        return found

    def _declared(self, tag: str) -> Any:
        """The element that the WSDL's schemas declare under this {namespace}name, or None."""
        try:
            return self._types.get_element(tag)
        except (NotDeclared, NamespaceError):
            return None

    # -- JSON to XML -----------------------------------------------------------------------------------------

    def _fill(self, element: "etree._Element", kind: Any, value: Any, where: str) -> None:
        if not isinstance(kind, ComplexType):
            _put_text(element, kind, value, where)
            return
        shape = self._shape(kind)
        if shape.text is not None and not isinstance(value, dict):
            value = {VALUE: value}
        if not isinstance(value, dict):
            raise BadMessage(f"{where} is {_said(value)}; it has to be an object with {shape.known()}")
        for name in value:
            if name not in shape.names and not (shape.open and name.startswith("{")):
                raise BadMessage(f"{where} has no member {name!r}; it has {shape.known()}")
        for name, attribute in shape.attributes.items():
            if value.get(name) is not None:
                text = _text(attribute.type, value[name], f"{where}.{name}")
                _set(element, str(attribute.qname.text), text, f"{where}.{name}")
        if shape.text is not None:
            _put_text(element, shape.text, value.get(VALUE), where)
        for member in shape.members:
            self._put_member(element, member, value, where)

    def _put_member(
        self, parent: "etree._Element", member: Member, value: dict[str, Any], where: str
    ) -> None:
        if member.element is None:
            for name in (name for name in value if name.startswith("{")):
                if (described := self._declared(name)) is None:
                    raise BadMessage(f"{where} has {name}, which no schema of the WSDL declares")
                self._put(parent, described, value[name], f"{where}.{name}", many=True)
        elif member.name in value:
            self._put(parent, member.element, value[member.name], f"{where}.{member.name}", many=member.many)

    def _put(self, parent: "etree._Element", described: Any, value: Any, where: str, *, many: bool) -> None:
        one = not isinstance(value, list) or (isinstance(described.type, ListType) and not many)
        if not (one or many):
            raise BadMessage(f"{where} is a list; it comes once")
        for place, item in enumerate([value] if one else value):
            if item is not None:
                made = etree.SubElement(parent, described.qname.text)
                self._fill(made, described.type, item, where if one else f"{where}[{place}]")
            elif described.nillable and not described.is_optional:
                etree.SubElement(parent, described.qname.text).set(f"{_XSI}nil", "true")

    # -- XML to JSON -----------------------------------------------------------------------------------------

    def _value(self, kind: Any, element: "etree._Element") -> Any:
        """None where xsi:nil says so; what xsi:type names is read as that."""
        if element.get(f"{_XSI}nil", "").strip() in _TRUE:
            return None
        kind = self._named(element) or kind
        if isinstance(kind, ComplexType):
            return self._members(self._shape(kind), element)
        return _plain(kind, element.text or "") if len(element) == 0 else _source(element)

    def _named(self, element: "etree._Element") -> Any:
        name = element.get(f"{_XSI}type")
        if name is None:
            return None
        prefix, _, local = name.strip().rpartition(":")
        return self._types.get_type(etree.QName(element.nsmap.get(prefix or None), local), fail_silently=True)

    def _members(self, shape: Shape, element: "etree._Element") -> dict[str, Any]:
        found: dict[str, Any] = {}
        by_tag = {str(item.qname.text): (name, item.type) for name, item in shape.attributes.items()}
        for tag, text in element.attrib.items():
            if not str(tag).startswith(_XSI):
                name, kind = by_tag.get(str(tag), (str(tag), None))
                found[name] = _plain(kind, str(text))
        if shape.text is not None:
            found[VALUE] = _plain(shape.text, element.text or "")
        for child in element:
            self._add(found, shape.by_tag.get(str(child.tag)), child)
        return found

    def _add(self, found: dict[str, Any], member: Member | None, child: "etree._Element") -> None:
        if member is None:  # taken by an xs:any, or in place of another element
            described = self._declared(str(child.tag))
            value = _source(child) if described is None else self._value(described.type, child)
            found.setdefault(str(child.tag), []).append(value)
            return
        value = self._value(member.element.type, child)
        if member.many:
            found.setdefault(member.name, []).append(value)
        elif value is not None:
            found[member.name] = value


def _source(element: "etree._Element") -> str:
    """An element nobody describes, as the XML it is."""
    return etree.tostring(element, encoding="unicode", with_tail=False)


def _said(value: Any) -> str:
    """A value in words, not too many of them."""
    kinds = {dict: "an object", list: "a list", type(None): "null"}
    return kinds.get(type(value)) or repr(value)[:50]


def _put_text(element: "etree._Element", kind: Any, value: Any, where: str) -> None:
    if value is not None:
        try:
            element.text = _text(kind, value, where)
        except ValueError as error:
            raise _no_xml(where) from error


def _set(element: "etree._Element", name: str, text: str, where: str) -> None:
    try:
        element.set(name, text)
    except ValueError as error:
        raise _no_xml(where) from error


def _no_xml(where: str) -> BadMessage:
    return BadMessage(f"{where} has a character that XML cannot carry")


def _text(kind: Any, value: Any, where: str) -> str:
    """A JSON value as the text of this type; a text is taken as it is, whether it is one the schema will say."""
    if isinstance(value, str):
        return value
    if isinstance(kind, ListType) and isinstance(value, list):
        return " ".join(_text(kind.item_type, item, where) for item in value)
    if isinstance(value, bool):
        if isinstance(kind, builtins.Boolean):
            return "true" if value else "false"
    elif isinstance(value, int):
        return str(value)
    elif isinstance(value, float):
        if isinstance(kind, builtins.Float | builtins.Double):
            return repr(value)
        if isinstance(kind, builtins.Decimal):
            return f"{Decimal(repr(value)):f}"
    raise BadMessage(f"{where} is {_said(value)}; it has to be {getattr(kind, 'name', None) or 'a text'}")


def _plain(kind: Any, text: str) -> Any:
    """The text of a valid value of this type as JSON has it."""
    if isinstance(kind, builtins.String | UnionType) and not isinstance(kind, builtins.Token):
        return text
    if kind is None or not isinstance(kind, builtins.BuiltinType | ListType):
        return text
    text = " ".join(text.split())
    if isinstance(kind, ListType):
        return [_plain(kind.item_type, item) for item in text.split()]
    if isinstance(kind, builtins.Boolean):
        return text in _TRUE
    if isinstance(kind, builtins.Decimal | builtins.Float | builtins.Double):
        return _number(kind, text)
    return text


def _number(kind: Any, text: str) -> Any:
    """The number, or its text where JSON has no such number or would round it."""
    if not isinstance(kind, builtins.Decimal):
        number = float(text.replace("INF", "inf"))
        return number if math.isfinite(number) else text
    if len(text) > _LONGEST:
        return text
    exact = Decimal(text)
    if exact == exact.to_integral_value():
        return int(exact) if _LOWEST <= exact <= _HIGHEST else text
    return float(exact) if Decimal(repr(float(exact))) == exact else text
