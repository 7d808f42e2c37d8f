"""Compiling XML schemas: one at a time in a process.

libxml2 sets up its built-in types with the first schema that is compiled, and not safely: two threads that compile at
the same moment get "Document is not valid XML Schema" for good ones (seen with eight callers of a new web server).
"""

import threading

from lxml import etree

_lock = threading.Lock()


def compile_schema(document: "etree._Element | etree._ElementTree") -> etree.XMLSchema:
    """The schema in this document; etree.XMLSchemaParseError where it is none."""
    with _lock:
        return etree.XMLSchema(document)
