"""What a flow's page shows: words, drawing, figures, what to enter at the edge, schedules, a run under way."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.admin.flow_drawing import drawing
from integrations.admin.flow_edge import sheet_of
from integrations.admin.flow_numbers import ROWS, Span, numbers_of
from integrations.admin.flow_observed import annotate, last_good
from integrations.admin.flow_parts import Parts
from integrations.admin.flow_progress import progress_of, run_fields, watched
from integrations.admin.flow_story import story_of
from integrations.admin.listed import listed
from integrations.engine.faults import UnknownFlow
from integrations.engine.registry import spec_for
from integrations.engine.spec import FlowSpec
from integrations.engine.tracing import effective_tracing
from integrations.models import Flow, Instance
from integrations.present import in_words
from integrations.services.flow_counts import ERRORS, SUCCESS
from integrations.services.flow_switch import flow_problems
from integrations.services.schedule_save import next_times

RECENT = 8


def flow_context(request: HttpRequest, row: Flow) -> dict[str, Any]:
    """All of the page but what it says of clones."""
    run = watched(request, row) if request.user.has_perm("integrations.view_instance") else None
    numbers = numbers_of(row)
    shared: dict[str, Any] = {
        "title": row.identifier,
        "schedules": _schedules(row),
        "tracing_levels": Flow.Tracing.choices,
        "tracing_now": effective_tracing(row),
        "recent": _recent(row),
        "numbers": numbers,
        "spans": [
            _span(row, "Last 24 hours", numbers.day),
            _span(row, "Last 7 days", numbers.week),
        ],
        "counted_rows": ROWS,
        "run": progress_of(run, 0) if run else None,
        "run_id": run.pk if run else "",
    }
    try:
        spec = spec_for(row.identifier)
    except UnknownFlow:
        return shared
    return shared | _of_code(request, row, spec)


def _of_code(request: HttpRequest, row: Flow, spec: FlowSpec) -> dict[str, Any]:
    parts = Parts(spec, row)
    steps, observed = story_of(spec, parts), last_good(row)
    if observed:
        annotate(steps, observed)
    return {
        "spec": spec,
        "steps": steps,
        "drawing": drawing(steps, spec.name),
        "observed": observed,
        "sheet": sheet_of(spec, row),
        "connections": [{"name": name, "row": parts.connections.get(name)} for name in spec.connections],
        "lookups": [{"name": name, "row": parts.lookup_row(name)} for name in spec.lookups],
        "mappings": parts.mappings.values(),
        "problems": flow_problems(row),
        "by_hand": spec.trigger.kind == "schedule",
        "run_fields": run_fields(request, row, spec),
    }


def _span(row: Flow, title: str, span: Span) -> dict[str, Any]:
    """A line of figures, and the list behind them."""
    return {
        "title": title,
        "of": span,
        "list": listed(Instance, flow__id__exact=row.pk, created_at__gte=span.since),
        "good": ",".join(SUCCESS),
        "bad": ",".join(ERRORS),
    }


def _recent(row: Flow) -> QuerySet[Instance]:
    return row.instances.order_by("-created_at")[:RECENT]


def _schedules(row: Flow) -> list[dict[str, Any]]:
    rows = row.schedules.all()
    return [{"row": item, "times": in_words(next_times(item)) if item.enabled else []} for item in rows]
