"""Mappings: JSONata loaded, compiled, bounded, extended and previewed (design section 3). Knows no Django."""

from integrations.mapping.base import digest, load_base
from integrations.mapping.beside import Expression, MappingProcesses, Segment
from integrations.mapping.errors import MappingError
from integrations.mapping.extensions import Extension, Preview, apply_extensions, check_extension, preview
from integrations.mapping.jsonata import check, evaluate, evaluate_to_text
from integrations.mapping.values import JSON

__all__ = [
    "JSON",
    "Expression",
    "Extension",
    "MappingError",
    "MappingProcesses",
    "Preview",
    "Segment",
    "apply_extensions",
    "check",
    "check_extension",
    "digest",
    "evaluate",
    "evaluate_to_text",
    "load_base",
    "preview",
]
