"""Take a mapping extension back to an earlier version, as a new one."""

from typing import Any

from integrations.engine.faults import Conflict, InvalidMessage
from integrations.models import MappingExtension
from integrations.services.extension_save import extension_save

CONTENT = (
    "pointer",
    "expression",
    "sample",
    "position",
    "active",
)  # of a version; the reason is the new one's own


def version_at(extension: MappingExtension, version: int) -> Any:
    """A version by its history id; InvalidMessage where it is not one of this extension's."""
    found = extension.history.filter(history_id=version).first()
    if found is None:
        raise InvalidMessage("This extension has no such version")
    return found


def extension_revert(
    *, extension: MappingExtension, version: int, reason: str, actor: str, address: str | None = None
) -> None:
    """Save the content of an earlier version again, checked against the base as it is now.

    InvalidMessage without a reason; Conflict where nothing would change; ExtensionProblems where it does not work.
    """
    if not reason.strip():
        raise InvalidMessage("Say why: a reason is kept with each version")
    past = version_at(extension, version)
    if all(getattr(past, name) == getattr(extension, name) for name in CONTENT):
        raise Conflict("That version is as the extension is now: there is nothing to revert")
    for name in CONTENT:
        setattr(extension, name, getattr(past, name))
    extension.reason = reason.strip()
    extension_save(extension=extension, actor=actor, address=address, action="extension_revert")
