"""An operator records a callback's result by hand."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from crm.config import Config, config
from crm.models import Callback
from crm.outage.callback_results import record_result
from crm.outage.comments import SEPARATOR
from crm.outage.incident_ends import close_finished
from crm.services.texts import expect_text
from integrations.engine.faults import Conflict, InvalidMessage
from integrations.services.audit import audit


def callback_close(*, callback: Callback, result: str, comment: str, actor: str) -> None:
    """Record the result, whoever has the callback; the comment is appended.

    A result that closes closes it, and its incident with the last of its callbacks; with any other it is called again
    later. InvalidMessage for an unknown result or too long a comment, Conflict where the callback is closed already.
    The instance is up to date afterwards.
    """
    settings, now = config(), timezone.now()
    found = _result(result, settings)
    with transaction.atomic():
        row = _hold(callback.pk)
        said = _comment(row, comment, settings)
        record_result(row, result=found, csr=actor, comment=said, settings=settings, now=now)
        row.save()
        close_finished({row.incident_id}, settings=settings, now=now)
        detail = {"result": found, "closed": row.state == Callback.State.CLOSED}
        audit(actor=actor, action="callback_close", subject=f"callback:{row.pk}", detail=detail)
    callback.refresh_from_db()


def _result(result: str, settings: Config) -> str:
    found = settings.results.find(result)
    if found is None:
        known = ", ".join(settings.results.values())
        raise InvalidMessage(f"{result!r} is no result of a callback", hint=f"It has to be one of {known}.")
    return found


def _hold(key: UUID) -> Callback:
    row = Callback.objects.select_for_update(of=("self",)).filter(pk=key).first()
    if row is None:
        raise Conflict(f"There is no callback {key} any more")
    if row.state == Callback.State.CLOSED:
        raise Conflict(f"Callback {key} is closed already, with result {row.result}")
    return row


def _comment(row: Callback, comment: str, settings: Config) -> str:
    """The comment, if it still fits: a person is told, where a message's would be left out."""
    before = len(row.comment) + len(SEPARATOR) if row.comment else 0
    return expect_text("Comment", comment.strip(), max(settings.comment_limit - before, 0))
