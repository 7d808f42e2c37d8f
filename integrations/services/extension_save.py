"""Save a site's mapping extension once it compiles and works on its sample."""

from typing import Any

from django.db import transaction

from integrations.engine.faults import fault_of
from integrations.engine.mapper import mapping_functions
from integrations.mapping import MappingError, check, check_extension, evaluate
from integrations.models import MappingExtension
from integrations.services.audit import audit
from lookups.errors import LookupFault


class ExtensionProblems(Exception):
    """The extension would not work; `problems` is field → sentence."""

    def __init__(self, problems: dict[str, str]) -> None:
        """`problems`: never empty."""
        super().__init__("; ".join(problems.values()))
        self.problems = problems


def extension_problems(extension: MappingExtension) -> dict[str, str]:
    """Field → what is wrong with it; {} if it can be saved. Runs it on its sample, where it has one."""
    found: dict[str, str] = {}
    if not extension.reason.strip():
        found["reason"] = "Say why the site needs it"
    if extension.pointer and not extension.pointer.startswith("/"):
        found["pointer"] = "A JSON Pointer begins with /, e.g. /items/*; empty means the whole target"
    try:
        check(extension.expression, functions=mapping_functions())
    except MappingError as error:
        found["expression"] = str(error)
    if not found and extension.sample:
        found |= _tried(extension)
    return found


def _tried(extension: MappingExtension) -> dict[str, str]:
    try:
        extension_preview(extension)
    except (MappingError, LookupFault) as error:
        return {"expression": f"With the sample: {fault_of(error).text}"}
    return {}


def extension_preview(extension: MappingExtension) -> Any:
    """The target the sample becomes, base and this extension applied; MappingError or LookupFault."""
    functions = mapping_functions()
    base = extension.mapping
    target = evaluate(base.expression, extension.sample, functions=functions, name=base.name)
    return check_extension(
        extension.expression,
        extension.pointer,
        target,
        extension.sample,
        functions=functions,
        name=f"extension of {base.name}",
    )


def extension_save(
    *, extension: MappingExtension, actor: str, address: str | None = None
) -> MappingExtension:
    """Check, try, save with history, audit; ExtensionProblems where it would not work."""
    problems = extension_problems(extension)
    if problems:
        raise ExtensionProblems(problems)
    made = extension.pk is None
    with transaction.atomic():
        extension.save()
        audit(
            actor=actor,
            action="extension_create" if made else "extension_change",
            subject=f"mappingextension:{extension.pk}",
            detail={
                "mapping": str(extension.mapping),
                "pointer": extension.pointer,
                "reason": extension.reason,
            },
            address=address,
        )
    return extension
