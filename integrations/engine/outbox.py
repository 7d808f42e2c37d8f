"""Sending the outbox: each mail claimed, sent, recorded; back-off while the mail server is down."""

from collections.abc import Callable

import structlog
from django.conf import settings

from integrations.adapters import open_adapter
from integrations.adapters.contract import Endpoint, Mailer
from integrations.adapters.errors import AdapterError, NotPermitted
from integrations.engine.connections import connection_endpoint
from integrations.engine.crash import crash
from integrations.engine.outbox_rows import after_failure, due_rows, mine, sent, take
from integrations.models import Connection, Notification

log = structlog.get_logger(__name__)
State = Notification.State


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
    rows = due_rows(Notification.objects.all(), limit)
    if not rows:
        return 0
    endpoint = mail_endpoint()
    return sum(_send(endpoint, row) for row in rows if not stopping() and _take(row))


def send_now(row: Notification) -> bool:
    """Send this one, whoever's turn it is; False where it did not go out or another sender has it."""
    return _take(row) and _send(mail_endpoint(), row)


def _take(row: Notification) -> bool:
    """Claim a mail; one found in SENDING may have gone out before its sender died: marked as such."""
    return take(row, maybe_twice=row.state == State.SENDING or row.maybe_twice)


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
    sent(row)
    return True


def _put_back(row: Notification, error: AdapterError) -> None:
    """Again later, or given up.

    A server that took it for some recipients only has taken it: a repeat would reach those twice.
    """
    partly = isinstance(error, NotPermitted) and error.sent
    later = after_failure(row, passing=error.passing)
    if partly:
        later["state"] = State.SENT
    mine(row).update(
        **later,
        trouble=f"{error.text}: {error.detail}" if error.detail else error.text,
        maybe_twice=row.maybe_twice or (error.sent and not partly),
    )
    log.warning(
        "mail_not_sent", notification=row.pk, error=error.text, given_up=later["state"] == State.GIVEN_UP
    )
