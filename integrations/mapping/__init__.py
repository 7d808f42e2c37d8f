"""Mappings: JSONata loaded, compiled, bounded, extended and previewed (design section 3). Knows no Django."""

from integrations.mapping.base import digest, load_base
from integrations.mapping.errors import MappingError
from integrations.mapping.extensions import Extension, Preview, apply_extensions, check_extension, preview
from integrations.mapping.jsonata import check, evaluate
from integrations.mapping.values import JSON

__all__ = [
    "JSON",
    "Extension",
    "MappingError",
    "Preview",
    "apply_extensions",
    "check",
    "check_extension",
    "digest",
    "evaluate",
    "load_base",
    "preview",
]
