"""Sending the outbox: each mail claimed, sent, recorded; back-off while the mail server is down."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet

from integrations.adapters import open_adapter
from integrations.adapters.contract import Endpoint, Mailer
from integrations.adapters.errors import AdapterError, NotPermitted
from integrations.engine.clock import db_now
from integrations.engine.connections import connection_endpoint
from integrations.engine.crash import crash
from integrations.models import Connection, Notification

log = structlog.get_logger(__name__)
State = Notification.State
CLAIM_SECONDS = 120
LONGEST_WAIT = 600
MOST_REFUSALS = 5
GIVE_UP_AFTER = timedelta(days=3)


def mail_endpoint() -> Endpoint:
    """The mail connection if one is set up, else EMAIL_URL."""
    row = Connection.objects.filter(adapter="mail").order_by("pk").first()
    if row is not None:
        return connection_endpoint(row)
    return Endpoint(
        name="EMAIL_URL",
        adapter="mail",
        settings={
            "host": settings.EMAIL_HOST,
            "port": settings.EMAIL_PORT,
            "user": settings.EMAIL_HOST_USER or "",
            "tls": "tls" if settings.EMAIL_USE_SSL else "starttls" if settings.EMAIL_USE_TLS else "none",
        },
        secrets={"password": settings.EMAIL_HOST_PASSWORD or ""},
        connect_timeout=float(settings.EMAIL_TIMEOUT),
        read_timeout=float(settings.EMAIL_TIMEOUT),
    )


def send_due(limit: int = 50, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """Send what is due, oldest first; how many went out. One that is refused does not block the next.

    `stopping` is asked before each: a mail server that says nothing must not hold up the end of the process.
    """
    due = Notification.objects.filter(
        Q(state=State.PENDING) | Q(state=State.SENDING), next_try_at__lte=db_now()
    ).order_by("next_try_at")[:limit]
    rows = list(due)
    if not rows:
        return 0
    endpoint = mail_endpoint()
    return sum(_send(endpoint, row) for row in rows if not stopping() and _take(row))


def _take(row: Notification) -> bool:
    """Claim a mail; one found in SENDING may have gone out before its sender died: marked as such."""
    maybe = row.state == State.SENDING
    return bool(
        Notification.objects.filter(pk=row.pk, state=row.state, tries=row.tries).update(
            state=State.SENDING,
            tries=F("tries") + 1,
            maybe_twice=maybe or row.maybe_twice,
            next_try_at=db_now() + timedelta(seconds=CLAIM_SECONDS),
        )
    )


def _send(endpoint: Endpoint, row: Notification) -> bool:
    try:
        with open_adapter(endpoint) as mailer:
            if not isinstance(mailer, Mailer):
                raise AdapterError(f"Connection {endpoint.name!r} sends no mail")
            mailer.send(
                sender=row.sender,
                recipients=list(row.recipients),
                subject=row.subject,
                body=row.body,
                headers={**row.headers, "Message-ID": row.message_id},
            )
    except AdapterError as error:
        _put_back(row, error)
        return False
    crash("mail_sent_unsaved")
    _mine(row).update(state=State.SENT, sent_at=db_now(), trouble="")
    return True


def _mine(row: Notification) -> QuerySet[Notification]:
    """The row, if nobody took it over meanwhile because this sender was silent for too long."""
    return Notification.objects.filter(pk=row.pk, state=State.SENDING, tries=row.tries + 1)


def _put_back(row: Notification, error: AdapterError) -> None:
    """Again later; given up after three days of a server that is down, or at once where it says never.

    A server that took it for some recipients only has taken it: a repeat would reach those twice.
    """
    tries = row.tries + 1
    partly = isinstance(error, NotPermitted) and error.sent
    over = db_now() - row.created_at > GIVE_UP_AFTER or (not error.passing and tries >= MOST_REFUSALS)
    _mine(row).update(
        state=State.SENT if partly else State.GIVEN_UP if over else State.PENDING,
        trouble=f"{error.text}: {error.detail}" if error.detail else error.text,
        next_try_at=db_now() + timedelta(seconds=min(2.0**tries, LONGEST_WAIT)),
        maybe_twice=row.maybe_twice or (error.sent and not partly),
    )
    log.warning("mail_not_sent", notification=row.pk, error=error.text, given_up=over)
