"""Whether a message is valid, and how a tolerant reader makes it so before it says no.

Input may have its elements in another order, in another namespace, and verbs that are deprecated (seed 004 chapter
10.1.1: update for change); what goes out is never anything but valid.
"""

import re
import threading
from dataclasses import dataclass

from lxml import etree

from crm.wire.bounds import Items, parts, too_much
from crm.wire.types import SCHEMAS, ComplexType, Member
from integrations.adapters.xml_schemas import compile_schema

_of_thread = threading.local()
_NO_LIST = Items("", "", 0)
# The validator names elements as {namespace}name; people know them by their name.
_NAMESPACE = re.compile(r"\{http[^{}'\s]*\}")


class Invalid(ValueError):
    """A message that its schema does not allow; the text is the validator's reason."""


@dataclass(frozen=True, slots=True)
class Strictness:
    """What is not forgiven: another order, another namespace."""

    order: bool = False
    namespace: bool = False


def check(
    message: "etree._Element", member: Member, noun: str, strict: Strictness, items: Items = _NO_LIST
) -> None:
    """Validate the message in place; Invalid with the validator's reason, or with what there is too much of.

    Most messages are right as they are, so they are put in order only after a first no.
    """
    if said := too_much(message, items):
        raise Invalid(said)
    schema = _schema(noun)
    if _is_valid(schema, message, items):
        return
    if not (strict.order and strict.namespace):
        if not strict.namespace:
            message.tag = member.tag
        if member.type is not None:
            _tolerate(message, member.type, strict)
        if _is_valid(schema, message, items):
            return
    raise Invalid(_reason(schema))


def _is_valid(schema: etree.XMLSchema, message: "etree._Element", items: Items) -> bool:
    return all(schema.validate(message) for _ in parts(items.of(message)))


def _schema(noun: str) -> etree.XMLSchema:
    """One a thread: a schema keeps the errors of its last validation."""
    known: dict[str, etree.XMLSchema] = _of_thread.__dict__.setdefault("schemas", {})
    if noun not in known:
        known[noun] = compile_schema(etree.parse(str(SCHEMAS / f"{noun}Message.xsd")))
    return known[noun]


def _reason(schema: etree.XMLSchema) -> str:
    errors = [*iter(schema.error_log)]  # type: ignore[call-overload]  # the stubs have no iteration
    if not errors:
        return "it is not valid"
    first = errors[0]
    text = _NAMESPACE.sub("", str(first.message)).rstrip(". ")
    return f"line {first.line}: {text}" if first.line else text


def _tolerate(element: "etree._Element", kind: ComplexType, strict: Strictness) -> None:
    """Give each member its schema's namespace and place; what is unknown stays where and what it is."""
    places: dict[etree._Element, int] = {}
    last, in_order = 0, True
    for child in element:
        member = None
        if isinstance(child.tag, str):
            local = child.tag.rpartition("}")[2]
            member = kind.by_tag.get(child.tag) or (None if strict.namespace else kind.by_name.get(local))
        if member is None:
            places[child] = last
            continue
        child.tag = member.tag
        in_order = in_order and last <= member.place
        places[child] = last = member.place
        if member.type is not None:
            _tolerate(child, member.type, strict)
        elif member.kind == "dateTime" and child.text:
            child.text = child.text.strip()  # the validator does not, though the schema language says so
    if not (in_order or strict.order):
        element[:] = sorted(element, key=places.__getitem__)
