"""Which errors of a choice can be resubmitted, in SQL: the same answers as `resubmit_refusal`, for many at once."""

from typing import Any

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When

from integrations.engine.faults import Conflict
from integrations.models import BulkItem, BulkResubmission, ErrorInstance, Instance

MOST = 100_000  # instances of one order
State, Status = ErrorInstance.State, Instance.Status
UNFINISHED = (
    BulkResubmission.State.AWAITING,
    BulkResubmission.State.RUNNING,
    BulkResubmission.State.PAUSED,
)
REASONS = {
    "recovered": "It has recovered.",
    "under way": "It was resubmitted, and its end is not known yet.",
    "discarded": "It was discarded. Choose discarded errors by their state, if they are meant.",
    "purged": "Its payloads are purged.",
    "child": "It is a child: resubmit its parent.",
    "replay": "It is a replay: resubmit what it replays.",
    "ordered": "It waits in another bulk resubmission.",
    "file": "It cannot be replayed: its file was not kept.",
    "at work": "Its instance is at work, or waits to be.",
    "no error": "Its instance is not in error any more.",
}


def number_chosen(errors: QuerySet[ErrorInstance]) -> int:
    """How many errors the choice has, counted up to MOST + 1, so that a choice of millions costs no more."""
    return errors.order_by().values("pk")[: MOST + 1].count()


def refuse_too_many(errors: QuerySet[ErrorInstance]) -> None:
    """Conflict where the choice has more errors than one order takes; asked before anything is computed of each."""
    if number_chosen(errors) > MOST:
        raise Conflict(f"More than {MOST:,} errors are chosen: narrow the choice")


def chosen(errors: QuerySet[ErrorInstance], *, discarded: bool = False) -> QuerySet[Any]:
    """The errors, each with `refusal`: a key of REASONS, or "" where it can be resubmitted.

    `discarded`: whether discarded ones are meant too.
    """
    plain = ErrorInstance.objects.filter(pk__in=errors.order_by().values("pk"))
    return plain.annotate(refusal=_refusal(discarded=discarded)).order_by()


def resubmittable(errors: QuerySet[ErrorInstance], *, discarded: bool = False) -> QuerySet[Any]:
    """Those that can be, in the order their messages arrived."""
    able = chosen(errors, discarded=discarded).filter(refusal="")
    return able.order_by("instance__created_at", "instance_id")


def _refusal(*, discarded: bool) -> Case:
    ordered = BulkItem.objects.filter(
        instance=OuterRef("instance"), outcome=BulkItem.Outcome.WAITING, order__state__in=UNFINISHED
    )
    ended = [Status.FAILED, Status.HELD, Status.DISCARDED]
    active = [Status.READY, Status.RUNNING, Status.WAITING]
    cases = [
        (Q(state=State.RECOVERED), "recovered"),
        (Q(state=State.RESUBMITTED), "under way"),
        (Q(instance__purged_at__isnull=False), "purged"),
        (Q(instance__parent__isnull=False), "child"),
        (Q(instance__replay_of__isnull=False), "replay"),
        (Q(instance__status__in=active), "at work"),
        (~Q(instance__status__in=ended), "no error"),
        (Q(instance__flow__pattern="child", instance__attachment__isnull=True), "file"),
        (Q(Exists(ordered)), "ordered"),
    ]
    if not discarded:
        cases.insert(2, (Q(state=State.DISCARDED), "discarded"))
    whens = [When(condition, then=Value(key)) for condition, key in cases]
    return Case(*whens, default=Value(""), output_field=CharField())
