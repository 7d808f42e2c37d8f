"""Ordering a bulk resubmission: the choice is written down as it is now, in the order of arrival."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from integrations.engine.clock import db_now
from integrations.engine.faults import Conflict, InvalidMessage
from integrations.engine.leadership import queue_up
from integrations.models import BulkItem, BulkResubmission, ErrorInstance
from integrations.services.audit import audit
from integrations.services.bulk_choice import MOST, refuse_too_many, resubmittable

FASTEST = 6_000  # instances a minute
LEAVE_OUT = "leave_out"  # in the selection: whether those that a later success has overtaken are left out


def bulk_start(
    *,
    errors: QuerySet[ErrorInstance],
    selection: dict[str, Any],
    title: str,
    rate: int,
    actor: str,
    user: AbstractBaseUser | None = None,
    reason: str = "",
    from_start: bool = False,
    discarded: bool = False,
) -> BulkResubmission:
    """Write the order with those of the errors that can be resubmitted now; the beat works it off.

    `rate`: instances a minute. More than HUB_APPROVE_ABOVE of them wait for a second person. InvalidMessage for a
    rate that cannot be, Conflict where there is nothing to send or more than 100,000 are chosen.
    """
    if not 1 <= rate <= FASTEST:
        raise InvalidMessage(f"The rate is {rate}; it can be 1 to {FASTEST} instances a minute")
    refuse_too_many(errors)
    with transaction.atomic():
        queue_up("bulk orders")  # of two at once the second sees what the first has taken
        order = BulkResubmission.objects.create(
            selection=selection,
            title=title[:300],
            reason=reason,
            from_start=from_start,
            rate=rate,
            state=BulkResubmission.State.AWAITING,
            actor=actor,
            user_id=user.pk if user else None,
        )
        order.total = _write_items(order, resubmittable(errors, discarded=discarded))
        if order.total == 0:
            raise Conflict("None of these errors can be resubmitted now")
        _release(order)
        audit(
            actor=actor,
            action="bulk_resubmit",
            subject=f"bulkresubmission:{order.pk}",
            detail={"selection": selection, "total": order.total, "rate": rate, "state": order.state},
        )
    return order


def _write_items(order: BulkResubmission, able: QuerySet[Any]) -> int:
    """One INSERT … SELECT, so that a hundred thousand pass through no process's memory; how many."""
    place = Window(RowNumber(), order_by=[F("instance__created_at").asc(), F("instance_id").asc()])
    rows = able.order_by("instance__created_at", "instance_id").annotate(place=place)
    select, parameters = rows.values_list("instance_id", "place")[:MOST].query.sql_with_params()
    quote, fields = connection.ops.quote_name, BulkItem._meta
    names = [quote(str(fields.get_field(name).column)) for name in ("order", "outcome", "text")]  # type: ignore[union-attr]
    chosen = [quote(str(fields.get_field(name).column)) for name in ("instance", "position")]  # type: ignore[union-attr]
    into = ", ".join([*names, *chosen])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(fields.db_table)} ({into}) SELECT %s, %s, '', found.* FROM ({select}) AS found",  # noqa: S608  (names of our own tables)
            [order.pk, BulkItem.Outcome.WAITING, *parameters],
        )
        written: int = cursor.rowcount
    return written


def _release(order: BulkResubmission) -> None:
    """Running at once, unless it is so large that a second person has to agree."""
    if not 0 < settings.HUB_APPROVE_ABOVE < order.total:
        order.state = BulkResubmission.State.RUNNING
        order.started_at = order.next_at = db_now()
    order.save(update_fields=["total", "state", "started_at", "next_at"])
