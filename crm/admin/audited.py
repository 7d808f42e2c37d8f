"""Pages of plain rows that people enter: saved as Django saves them, and every change is in the audit trail."""

from typing import Any, TypeVar

from django.db.models import Model
from django.http import HttpRequest

from crm.admin.base import CrmAdmin
from integrations.admin.base import actor_of, address_of, subject_of
from integrations.services.audit import audit

M = TypeVar("M", bound=Model)


class AuditedAdmin(CrmAdmin[M]):
    """Crews, service delivery points, landbase objects: nothing follows from them, so they need no service."""

    actions = None

    def save_model(self, request: HttpRequest, obj: M, form: Any, change: bool) -> None:
        """Saved, and the trail says which of its fields were changed."""
        super().save_model(request, obj, form, change)
        self.trail(request, obj, "change" if change else "add", {"fields": form.changed_data})

    def delete_model(self, request: HttpRequest, obj: M) -> None:
        """Deleted, and the trail says which."""
        self.trail(request, obj, "delete", {"name": str(obj)[:200]})
        super().delete_model(request, obj)

    def trail(self, request: HttpRequest, obj: M, verb: str, detail: dict[str, Any]) -> None:
        """One entry."""
        audit(
            actor=actor_of(request),
            action=f"{self.opts.model_name}_{verb}",
            subject=subject_of(obj)[:200],
            detail=detail,
            address=address_of(request),
        )
