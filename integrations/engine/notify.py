"""Queueing e-mails: outbox rows with a stable id, one an instance, kind and round (contract, "Flows")."""

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from integrations.engine.stream import Kind
from integrations.models import ErrorInstance, Instance, Notification

if TYPE_CHECKING:
    from integrations.engine.context import Run

LONGEST_SUBJECT = 300


def instance_url(instance: Instance) -> str:
    """Where the console shows an instance, as mails link to it."""
    return f"{settings.HUB_URL.rstrip('/')}/admin/integrations/instance/{instance.pk}/change/"


def error_line(instance: Instance) -> list[str]:
    """Where the console shows its error, with what can be done about it; nothing while there is none."""
    error = ErrorInstance.objects.filter(instance=instance.replay_of_id or instance.pk).only("pk").first()
    if error is None:
        return []
    return [
        f"Put it right: {settings.HUB_URL.rstrip('/')}/admin/integrations/errorinstance/{error.pk}/change/"
    ]


def told_about(run: "Run") -> Instance:
    """Whom a mail is about: the instance itself, or the one an error handler was called for."""
    if run.spec.identifier == run.spec.package.error_handler and run.instance.parent is not None:
        return run.instance.parent
    return run.instance


def notify(
    run: "Run", kind: str, *, recipients: str | tuple[str, ...], subject: str, lines: list[str]
) -> Notification:
    """Queue one e-mail; the same instance, kind and round again is the same e-mail.

    `recipients` names properties of the package's Email_ID list; LookupFault where one is missing or no address.
    """
    about = told_about(run)
    named = (recipients,) if isinstance(recipients, str) else recipients
    to = list(dict.fromkeys(address for name in named for address in run.emails.addresses(name)))
    links = [
        *(error_line(about) if kind == Notification.Kind.ERROR else []),
        f"Instance: {instance_url(about)}",
    ]
    held_back = _held_back(about, kind)
    mail = {
        "instance": about,
        "kind": kind,
        "message_id": message_id(f"{about.pk}:{kind}:{about.round}"),
        "sender": run.emails.addresses("from")[0],
        "recipients": to,
        "subject": subject[:LONGEST_SUBJECT],
        "body": "\n".join([*lines, "", *links, ""]),
        "headers": {
            "X-Busbar-Kind": kind,
            "X-Busbar-Flow": about.flow.identifier,
            "X-Busbar-Instance": str(about.pk),
        },
        "state": Notification.State.GIVEN_UP if held_back else Notification.State.PENDING,
        "trouble": held_back,
    }
    with run.claim.writing():  # a late attempt knows less than the one that took over
        row, made = Notification.objects.get_or_create(
            dedupe=f"{about.pk}:{kind}:{about.round}", defaults=mail
        )
    if made and held_back:
        run.stream.warn(f"Mail to {', '.join(to)} held back: {held_back}")
    elif made:
        run.stream.say(Kind.MAILED, f"Mail to {', '.join(to)}: {row.subject}")
    return row


def _held_back(about: Instance, kind: str) -> str:
    """Why one more mail would be one too many: a flow that fails all day must not fill mailboxes."""
    if kind != Notification.Kind.ERROR:
        return ""
    since = timezone.now() - timedelta(hours=1)
    recent = Notification.objects.filter(instance__flow=about.flow, kind=kind, created_at__gte=since)
    sent = recent.exclude(state=Notification.State.GIVEN_UP).count()
    if sent < settings.HUB_ERROR_MAILS_AN_HOUR:
        return ""
    return f"{sent} error mails of {about.flow.identifier} in the last hour (HUB_ERROR_MAILS_AN_HOUR)"


def message_id(dedupe: str) -> str:
    """The Message-ID of a mail: the same for every try, so that a second copy can be told."""
    return f"<{hashlib.sha256(dedupe.encode()).hexdigest()[:32]}@busbar>"
