"""Writing the audit trail."""

from typing import Any

from integrations.models import AuditEntry


def audit(
    *, actor: str, action: str, subject: str, detail: dict[str, Any] | None = None, address: str | None = None
) -> AuditEntry:
    """One entry: who (user or client id), did what (a verb), to what (`model:id`); `detail` holds no secrets."""
    entry = AuditEntry(actor=actor, action=action, subject=subject, detail=detail or {}, address=address)
    entry.save()
    return entry
