"""What a bulk resubmission would do, before anything is done: how many, since when, to where, which cannot."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, QuerySet
from django.utils import timezone

from integrations.engine.faults import UnknownFlow
from integrations.engine.registry import spec_for
from integrations.models import Breaker, Connection, ErrorInstance, Flow
from integrations.services.bulk_choice import MOST, REASONS, chosen, number_chosen, resubmittable
from integrations.services.bulk_overtaken import Overtaken, overtaken_among

EXAMPLES = 10
FIRST = 20


@dataclass(frozen=True, slots=True)
class Refused:
    """Errors that cannot be resubmitted for one reason: how many, and some of them."""

    reason: str
    count: int
    examples: list[ErrorInstance]


@dataclass(frozen=True, slots=True)
class Target:
    """A connection the flows would use; `breaker_open`: it is left alone now, so instances would wait."""

    connection: Connection
    breaker_open: bool


@dataclass(frozen=True, slots=True)
class FlowShare:
    """How many of a flow, and which connections it declares."""

    flow: Flow
    count: int
    targets: list[Target]


@dataclass(frozen=True, slots=True)
class Preview:
    """`count` can be resubmitted, of `chosen`; `too_many`: more than one order takes, nothing more was counted."""

    chosen: int
    count: int
    too_many: bool
    oldest: datetime | None
    newest: datetime | None
    flows: list[FlowShare]
    refused: list[Refused]
    overtaken: Overtaken
    first: list[ErrorInstance]


def bulk_preview(*, errors: QuerySet[ErrorInstance], discarded: bool = False) -> Preview:
    """Look at a choice of errors without changing anything; at most 100,000 of them are counted."""
    number = number_chosen(errors)
    if number > MOST:
        return Preview(number, 0, True, None, None, [], [], Overtaken(0, 0), [])
    known = chosen(errors, discarded=discarded)
    by_refusal = {
        row["refusal"]: row
        for row in known.values("refusal").annotate(
            number=Count("pk"), oldest=Min("instance__created_at"), newest=Max("instance__created_at")
        )
    }
    good = by_refusal.pop("", {"number": 0, "oldest": None, "newest": None})
    able = resubmittable(errors, discarded=discarded)
    return Preview(
        chosen=number,
        count=good["number"],
        too_many=False,
        oldest=good["oldest"],
        newest=good["newest"],
        flows=_flows(able),
        refused=[_refused(known, row) for row in by_refusal.values()],
        overtaken=overtaken_among(able) if good["number"] else Overtaken(0, 0),
        first=list(able.select_related("instance__flow")[:FIRST]),
    )


def _refused(known: QuerySet[Any], row: dict[str, Any]) -> Refused:
    examples = known.filter(refusal=row["refusal"]).select_related("instance__flow")[:EXAMPLES]
    return Refused(REASONS[row["refusal"]], row["number"], list(examples))


def _flows(able: QuerySet[Any]) -> list[FlowShare]:
    """The flows concerned, most errors first, each with the connections its code declares."""
    counts = {
        row["instance__flow"]: row["number"]
        for row in able.order_by().values("instance__flow").annotate(number=Count("pk"))
    }
    flows = Flow.objects.in_bulk(list(counts))
    declared = {key: _connections_of(flow) for key, flow in flows.items()}
    targets = _targets({name for names in declared.values() for name in names})
    shares = [
        FlowShare(flow, counts[key], [targets[name] for name in declared[key] if name in targets])
        for key, flow in flows.items()
    ]
    return sorted(shares, key=lambda share: -share.count)


def _connections_of(flow: Flow) -> tuple[str, ...]:
    try:
        return spec_for(flow.identifier).connections
    except UnknownFlow:
        return ()


def _targets(names: set[str]) -> dict[str, Target]:
    opened = set(
        Breaker.objects.filter(open_until__gt=timezone.now()).values_list("connection_id", flat=True)
    )
    return {row.name: Target(row, row.pk in opened) for row in Connection.objects.filter(name__in=names)}
