"""Everything that happened to one thing a person knows by a value: an account, a service point, a file, a ticket.

Each part of the hub that keeps such values is a source of events, newest first and bounded; apps built on the hub
register theirs with `object_source`, as nothing here knows of them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from integrations.models import (
    BusinessKey,
    Client,
    ErrorInstance,
    FileTransfer,
    Flow,
    Instance,
    NetworkLocation,
    Resubmission,
    SyncRequest,
)

MOST = 2_000  # instances looked at of one value: the newest
MOST_PACKAGES = 100


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for: a value, perhaps under one name, and what happened at a time or before."""

    value: str
    name: str = ""
    until: datetime | None = None
    instances: frozenset[UUID] = field(default_factory=frozenset)

    def before(self, column: str) -> dict[str, datetime]:
        """The filter for what happened until then."""
        return {f"{column}__lte": self.until} if self.until else {}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `kind`: which lane it is drawn in; `state`: of the row, as badges have it."""

    at: datetime
    kind: str
    row: Model
    title: str
    state: str = ""
    state_text: str = ""
    text: str = ""
    flow: str = ""

    @property
    def key(self) -> str:
        """Tells events of one moment apart, and orders them."""
        return f"{self.kind}:{self.row.pk}:{self.title}"


Source = Callable[[Sought, int], Iterable[Event]]
_sources: list[tuple[str, Source]] = []


def object_source(label: str, source: Source) -> None:
    """Register a source for the rows of a model (`app.model`): who may view that model sees its events.

    `source(sought, limit)` gives at most `limit` events not after `sought.until`, the newest first.
    """
    if (label, source) not in _sources:
        _sources.append((label, source))


def labels() -> list[str]:
    """The models that are asked."""
    return sorted({label for label, _ in _sources})


@dataclass(frozen=True, slots=True)
class Story:
    """A page of events; `before` is where the next, older one begins; `bounded`: not all instances were looked at."""

    events: list[Event]
    before: str = ""
    bounded: bool = False


def business_object(
    *, value: str, name: str = "", before: str = "", allowed: Iterable[str], limit: int = 100
) -> Story:
    """What happened to this value, newest first, over all sources in `allowed`; `before`: a page's `Story.before`."""
    at, key = _place(before)
    keys = instances_of(value, name)
    sought = Sought(value, name, at, frozenset(keys[:MOST]))
    asked = [source for label, source in _sources if label in set(allowed)]
    events = _older(asked, sought, key, limit + 1)
    more = f"{events[limit - 1].at.isoformat()}~{events[limit - 1].key}" if len(events) > limit else ""
    return Story(events[:limit], more, len(keys) > MOST)


def _older(asked: list[Source], sought: Sought, key: str, wanted: int) -> list[Event]:
    """The newest events behind a place; sources are asked for more where all they gave is of its very moment."""
    number = wanted
    while True:
        found = [list(source(sought, number)) for source in asked]
        every = sorted((event for part in found for event in part), key=_order, reverse=True)
        left = [event for event in every if sought.until is None or _order(event) < (sought.until, key)]
        if len(left) >= wanted or number > MOST or all(len(part) < number for part in found):
            return left[:wanted]
        number *= 4


def _order(event: Event) -> tuple[datetime, str]:
    return (event.at, event.key)


def _place(before: str) -> tuple[datetime | None, str]:
    time, _, key = before.partition("~")
    try:
        at = datetime.fromisoformat(time)
    except ValueError:
        return None, ""
    return (at, key) if at.tzinfo else (None, "")


# -- the hub's own -------------------------------------------------------------------------------------------


def instances_of(value: str, name: str = "") -> list[UUID]:
    """Primary keys of the newest instances known by this value, one more than are looked at."""
    keys = BusinessKey.objects.filter(value=value)
    primary = Instance.objects.filter(primary_key_value=value)
    if name:
        keys, primary = keys.filter(name__iexact=name), primary.filter(primary_key_name__iexact=name)
    found = set(keys.order_by("-instance_id").values_list("instance_id", flat=True)[: MOST + 1])
    found |= set(primary.order_by("-pk").values_list("pk", flat=True)[: MOST + 1])
    if not name:
        found |= set(of_message(value).values_list("pk", flat=True)[:MOST])
    return sorted(found, reverse=True)


def of_message(message_id: str) -> QuerySet[Instance]:
    """Those with this message id. Its index begins with client and flow, so each of these is asked."""
    clients, flows = (list(model.objects.values_list("pk", flat=True)) for model in (Client, Flow))
    known = Q(client_id__in=clients, flow_id__in=flows, message_id=message_id)
    return Instance.objects.filter(known | Q(client=None, flow_id__in=flows, message_id=message_id))


def _instances(sought: Sought, limit: int) -> Iterator[Event]:
    rows = Instance.objects.filter(pk__in=sought.instances, **sought.before("created_at"))
    for row in rows.select_related("flow").order_by("-created_at", "-pk")[:limit]:
        yield Event(
            row.created_at,
            "Instances",
            row,
            row.flow.identifier,
            row.status,
            str(row.get_status_display()),
            "" if row.status == Instance.Status.SUCCEEDED else row.fault_text,
            row.flow.name,
        )


def _errors(sought: Sought, limit: int) -> Iterator[Event]:
    rows = ErrorInstance.objects.filter(instance__in=sought.instances, **sought.before("last_failed_at"))
    for row in rows.select_related("family__flow").order_by("-last_failed_at", "-pk")[:limit]:
        flow = row.family.flow
        yield Event(
            row.last_failed_at,
            "Errors",
            row,
            f"Failed: {flow.identifier}",
            row.state,
            str(row.get_state_display()),
            row.text,
            flow.name,
        )


def _resubmissions(sought: Sought, limit: int) -> Iterator[Event]:
    rows = Resubmission.objects.filter(instance__in=sought.instances, **sought.before("created_at"))
    for row in rows.select_related("instance__flow").order_by("-created_at", "-pk")[:limit]:
        flow = row.instance.flow
        title = f"Resubmitted by {row.actor}: {flow.identifier} (round {row.round})"
        yield Event(row.created_at, "Resubmissions", row.instance, title, text=row.reason, flow=flow.name)


def sync_requests_of(value: str) -> QuerySet[SyncRequest]:
    """Those with this id. The index begins with the package, so each package is asked, of which there are few."""
    packages: list[str] = []
    while len(packages) < MOST_PACKAGES:
        later = SyncRequest.objects.filter(package__gt=packages[-1]) if packages else SyncRequest.objects
        found = later.order_by("package").values_list("package", flat=True).first()
        if found is None:
            break
        packages.append(found)
    return SyncRequest.objects.filter(package__in=packages, sync_request_id=value)


def _sync_requests(sought: Sought, limit: int) -> Iterator[Event]:
    """A sync request is an event when it is noted, sent and acknowledged."""
    by_id = sync_requests_of(sought.value)
    by_record = SyncRequest.objects.filter(external_id=sought.value, **sought.before("noted_at"))
    rows = {row.pk: row for found in (by_id, by_record) for row in found.order_by("-noted_at")[:limit]}
    for row in rows.values():
        named = f"{row.entity} {row.external_id}".strip()
        for at, word in (
            (row.noted_at, "noted"),
            (row.sent_at, "sent"),
            (row.acknowledged_at, "acknowledged"),
        ):
            if at is not None and (sought.until is None or at <= sought.until):
                title = f"Sync request {row.sync_request_id} {word}"
                state = (row.status, str(row.get_status_display())) if word == "acknowledged" else ("", "")
                said = row.message if word == "acknowledged" else named
                yield Event(at, "Sync requests", row, title, *state, said, row.package)


def _transfers(sought: Sought, limit: int) -> Iterator[Event]:
    """By any of a file's names, each by its own index."""
    rows = FileTransfer.objects.filter(**sought.before("created_at")).select_related("source", "target")
    found = (
        row
        for name in FileTransfer.NAMES
        for row in rows.filter(**{name: sought.value}).order_by("-created_at", "-pk")[:limit]
    )
    once = {row.pk: row for row in found}.values()
    for row in sorted(once, key=lambda row: (row.created_at, row.pk), reverse=True)[:limit]:
        way = f"{row.source or 'by URL'} to {row.target}" if row.target else f"{row.source or 'by URL'}"
        state = (row.state, str(row.get_state_display()))
        yield Event(row.created_at, "Files", row, row.source_name, *state, row.trouble or way)


def _locations(sought: Sought, limit: int) -> Iterator[Event]:
    for row in NetworkLocation.objects.filter(service_point_id=sought.value, **sought.before("noted_at"))[:1]:
        text = f"transformer {row.transformer_id or '—'}, feeder {row.feeder_id or '—'}"
        yield Event(row.noted_at, "Network", row, "Network location noted", text=text)


for _label, _source in (
    ("integrations.instance", _instances),
    ("integrations.errorinstance", _errors),
    ("integrations.instance", _resubmissions),
    ("integrations.syncrequest", _sync_requests),
    ("integrations.filetransfer", _transfers),
    ("integrations.networklocation", _locations),
):
    object_source(_label, _source)
