"""Checking messages against the schemas of a WSDL, as its own files have them."""

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

from lxml import etree

from integrations.adapters.xml_schemas import compile_schema

_SCHEMA = "{http://schemas.xmlsoap.org/wsdl/}types/{http://www.w3.org/2001/XMLSchema}schema"
_OPEN = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace={}>'


class Validator:
    """The schemas of one WSDL."""

    def __init__(self, read: Mapping[Path, bytes]) -> None:
        """`read`: the files that were read for the WSDL; no other is looked at. LxmlError where they are no schemas."""
        files = {str(path): content for path, content in read.items()}
        imports = "".join(
            _refer("import", place, f" namespace={quoteattr(namespace)}" if namespace else "")
            for namespace, place in _add_schemas_inside(files).items()
        )
        parser = _parser()
        parser.resolvers.add(_Files(files))
        whole = f"{_OPEN.format(quoteattr('urn:busbar:all'))}{imports}</xs:schema>"
        self._schema = compile_schema(etree.fromstring(whole, parser))
        self._lock = threading.Lock()

    def reason(self, element: "etree._Element") -> str:
        """Why the element is not valid, in the validator's words; "" where it is."""
        with self._lock:  # a schema keeps the errors of its last validation
            if self._schema.validate(element):
                return ""
            errors: Any = self._schema.error_log
            return next((str(error.message).rstrip(". ") for error in errors), "it is not valid")


class _Files(etree.Resolver):
    """Gives lxml the files that are known, and nothing else."""

    def __init__(self, known: Mapping[str, bytes]) -> None:
        super().__init__()
        self._known = known

    def resolve(  # type: ignore[override]  # the stubs lack the context
        self, system_url: str, public_id: str, context: Any
    ) -> Any:
        """The document asked for, whether or not its URL is escaped; one that is not known is empty: no schema."""
        content = self._known.get(system_url) or self._known.get(unquote(system_url), b"")
        return self.resolve_string(content, context, base_url=system_url)


def _parser() -> Any:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def _add_schemas_inside(files: dict[str, bytes]) -> dict[str, str]:
    """Add the schemas that stand in the WSDL itself to the files, each beside its WSDL: namespace → its place.

    A namespace can be imported only once, so where several schemas are for the same one, another includes them all.
    """
    found: dict[str, list[str]] = {}
    for path, content in list(files.items()):
        for number, node in enumerate(etree.fromstring(content, _parser()).iterfind(_SCHEMA)):
            place = f"{path}.{number}.xsd"
            files[place] = etree.tostring(node)
            found.setdefault(node.get("targetNamespace", ""), []).append(place)
    return {namespace: _one_place(files, namespace, places) for namespace, places in found.items()}


def _one_place(files: dict[str, bytes], namespace: str, places: Iterable[str]) -> str:
    first, *others = places
    if others:
        included = "".join(_refer("include", place) for place in (first, *others))
        whole = f"{_OPEN.format(quoteattr(namespace))}{included}</xs:schema>"
        first = f"{first}.all.xsd"
        files[first] = whole.replace(' targetNamespace=""', "").encode()
    return first


def _refer(how: str, place: str, more: str = "") -> str:
    return f"<xs:{how}{more} schemaLocation={quoteattr(quote(place))}/>"
