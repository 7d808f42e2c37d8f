"""WSDLs compiled once a process: their operations, the types of their messages, and the schemas to check against.

zeep reads the WSDL and resolves its types, lxml compiles its schemas; what goes over the wire is made from these
(soap_message.py) and carried by the hub's own session (soap.py).
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml.etree import LxmlError
from zeep.exceptions import Error as ZeepError
from zeep.settings import Settings
from zeep.wsdl import Document
from zeep.wsdl.bindings import Soap11Binding, Soap12Binding

from integrations.adapters.errors import AdapterError, Misconfigured
from integrations.adapters.soap_message import Translator
from integrations.adapters.soap_schema import Validator
from integrations.adapters.wsdl_folders import shipped_file, wsdl_path

VERSIONS = ("1.1", "1.2")
_BINDINGS = {"1.1": Soap11Binding, "1.2": Soap12Binding}
_SETTINGS = Settings(strict=True, forbid_dtd=True, forbid_entities=True, xml_huge_tree=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its SOAP action, and the elements (zeep's) of its request and answer, None where it has none."""

    name: str
    action: str
    request: Any
    answer: Any


class Wsdl:
    """A compiled WSDL. `operations` by SOAP version, then by name."""

    def __init__(self, name: str, path: Path) -> None:
        """Read the WSDL and all it imports; Misconfigured says what keeps it from being used."""
        shelf = _Shelf(name)
        try:
            document = Document(str(path), shelf, settings=_SETTINGS)  # type: ignore[arg-type]  # load() is all it uses
            self.operations = {version: _operations(document, version) for version in VERSIONS}
            self.validator = Validator(shelf.read)
            self.translator = Translator(document.types)
        except AdapterError:
            raise
        except Exception as error:  # zeep raises whatever a broken WSDL makes it stumble over
            said = error if isinstance(error, ZeepError | LxmlError) else f"{type(error).__name__} {error}"
            raise Misconfigured(f"WSDL {name!r} cannot be read: {said}") from error
        self.files = shelf.stamps


class _Shelf:
    """What zeep takes for its transport: files of the hub's own, never the network."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.read: dict[Path, bytes] = {}
        self.stamps: dict[Path, int] = {}

    def load(self, location: str) -> bytes:
        """The file's bytes, remembered; Misconfigured for any that is not the hub's."""
        path = shipped_file(location, self._name)
        if path not in self.read:
            self.stamps[path] = path.stat().st_mtime_ns  # first: a change after this is seen later
            self.read[path] = path.read_bytes()
        return self.read[path]


_compiled: dict[str, Wsdl] = {}  # by name, which stands for one file for good; finding it takes 0.1 ms
_lock = threading.Lock()


def wsdl_of(name: str) -> Wsdl:
    """The WSDL of this name, compiled when first asked for and when a file of it has changed; Misconfigured."""
    found = _compiled.get(name)
    if found is None or not _as_it_was(found.files):
        with _lock:
            found = _compiled.get(name)
            if found is None or not _as_it_was(found.files):
                found = _compiled[name] = Wsdl(name, wsdl_path(name))
    return found


def _as_it_was(files: Mapping[Path, int]) -> bool:
    try:
        return all(path.stat().st_mtime_ns == stamp for path, stamp in files.items())
    except OSError:
        return False


def _operations(document: Any, version: str) -> dict[str, Operation]:
    """Name → operation, as bindings of this version describe it, else as others do.

    Services speak the version that the WSDL's binding does not have, too: envelope and header differ, no message does.
    """
    bindings = sorted(_bindings(document), key=lambda binding: not isinstance(binding, _BINDINGS[version]))
    found: dict[str, Operation] = {}
    for binding in bindings:
        for operation in binding.all().values():
            if _is_spoken(operation):
                answer = operation.output.body if operation.output is not None else None
                made = Operation(operation.name, operation.soapaction or "", operation.input.body, answer)
                found.setdefault(operation.name, made)
    return found


def _bindings(document: Any) -> Iterator[Any]:
    """The SOAP bindings of the document's services, then any without a service."""
    served = [port.binding for service in document.services.values() for port in service.ports.values()]
    for binding in [*served, *document.bindings.values()]:
        if isinstance(binding, tuple(_BINDINGS.values())):
            yield binding


def _is_spoken(operation: Any) -> bool:
    """Whether it is document/literal with one element each way, which is what can be checked by schema."""
    messages = [operation.input] if operation.output is None else [operation.input, operation.output]
    return operation.style == "document" and all(
        message is not None and getattr(message.body, "is_global", False) for message in messages
    )
