"""Adapters: the code that speaks one protocol each, behind two contracts (contract.py)."""

from importlib import import_module

from integrations.adapters.contract import Adapter, Endpoint
from integrations.adapters.errors import Misconfigured

_PLACES = {
    "sftp": "integrations.adapters.sftp:Sftp",
    "ftp": "integrations.adapters.ftp:Ftp",
    "object_storage": "integrations.adapters.object_storage:ObjectStorage",
    "oci_object_storage": "integrations.adapters.oci_storage:OciObjectStorage",
    "rest": "integrations.adapters.rest:Rest",
    "soap": "integrations.adapters.soap:Soap",
    "mail": "integrations.adapters.mail:Mail",
    "memory": "integrations.adapters.memory:Memory",
}


def adapter_names() -> list[str]:
    """The adapters a connection can name; `memory` is for tests and previews."""
    return list(_PLACES)


def adapter_class(name: str) -> type[Adapter]:
    """The adapter's class, imported when first asked for; Misconfigured for an unknown name."""
    if name not in _PLACES:
        raise Misconfigured(f"There is no adapter {name!r}; there are {', '.join(_PLACES)}")
    module, _, attribute = _PLACES[name].partition(":")
    found: type[Adapter] = getattr(import_module(module), attribute)
    return found


def open_adapter(endpoint: Endpoint) -> Adapter:
    """An adapter for this endpoint, not yet connected; use it as a context."""
    return adapter_class(endpoint.adapter)(endpoint)
