"""What the last instance that went well did: its lines, and how long the steps of the drawing took."""

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.admin.flow_story import Step
from integrations.models import Activity, Flow, Instance
from integrations.present import duration

LOOKED_AT = 200  # newest instances among which the last good one is looked for
LINES = 60


@dataclass(frozen=True, slots=True)
class Observed:
    """One instance and its first lines."""

    instance: Instance
    lines: list[Activity]
    more: bool


def last_good(flow: Flow) -> Observed | None:
    """The newest that succeeded, if it is among the flow's newest."""
    newest = flow.instances.order_by("-created_at").values_list("pk", "status")[:LOOKED_AT]
    found = next((key for key, status in newest if status == Instance.Status.SUCCEEDED), None)
    if found is None:
        return None
    instance = Instance.objects.get(pk=found)
    lines = list(instance.activities.select_related("connection").order_by("pk")[: LINES + 1])
    return Observed(instance, lines[:LINES], len(lines) > LINES)


def annotate(steps: Sequence[Step], observed: Observed) -> None:
    """Say at each step how long it took then, and how often it was done."""
    for step in steps:
        lines = [line for line in observed.lines if _is_of(line, *step.key)]
        took = sum(line.duration_ms or 0.0 for line in lines)
        if lines and took:
            times = f" in {len(lines)} times" if len(lines) > 1 else ""
            step.took = f"last time {duration(took)}{times}"


def _is_of(line: Activity, kind: str, name: str) -> bool:
    if not kind or line.kind != kind:
        return False
    if kind == Activity.Kind.MAPPED:
        return line.text.removeprefix("Mapped with ").partition(",")[0] == name
    return not name or line.operation == name
