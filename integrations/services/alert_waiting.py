"""What alert rules look for beside errors: what waits too long, is late, is shut off, or is about to expire."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from integrations.engine.breakers import FAULTS_THAT_OPEN
from integrations.engine.faults import UnknownFlow
from integrations.engine.registry import spec_for
from integrations.engine.stands import Stands
from integrations.models import (
    AlertRule,
    Breaker,
    Client,
    Connection,
    ExpectedFile,
    Flow,
    Instance,
    SyncRequest,
    TrustCertificate,
)
from integrations.services.alert_findings import (
    MOST,
    Find,
    Finding,
    families,
    flow_ids,
    listed,
    moment,
    number,
    page,
    threshold,
)
from integrations.services.lateness import late_files, late_schedules, was_due, why_late

MOST_WAITING = 10_000  # rows of a queue counted at most


def overdue(rule: AlertRule, now: datetime, _lasting: set[str]) -> Iterator[Finding]:
    """Packages with at least so many sync requests whose acknowledgement is overdue; one alert a package."""
    rows = SyncRequest.objects.filter(status=SyncRequest.Status.AWAITING, overdue_at__lt=now)
    if flows := flow_ids(rule):
        rows = rows.filter(instance__flow__in=flows)
    found: dict[str, list[datetime]] = {}
    for package, at in rows.order_by("overdue_at").values_list("package", "overdue_at")[:MOST_WAITING]:
        found.setdefault(package, []).append(at)  # type: ignore[arg-type]  # the filter leaves no None
    for package, times in found.items():
        if len(times) >= rule.threshold:
            yield Finding(
                subject=f"package:{package}",
                title=f"{package}: {number(len(times), 'overdue acknowledgement')}",
                text=f"The oldest was due {moment(times[0], rule)}.",
                link=listed("syncrequest", "overdue=yes"),
                count=len(times),
            )


def late(rule: AlertRule, now: datetime, _lasting: set[str]) -> Iterator[Finding]:
    """Schedules that did not start their flow, and expected files that have not come, for so many minutes."""
    before = now - timedelta(minutes=rule.threshold)
    schedules, files = late_schedules(before), late_files().filter(late_since__lte=before)
    if flows := flow_ids(rule):
        schedules, files = schedules.filter(flow__in=flows), files.filter(flow__in=flows)
    for row in schedules.select_related("flow")[:MOST]:
        yield Finding(
            subject=f"schedule:{row.pk}",
            title=f"Late: {row.flow.identifier}, schedule {row.name}",
            text=f"{why_late(row, now)}. It was due {_at(was_due(row, now), rule)}.",
            link=page("schedule", row.pk),
        )
    for file in files.select_related("flow")[:MOST]:
        yield _file(rule, file)


def _file(rule: AlertRule, row: ExpectedFile) -> Finding:
    last = f" The last one came {moment(row.last_seen_at, rule)}." if row.last_seen_at else ""
    return Finding(
        subject=f"expectedfile:{row.pk}",
        title=f"Late: {row.flow.identifier}, file {row.name}",
        text=f"{row.pattern} was expected by {_at(row.late_since, rule)}.{last}",
        link=page("expectedfile", row.pk),
    )


def breakers(rule: AlertRule, _now: datetime, _lasting: set[str]) -> Iterator[Finding]:
    """Connections left alone after faults in a row, until a call goes through."""
    rows = Breaker.objects.filter(failures__gte=FAULTS_THAT_OPEN, open_until__isnull=False)
    names = connection_names(rule)
    if names is not None:
        rows = rows.filter(connection__name__in=names)
    for row in rows.select_related("connection").order_by("pk")[:MOST]:
        yield Finding(
            subject=f"connection:{row.connection_id}",
            title=f"{row.connection.name} does not answer: its breaker is open",
            text=f"{number(row.failures, 'fault')} in a row. Last: {' '.join(row.last_fault.split())[:500]}",
            link=page("connection", row.connection_id),
            count=row.failures,
        )


def expiry(rule: AlertRule, now: datetime, _lasting: set[str]) -> Iterator[Finding]:
    """Certificates and secrets that have expired or will within so many days."""
    until = now + timedelta(days=rule.threshold)
    connections, clients = Connection.objects.all(), Client.objects.filter(enabled=True)
    certificates = TrustCertificate.objects.filter(not_after__lte=until)
    names = connection_names(rule)
    if names is not None:
        connections = connections.filter(name__in=names)
        certificates = certificates.filter(connections__name__in=names).distinct()
        clients = clients.filter(flows__in=flow_ids(rule)).distinct()
    for certificate in certificates.order_by("pk")[:MOST]:
        yield _expiring(
            f"trustcertificate:{certificate.pk}",
            f"Certificate {certificate.alias}",
            (certificate.not_after - now).days,
            f"It is valid until {moment(certificate.not_after, rule)}.",
        )
    for row in connections.filter(secrets_expire_on__lte=until.date()).order_by("pk")[:MOST]:
        days = (row.secrets_expire_on - now.date()).days  # type: ignore[operator]  # the filter leaves no None
        yield _expiring(
            f"connection:{row.pk}", f"The secret of {row.name}", days, "Enter the new one in time."
        )
    for client in clients.filter(secret_expires_on__lte=until.date()).order_by("pk")[:MOST]:
        days = (client.secret_expires_on - now.date()).days  # type: ignore[operator]  # as above
        yield _expiring(
            f"client:{client.pk}",
            f"The secret of client {client.client_id}",
            days,
            "Rotate it with its partner.",
        )


def _expiring(subject: str, what: str, days: int, text: str) -> Finding:
    when = (
        "has expired" if days < 0 else "expires today" if days == 0 else f"expires in {number(days, 'day')}"
    )
    model, _, key = subject.partition(":")
    return Finding(subject=subject, title=f"{what} {when}", text=text, link=page(model, key))


def backlog(rule: AlertRule, now: datetime, _lasting: set[str]) -> Iterator[Finding]:
    """The queue, where the oldest of what is due has waited longer than so many minutes."""
    due = Instance.objects.filter(status__in=["ready", "waiting"], due_at__lte=now)
    if flows := flow_ids(rule):
        due = due.filter(flow__in=flows)
    oldest = due.order_by("due_at").values_list("due_at", flat=True).first()
    if oldest is None or now - oldest <= timedelta(minutes=rule.threshold):
        return
    count = due.order_by()[:MOST_WAITING].count()
    more = " or more" if count == MOST_WAITING else ""
    yield Finding(
        subject="queue:due",
        title=f"The queue is behind: {count:,}{more} due and not begun",
        text=f"The oldest has been due since {moment(oldest, rule)}. Is a worker running?",
        link=listed("instance", "status__in=ready,waiting"),
        count=count,
    )


def connection_names(rule: AlertRule) -> set[str] | None:
    """The connections of the rule's flows; None where it is for every flow."""
    flows = list(rule.flows.all()) if rule.pk else []
    if not flows:
        return None
    return {name for flow in flows for name in _connections(flow)}


def _connections(flow: Flow) -> list[str]:
    """Those its code names, or the clone's own that stand for them."""
    original = flow.clone_of or flow
    try:
        named = spec_for(original.identifier).connections
    except UnknownFlow:
        return []
    stands = Stands.of(flow.stands_for)
    return [stands.connection(name) for name in named]


def _at(time: datetime | None, rule: AlertRule) -> str:
    return moment(time, rule) if time else "at a time that is not known"


FIND: dict[str, Find] = {
    AlertRule.Event.FAMILY: families,
    AlertRule.Event.THRESHOLD: threshold,
    AlertRule.Event.OVERDUE: overdue,
    AlertRule.Event.LATE: late,
    AlertRule.Event.BREAKER: breakers,
    AlertRule.Event.EXPIRY: expiry,
    AlertRule.Event.BACKLOG: backlog,
}
