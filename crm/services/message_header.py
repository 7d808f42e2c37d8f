"""A message's header: what is asked of it, and what the reply's says (seed 004 section 10.1.1)."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from lxml import etree

from crm.config import Config
from crm.operations.base import Operation
from crm.operations.headers import correlation_of, sent_header
from crm.operations.problems import Stop
from crm.wire.bounds import child_named
from crm.wire.values import text_of

# Deprecated verbs, which mean the same as these.
_SYNONYMS = {"update": "change", "updated": "changed"}
_LONGEST = 255  # as the schemas have it; what is answered may have been refused for being longer
_STRICT = ("Timestamp", "MessageID", "CorrelationID")
Plain = dict[str, Any]


def settle_verb(operation: Operation, message: "etree._Element") -> None:
    """Check Verb and Noun before the schema does, which knows them by a list; Stop.

    A missing one is the schema's to tell. Verbs are put into the words the schema has, nouns go in any case.
    """
    verb, noun = _header_member(message, "Verb"), _header_member(message, "Noun")
    if verb is not None and (said := text_of(verb.text)):
        meant = _SYNONYMS.get(said.casefold(), said.casefold())
        if meant != operation.verb:
            raise Stop("InvalidVerb", said)
        verb.text = meant
    if noun is not None and (said := text_of(noun.text)) and said.casefold() != operation.noun.casefold():
        raise Stop("InvalidNoun", said)


def _header_member(message: "etree._Element", name: str) -> "etree._Element | None":
    header = child_named(message, "Header")
    return None if header is None else child_named(header, name)


def expect_header(header: Plain, settings: Config) -> None:
    """Stop where the header lacks what it must have; Context has an error of its own."""
    if not text_of(header.get("Verb")) or not text_of(header.get("Noun")):
        raise Stop("InvalidMessage", "Header has no Verb or no Noun")
    if settings.properties.flag("header.strict", True):
        missing = [name for name in _STRICT if not text_of(header.get(name))]
        if missing:
            raise Stop("InvalidMessage", f"Header has no {' and no '.join(missing)}")


def reply_header(operation: Operation, header: Plain, settings: Config, now: datetime) -> Plain:
    """The reply's header, in answer to this one."""
    made = sent_header(
        settings,
        now,
        verb="reply",
        noun=operation.replies,
        key=str(uuid4()),
        correlation=correlation_of(header)[:_LONGEST] or None,
    )
    context = text_of(header.get("Context"))[:_LONGEST] if operation.context else ""
    return {**made, "Context": context or None}
