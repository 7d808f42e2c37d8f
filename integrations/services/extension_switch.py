"""Switch a mapping extension off, or on again once it works."""

from django.db import transaction

from integrations.engine.faults import InvalidMessage
from integrations.models import MappingExtension
from integrations.services.audit import audit
from integrations.services.extension_save import extension_save


def extension_deactivate(
    *, extension: MappingExtension, reason: str, actor: str, address: str | None = None
) -> None:
    """Off from the next message on, as a new version; also one that no longer works.

    InvalidMessage without a reason.
    """
    _switch(extension, reason, active=False)
    with transaction.atomic():
        extension.save()
        audit(
            actor=actor,
            action="extension_deactivate",
            subject=f"mappingextension:{extension.pk}",
            detail={
                "mapping": str(extension.mapping),
                "pointer": extension.pointer,
                "reason": extension.reason,
            },
            address=address,
        )


def extension_activate(
    *, extension: MappingExtension, reason: str, actor: str, address: str | None = None
) -> None:
    """On from the next message, as a new version; ExtensionProblems where it does not work any more."""
    _switch(extension, reason, active=True)
    extension_save(extension=extension, actor=actor, address=address, action="extension_activate")


def _switch(extension: MappingExtension, reason: str, *, active: bool) -> None:
    if not reason.strip():
        raise InvalidMessage("Say why: a reason is kept with each version")
    extension.active, extension.reason = active, reason.strip()
