"""An instance's resubmissions, each with the bulk order it belongs to and the first attempt it led to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from integrations.models import BulkItem, BulkResubmission, Instance, Resubmission

CLOSE = timedelta(minutes=1)  # between a resubmission and its mark in the order


@dataclass(slots=True)
class Resubmitted:
    """One resubmission. `order`: None where it was sent by itself; `attempt`: 0 before a worker took it."""

    row: Resubmission
    attempt: int = 0
    order: BulkResubmission | None = None


def resubmissions_of(instance: Instance, most: int) -> list[Resubmitted]:
    """The newest `most` of them, in their order."""
    rows = instance.resubmissions.select_related("message_before", "message_after")
    newest = list(rows.order_by("-round")[:most])[::-1]
    if not newest:
        return []
    rounds = [row.round for row in newest]
    begun = dict(
        instance.attempts.filter(round__in=rounds).order_by("-number").values_list("round", "number")
    )  # the last one written stays: the first of its round
    found = [Resubmitted(row, begun.get(row.round, 0)) for row in newest]
    _in_orders(instance, found, most)
    return found


def _in_orders(instance: Instance, found: Sequence[Resubmitted], most: int) -> None:
    """Each item that was sent is the nearest resubmission's in time, by the same person."""
    sent = BulkItem.objects.filter(instance=instance, outcome=BulkItem.Outcome.RESUBMITTED, at__isnull=False)
    for item in sent.select_related("order").order_by("-at")[:most]:
        at = item.at
        if at is None:
            continue
        near = [(abs(one.row.created_at - at), one.row.round, one) for one in found if _fits(one, item)]
        if near and (best := min(near, key=lambda each: each[:2]))[0] <= CLOSE:
            best[2].order = item.order


def _fits(one: Resubmitted, item: BulkItem) -> bool:
    return one.order is None and one.row.actor == item.order.actor
