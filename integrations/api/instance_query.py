"""What monitoring/instances is asked for: criteria that an index serves, and a bound for the others."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Concat
from django.utils import timezone

from integrations.api.criteria import SPAN, number_of, one_of, within
from integrations.api.errors import BadRequest
from integrations.api.monitoring import project_packages
from integrations.api.paging import COUNTED
from integrations.api.shapes import OIC_STATUS
from integrations.models import BulkItem, BusinessKey, DueRun, Flow, Instance

Rows = QuerySet[Instance]
RUNS = (Instance.Cause.SCHEDULE, Instance.Cause.MANUAL)
LONGEST = 10 * 365 * 24 * 3600 * 1000  # milliseconds


def took() -> Any:
    """How long an instance has run, so far or in all; NULL before its start."""
    return ExpressionWrapper(
        Coalesce("ended_at", Value(timezone.now())) - F("started_at"), output_field=DurationField()
    )


@dataclass
class InstanceQuery:
    """The rows asked for. `branches` share them out between them, each in an order that an index has.

    `exact`: false where only the newest COUNTED rows were looked at, as no index serves what is asked.
    """

    rows: Rows
    branches: list[dict[str, Any]] = field(default_factory=list)
    exact: bool = True

    @property
    def parts(self) -> list[Rows]:
        """The rows of each branch."""
        return [self.rows.filter(**branch) for branch in self.branches] or [self.rows]

    def newest(self) -> "InstanceQuery":
        """The newest COUNTED rows of each branch, or fewer: the most that is sorted, grouped or searched through."""
        edges = [
            part.order_by("-created_at", "-pk").values_list("created_at", flat=True) for part in self.parts
        ]
        found = [edge for part in edges for edge in part[COUNTED - 1 : COUNTED]]
        if not found:
            return self
        return InstanceQuery(self.rows.filter(created_at__gte=max(found)), self.branches, exact=False)

    def sorted_by(self, value: Any) -> list[uuid.UUID]:
        """The keys of the newest rows, the highest value first; those without one come last."""
        rows: list[tuple[Any, uuid.UUID]] = []
        for part in self.newest().parts:
            rows += part.order_by().annotate(sorted_by=value).values_list("sorted_by", "pk")
        rows.sort(key=lambda row: (row[0] is not None, row[0] or 0, row[1]), reverse=True)
        return [key for _, key in rows]


def asked_for(rows: Rows, criteria: Mapping[str, str], client: int | None = None) -> InstanceQuery:
    """Those of `rows` that fit the criteria; with `client`, those that this client sent."""
    rows = rows.filter(within(criteria, "created_at"))
    for name, condition in _INDEXED.items():
        if name in criteria:
            rows = rows.filter(condition(criteria[name]))
    # Under these names a column is a condition that no index is chosen for.
    rows = rows.alias(
        plain_flow=F("flow_id") + 0,
        plain_client=F("client_id") + 0,
        plain_status=Concat("status", Value("")),
    )
    query = InstanceQuery(rows, _branches(criteria, client))
    searched = set(_SEARCHED) & set(criteria)
    if searched == {"includePurged"} and criteria["includePurged"] == "yes":
        return query
    if searched and not _FEW & set(criteria):
        query = query.newest()
    for name, narrow in _SEARCHED.items():
        if name in criteria:
            query.rows = narrow(query.rows, criteria[name])
    return query


def _branches(criteria: Mapping[str, str], client: int | None) -> list[dict[str, Any]]:
    """A filter for each flow and status that is meant, none where neither is."""
    flows, states = _flows(criteria), _states(criteria)
    if flows == [] or states == []:
        return [{"pk__in": []}]
    flows_or_any: Sequence[int | None] = flows or [None]
    states_or_any: Sequence[str | None] = states or [None]
    pairs = [(flow, state) for flow in flows_or_any for state in states_or_any]
    found = [_narrowest(flow, state, client) for flow, state in pairs]
    return [branch for branch in found if branch]


def _narrowest(flow: int | None, state: str | None, client: int | None) -> dict[str, Any]:
    """By the index that leaves least to look through: nearly all succeed, so what does not is few, whosever it is."""
    rare = state not in (None, Instance.Status.SUCCEEDED)
    branch: dict[str, Any] = {}
    if state is not None:
        alone = flow is None and client is None
        branch["status" if rare or alone else "plain_status"] = state
    if flow is not None:
        branch["plain_flow" if rare else "flow"] = flow
    if client is not None:
        branch["plain_client" if rare or flow is not None else "client"] = client
    return branch


def _flows(criteria: Mapping[str, str]) -> list[int] | None:
    if not {"code", "projectCode"} & set(criteria):
        return None
    rows = Flow.objects.all()
    if "code" in criteria:
        rows = rows.filter(identifier__iexact=criteria["code"])
    if "projectCode" in criteria:
        rows = rows.filter(package__in=project_packages(criteria["projectCode"]))
    return list(rows.values_list("pk", flat=True))


def _states(criteria: Mapping[str, str]) -> list[str] | None:
    if not {"status", "state"} & set(criteria):
        return None
    states = set(Instance.Status.values)
    if "status" in criteria:
        word = one_of("status", criteria["status"].upper(), sorted(set(OIC_STATUS.values())))
        states &= {state.value for state, oic in OIC_STATUS.items() if oic == word}
    if "state" in criteria:
        states &= {one_of("state", criteria["state"], Instance.Status.values)}
    return sorted(states)


def id_of(name: str, value: str) -> uuid.UUID:
    """An instance's id; BadRequest for what is none."""
    try:
        return uuid.UUID(value)
    except ValueError:
        raise BadRequest(f"{name} is {value[:40]!r}, which is no instance id") from None


def with_key(value: str, instance: str = "pk") -> Q:
    """Instances with a business key of this value; `instance` is the column that names them."""
    return Q(**{f"{instance}__in": BusinessKey.objects.filter(value=value).values("instance")})


def with_other_key(value: str, instance: str = "pk") -> Q:
    """OIC's secondary and tertiary trackings: any key that is not the primary one."""
    others = BusinessKey.objects.filter(value=value).exclude(
        instance__primary_key_name=F("name"), instance__primary_key_value=F("value")
    )
    return Q(**{f"{instance}__in": others.values("instance")})


def _by_purged(rows: Rows, value: str) -> Rows:
    one_of("includePurged", value, ("yes", "no", "onlyPurged"))
    return rows if value == "yes" else rows.filter(purged_at__isnull=value == "no")


def _by_duration(rows: Rows, value: str) -> Rows:
    milliseconds = number_of("minDuration", value)
    if milliseconds > LONGEST:
        raise BadRequest(f"minDuration is {value[:40]!r}; it counts milliseconds, {LONGEST} at most")
    return rows.alias(took=took()).filter(took__gte=timedelta(milliseconds=milliseconds))


_INDEXED: dict[str, Callable[[str], Q]] = {
    "primaryValue": lambda value: Q(primary_key_value=value),
    "secondaryValue": with_other_key,
    "tertiaryValue": with_other_key,
    "businessIDValue": with_key,
    "id": lambda value: Q(pk=id_of("id", value)),
    "runId": lambda value: Q(pk=id_of("runId", value), cause__in=RUNS),
    "requestId": lambda value: Q(
        pk__in=DueRun.objects.filter(schedule=number_of("requestId", value)).values("instance")
    ),
    "jobid": lambda value: Q(
        pk__in=BulkItem.objects.filter(order=number_of("jobid", value)).values("instance")
    ),
    "parentInstanceId": lambda value: Q(parent_id=id_of("parentInstanceId", value)),
}
_SEARCHED: dict[str, Callable[[Rows, str], Rows]] = {
    "version": lambda rows, value: rows.filter(flow_version=value),
    "includePurged": _by_purged,
    "minDuration": _by_duration,
}
_KEYS = {"primaryValue", "secondaryValue", "tertiaryValue", "businessIDValue"}
# Criteria that leave so few rows that the searched ones may be put to all of them.
_FEW = _KEYS | {"id", "runId", "jobid", "parentInstanceId"}
CRITERIA = frozenset({*_INDEXED, *_SEARCHED, *SPAN, "code", "projectCode", "status", "state"})
