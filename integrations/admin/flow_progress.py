"""A run as it goes on: what a flow's page asks for while somebody watches, and the values a run was last given."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from integrations.admin.flow_parts import page_of
from integrations.engine.spec import FlowSpec
from integrations.models import Flow, Instance
from integrations.present import between, duration, variant_of

LINES = 100  # in one answer
LOOKED_AT = 50  # newest instances whose parameters are offered again
REMEMBERED = "flow_run"


def progress_of(instance: Instance, after: int) -> dict[str, Any]:
    """The instance's state, and its lines after this one; JSON."""
    rows = list(instance.activities.filter(pk__gt=after).order_by("pk")[:LINES])
    return {
        "status": instance.status,
        "label": str(instance.get_status_display()),
        "variant": variant_of(instance.status),
        "ended": instance.ended,
        "took": between(instance.started_at, instance.ended_at),
        "more": len(rows) == LINES,
        "url": page_of(instance),
        "lines": [
            {
                "id": row.pk,
                "clock": f"{timezone.localtime(row.at):%H:%M:%S}",
                "text": row.text,
                "level": row.level,
                "took": duration(row.duration_ms),
            }
            for row in rows
        ],
    }


def watched(request: HttpRequest, flow: Flow) -> Instance | None:
    """The instance that the page's address names as `run`, if it is one of this flow."""
    try:
        wanted = UUID(request.GET.get("run", ""))
    except ValueError:
        return None
    return Instance.objects.filter(pk=wanted, flow=flow).first()


def remember(request: HttpRequest, flow: Flow, parameters: dict[str, str]) -> None:
    """Keep what this person entered, in their session."""
    kept = dict(request.session.get(REMEMBERED, {}))
    request.session[REMEMBERED] = kept | {str(flow.pk): parameters}


def run_fields(request: HttpRequest, flow: Flow, spec: FlowSpec) -> list[dict[str, Any]]:
    """The form's fields: what this person entered last, else what the flow last ran with; and values to choose from."""
    if not spec.parameters:
        return []
    newest = flow.instances.order_by("-created_at").values_list("parameters", flat=True)[:LOOKED_AT]
    known = [*newest, *flow.schedules.values_list("parameters", flat=True)]
    mine = request.session.get(REMEMBERED, {}).get(str(flow.pk), {})
    fields = []
    for one in spec.parameters:
        values = [str(each[one.name]) for each in known if isinstance(each, dict) and each.get(one.name)]
        value = mine.get(one.name) or next(iter(values), "")
        fields.append({"parameter": one, "value": value, "choices": sorted(set(values))[:20]})
    return fields
