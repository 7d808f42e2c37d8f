"""What people write into the outage model goes out as XML: what that cannot carry is refused where it is written."""

import re

from integrations.engine.faults import InvalidMessage

# What XML 1.0 has no place for, not even escaped.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def plain(value: str) -> str:
    """The text with line ends as XML has them: a browser's form sends others."""
    return value.replace("\r\n", "\n").replace("\r", "\n")


def expect_text(name: str, value: str, limit: int) -> str:
    """The plain text. InvalidMessage where it is too long or has a control character."""
    text = plain(value)
    if len(text) > limit:
        raise InvalidMessage(
            f"{name} has {len(text)} characters, {limit} are the most", hint="Make it shorter."
        )
    if found := _NOT_IN_XML.search(text):
        raise InvalidMessage(
            f"{name} has a control character (U+{ord(found[0]):04X}) at {found.start() + 1}",
            hint="Take it out.",
        )
    return text
