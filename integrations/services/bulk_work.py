"""Working off bulk resubmissions at their rates; the beat does this every second.

An instance's mark and its resubmission are in one transaction, so a process that dies leaves an item either done or
waiting, and two beats at once never send one twice.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction

from integrations.engine.clock import db_now
from integrations.engine.faults import Conflict, Fault
from integrations.models import BulkItem, BulkResubmission, ErrorInstance, Instance
from integrations.services.bulk_overtaken import overtaken_by
from integrations.services.bulk_start import LEAVE_OUT
from integrations.services.instance_resubmit import instance_resubmit

log = structlog.get_logger(__name__)
State, Outcome = BulkResubmission.State, BulkItem.Outcome
AT_ONCE = 200  # instances of one order in one round
TOGETHER = 10  # in one transaction: a commit each would halve the throughput
ORDERS = 20  # orders in one round
DOWN = (OperationalError, InterfaceError)  # the database, not the item
LATE = timedelta(seconds=5)  # what a beat that was away makes up for; the rest of its delay only delays


def bulk_work() -> int:
    """Resubmit what is due of every running order; how many instances."""
    due = BulkResubmission.objects.filter(state=State.RUNNING, next_at__lte=db_now())
    return sum(_work_on(order) for order in due.order_by("next_at")[:ORDERS])


def _work_on(order: BulkResubmission) -> int:
    number = _turn(order, db_now())
    if not number:
        return 0
    waiting = BulkItem.objects.filter(order=order, outcome=Outcome.WAITING)
    rows = list(waiting.select_related("instance__flow").order_by("position")[:number])
    sent = sum(_some(order, rows[at : at + TOGETHER]) for at in range(0, len(rows), TOGETHER))
    if len(rows) < number:
        _finish(order)
    return sent


def _turn(order: BulkResubmission, now: datetime) -> int:
    """How many are due by the order's rate; none where another beat has taken this turn."""
    if order.next_at is None:
        return 0
    gap = timedelta(minutes=1) / order.rate
    since = max(order.next_at, now - LATE)
    number = min(1 + int((now - since) / gap), AT_ONCE)
    mine = BulkResubmission.objects.filter(pk=order.pk, state=State.RUNNING, next_at=order.next_at)
    return number if mine.update(next_at=since + number * gap) else 0


def _some(order: BulkResubmission, items: Sequence[BulkItem]) -> int:
    """Resubmit some in one transaction; a database that fails leaves all of them waiting for the next round."""
    try:
        with transaction.atomic():
            return sum(_taken(order, item) and _sent(order, item) for item in items)
    except DOWN:
        log.warning("bulk_items_left_waiting", order=order.pk, first=items[0].pk, exc_info=True)
        return 0


def _taken(order: BulkResubmission, item: BulkItem) -> bool:
    """Mark it as this beat's, for the length of the transaction, unless it was done, dropped, or its order paused."""
    if not BulkResubmission.objects.filter(pk=order.pk, state=State.RUNNING).exists():
        return False
    mine = BulkItem.objects.filter(
        pk=item.pk, outcome=Outcome.WAITING
    )  # no join: it is looked at again once locked
    return bool(mine.update(outcome=Outcome.RESUBMITTED, at=db_now()))


def _sent(order: BulkResubmission, item: BulkItem) -> bool:
    reason = f"{order.reason} (bulk resubmission {order.pk})".strip()
    try:
        with transaction.atomic():
            _refuse_discarded(order, item)
            _refuse_overtaken(order, item)
            instance_resubmit(
                instance=item.instance,
                actor=order.actor,
                user=order.user,
                from_start=order.from_start,
                reason=reason,
            )
    except DOWN:
        raise
    except Fault as fault:
        _refused(item, fault.text)
        return False
    except Exception as error:  # one that nobody foresaw must not keep the others waiting for ever
        log.exception("bulk_item_failed", order=order.pk, item=item.pk)
        _refused(item, f"{type(error).__name__}: {error}")
        return False
    return True


def _refuse_discarded(order: BulkResubmission, item: BulkItem) -> None:
    """What somebody discarded after the order was made stays so; what was discarded before was meant by it.

    The instance is locked first, as a discard locks it, so that one at this very moment is seen or comes after.
    """
    Instance.objects.select_for_update().only("pk").get(pk=item.instance_id)
    discarded = ErrorInstance.objects.filter(
        instance=item.instance_id,
        state=ErrorInstance.State.DISCARDED,
        settled_at__gt=order.created_at,
    ).first()
    if discarded is not None:
        who = discarded.settled_by or "somebody"
        raise Conflict(f"Left out: {who} discarded it after this order was made")


def _refuse_overtaken(order: BulkResubmission, item: BulkItem) -> None:
    later = overtaken_by(item.instance) if order.selection.get(LEAVE_OUT) else None
    if later is not None:
        raise Conflict(f"Left out: instance {later.pk} succeeded since with the same business key")


def _refused(item: BulkItem, text: str) -> None:
    BulkItem.objects.filter(pk=item.pk).update(outcome=Outcome.REFUSED, text=text[:2000])


def _finish(order: BulkResubmission) -> None:
    if BulkItem.objects.filter(order=order, outcome=Outcome.WAITING).exists():
        return
    running = BulkResubmission.objects.filter(pk=order.pk, state=State.RUNNING)
    running.update(state=State.FINISHED, ended_at=db_now(), next_at=None)
