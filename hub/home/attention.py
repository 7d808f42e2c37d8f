"""The figures that may ask for a person, each with the model whose permission shows it."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db.models import Count
from django.utils import timezone

from hub.home.figures import Figure, capped, listed
from hub.home.late import Late, late_figures
from integrations.models import (
    Alert,
    Breaker,
    BulkResubmission,
    Client,
    Connection,
    MissingValue,
    Notification,
    SyncRequest,
    TrustCertificate,
)
from lookups.services.conflicts import open_conflicts

EXPIRES_WITHIN = timedelta(days=30)
State = BulkResubmission.State
Labelled = tuple[str, Figure]


def attention(at: datetime, late: list[Late]) -> Iterator[Labelled]:
    """All but errors and the queue, which have sections of their own; the most pressing first."""
    yield _breakers(at)
    yield from late_figures(late)
    yield _overdue(at)
    yield _missing()
    yield _conflicts()
    yield from _bulk()
    yield _alerts()
    yield from _expiring(at)
    yield _mails()


def _breakers(at: datetime) -> Labelled:
    rows = Breaker.objects.filter(open_until__gt=at).order_by("connection__name")
    found = list(rows.values_list("connection_id", "connection__name"))
    link = listed("integrations.connection", id__in=",".join(str(key) for key, _ in found) or "0")
    names = ", ".join(name for _, name in found)
    return "integrations.connection", Figure("Open breakers", len(found), link, "bad" if found else "", names)


def _overdue(at: datetime) -> Labelled:
    number, more = capped(SyncRequest.objects.filter(status="awaiting", overdue_at__lt=at))
    link = listed("integrations.syncrequest", status__exact="awaiting", overdue_at__lt=at)
    return "integrations.syncrequest", Figure(
        "Overdue acknowledgements", number, link, "warn" if number else "", more=more
    )


def _missing() -> Labelled:
    number, more = capped(MissingValue.objects.filter(settled_at__isnull=True))
    link = listed("integrations.missingvalue", settled_at__isnull=True)
    return "integrations.missingvalue", Figure(
        "Missing lookup values", number, link, "warn" if number else "", more=more
    )


def _conflicts() -> Labelled:
    """Rows of lookups that a package and a site have both changed."""
    number = sum(open_conflicts().values())
    return "lookups.rowconflict", Figure(
        "Lookup merge conflicts", number, listed("lookups.rowconflict"), "warn" if number else ""
    )


def _bulk() -> Iterator[Labelled]:
    live = [State.AWAITING, State.RUNNING, State.PAUSED]
    rows = BulkResubmission.objects.filter(state__in=live).order_by().values_list("state")
    number = Counter(dict(rows.annotate(number=Count("pk"))))
    label, awaiting, paused = "integrations.bulkresubmission", number[State.AWAITING], number[State.PAUSED]
    yield (
        label,
        Figure(
            "Bulk resubmissions to approve",
            awaiting,
            listed(label, state__exact=State.AWAITING),
            "warn" if awaiting else "",
            "they wait for a second person" if awaiting else "",
        ),
    )
    yield (
        label,
        Figure(
            "Bulk resubmissions under way",
            number[State.RUNNING] + paused,
            listed(label, state__in=f"{State.RUNNING},{State.PAUSED}"),
            "warn" if paused else "",
            f"{paused} paused" if paused else "",
        ),
    )


def _alerts() -> Labelled:
    number, more = capped(Alert.objects.filter(ended_at__isnull=True))
    link = listed("integrations.alert", ended_at__isnull=True)
    return "integrations.alert", Figure("Open alerts", number, link, "warn" if number else "", more=more)


def _expiring(at: datetime) -> Iterator[Labelled]:
    """Certificates, connections' secrets and clients' secrets that end within 30 days, or have ended."""
    until, today = at + EXPIRES_WITHIN, timezone.localdate(at)
    last = today + EXPIRES_WITHIN
    ends = TrustCertificate.objects.filter(not_after__lt=until).values_list("alias", "not_after")
    yield (
        "integrations.trustcertificate",
        _ending(
            "Certificates expiring in 30 days",
            [(name, timezone.localdate(moment)) for name, moment in ends],
            listed("integrations.trustcertificate", not_after__lt=until),
            today,
        ),
    )
    secrets = Connection.objects.filter(secrets_expire_on__lt=last).values_list("name", "secrets_expire_on")
    yield (
        "integrations.connection",
        _ending(
            "Connection secrets expiring in 30 days",
            [(name, day) for name, day in secrets if day],
            listed("integrations.connection", secrets_expire_on__lt=last),
            today,
        ),
    )
    log_ins = Client.objects.filter(enabled=True, secret_expires_on__lt=last)
    yield (
        "integrations.client",
        _ending(
            "Client secrets expiring in 30 days",
            [(name, day) for name, day in log_ins.values_list("client_id", "secret_expires_on") if day],
            listed("integrations.client", enabled__exact=1, secret_expires_on__lt=last),
            today,
        ),
    )


def _ending(title: str, ends: list[tuple[str, date]], link: str, today: date) -> Figure:
    """The figure, with the soonest's name and day; red once one has ended."""
    if not ends:
        return Figure(title, 0, link)
    name, day = min(ends, key=lambda end: end[1])
    over = day < today
    note = f"{name} {'ended' if over else 'ends'} {day.isoformat()}"
    return Figure(title, len(ends), link, "bad" if over else "warn", note)


def _mails() -> Labelled:
    number, more = capped(Notification.objects.filter(state__in=["pending", "sending"]))
    link = listed("integrations.notification", state__in="pending,sending")
    return "integrations.notification", Figure("Mails to send", number, link, more=more)
