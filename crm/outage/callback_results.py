"""What a result does to its callback."""

from datetime import datetime, timedelta

from crm.config import Config
from crm.models import Callback
from crm.outage.comments import joined


def record_result(
    row: Callback,
    *,
    result: str,
    csr: str,
    comment: str,
    settings: Config,
    now: datetime,
    at: datetime | None = None,
) -> bool:
    """Set the result; one that closes closes it, any other lets it go back to the queue later. Saved by the caller.

    `at`: when the call was made, `now` where nobody says. False where the comment would grow over the limit: it is not
    appended, the result is recorded all the same (table 8.1).
    """
    row.result, row.last_update_user, row.result_at = result, csr, at or now
    whole = joined(row.comment, comment)
    fits = not comment or len(whole) <= settings.comment_limit
    if fits:
        row.comment = whole
    if settings.closes(result):
        row.state, row.release_at = Callback.State.CLOSED, None
        row.closed_at = row.closed_at or now
    elif row.state == Callback.State.ASSIGNED:
        row.release_at = now + timedelta(minutes=settings.release_minutes)
    return fits
