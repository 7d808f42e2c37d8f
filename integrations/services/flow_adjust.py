"""What a site decides of a flow beside its switch: how long payloads are kept, when an acknowledgement is overdue."""

from django.db import transaction

from integrations.models import Flow
from integrations.services.audit import audit

FIELDS = ("retention_days", "acknowledgement_hours")


def flow_adjust(*, flow: Flow, actor: str, address: str | None = None) -> Flow:
    """Save the days payloads are kept and the hours an acknowledgement may take, with history; nothing else of it."""
    was = Flow.objects.values(*FIELDS).get(pk=flow.pk)
    changed = {name: getattr(flow, name) for name in FIELDS if getattr(flow, name) != was[name]}
    if not changed:
        return flow
    with transaction.atomic():
        flow.save(update_fields=[*changed, "updated_at"])
        audit(
            actor=actor,
            action="flow_adjust",
            subject=f"flow:{flow.pk}",
            detail=changed | {"was": {name: was[name] for name in changed}},
            address=address,
        )
    return flow
