"""From bytes to an XML document without trusting them: nothing is fetched, nothing resolved, no DOCTYPE read."""

import codecs
from typing import Any
from xml.parsers import expat

from lxml import etree

STRIDE = 4096
_LONGEST_REASON = 300
_UTF8 = ("", "utf-8", "utf8", "us-ascii")
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class NotXml(ValueError):
    """What came cannot be read as XML here; the text says why."""


class _Doctype(Exception):
    """A DOCTYPE was met."""


class _Root(Exception):
    """The root element was met, behind which no DOCTYPE can stand."""


def parse(content: bytes, charset: str = "") -> "etree._Element":
    """The root element, without comments and processing instructions. NotXml.

    `charset`: the content type's. It counts where it is not UTF-8, which many name without meaning it, and where the
    document has no byte order mark; otherwise the XML declaration does (RFC 7303 section 3.2).
    """
    if not content.strip():
        raise NotXml("The body is empty; a SOAP envelope is expected")
    outer = None if charset.lower() in _UTF8 or content.startswith(_MARKS) else charset
    parser = _parser(outer)
    # Before the parser that builds the tree sees any of it: what a DOCTYPE declares would cost time and memory.
    if _begins_with_doctype(content, outer):
        raise NotXml("A DOCTYPE is not taken")
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        said = str(error).replace(" (<string>, line", " (line")
        raise NotXml(f"The message is not well-formed XML: {said}"[:_LONGEST_REASON]) from None
    about: Any = root.getroottree().docinfo
    if about.doctype or about.internalDTD is not None:  # in an encoding that only the second parser knows
        raise NotXml("A DOCTYPE is not taken")
    return root


def _parser(encoding: str | None) -> etree.XMLParser:
    """One a call: parsers are not shared between threads."""
    try:
        return etree.XMLParser(
            encoding=encoding,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
    except LookupError:
        raise NotXml(f"The charset {str(encoding)[:60]} is not known here; send UTF-8") from None


def _begins_with_doctype(content: bytes, encoding: str | None) -> bool:
    """Whether a DOCTYPE stands before the root; in whatever encoding, behind however long a comment."""
    reader = expat.ParserCreate(encoding)
    reader.StartDoctypeDeclHandler = _met_doctype
    reader.StartElementHandler = _met_root
    try:
        for start in range(0, len(content), STRIDE):
            reader.Parse(content[start : start + STRIDE], False)
    except _Doctype:
        return True
    except (
        _Root,
        expat.ExpatError,
        ValueError,
        LookupError,
    ):  # broken ones are told by the parser that follows
        return False
    return False


def _met_doctype(*_: Any) -> None:
    raise _Doctype


def _met_root(*_: Any) -> None:
    raise _Root
