"""How far a bulk resubmission is, and what became of what it sent."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count

from integrations.models import BulkItem, BulkResubmission, ErrorInstance

Outcome, State = BulkItem.Outcome, ErrorInstance.State


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of the order's instances; of those `sent`, some have recovered, failed again, or are under way."""

    total: int
    waiting: int
    sent: int
    refused: int
    dropped: int
    recovered: int
    failed_again: int
    under_way: int
    left: timedelta | None

    @property
    def done(self) -> int:
        """Those that are not waiting any more."""
        return self.total - self.waiting

    @property
    def percent(self) -> int:
        """How many of a hundred are done."""
        return 100 * self.done // self.total if self.total else 100

    @property
    def parts(self) -> list[dict[str, str]]:
        """The parts of the bar, in percent of the whole, each with its tone."""
        shares = [
            ("good", self.recovered),
            ("busy", self.sent - self.recovered - self.failed_again),
            ("bad", self.failed_again),
            ("warn", self.refused),
        ]
        drawn, place = [], 0.0
        for tone, number in shares:
            width = 100 * number / (self.total or 1)
            drawn.append({"tone": tone, "x": f"{place:.2f}", "width": f"{width:.2f}"})
            place += width
        return [part for part in drawn if part["width"] != "0.00"]


def bulk_progress(*, order: BulkResubmission) -> Progress:
    """Count; `left` is the time the rest takes at the order's rate, None once nothing waits."""
    items = BulkItem.objects.filter(order=order).order_by()
    counts = dict(items.values_list("outcome").annotate(number=Count("pk")))
    sent = items.filter(outcome=Outcome.RESUBMITTED)
    became = dict(sent.values_list("instance__error__state").annotate(number=Count("pk")))
    waiting = counts.get(Outcome.WAITING, 0)
    return Progress(
        total=order.total,
        waiting=waiting,
        sent=counts.get(Outcome.RESUBMITTED, 0),
        refused=counts.get(Outcome.REFUSED, 0),
        dropped=counts.get(Outcome.DROPPED, 0),
        recovered=became.get(State.RECOVERED, 0),
        failed_again=became.get(State.OPEN, 0),
        under_way=became.get(State.RESUBMITTED, 0),
        left=timedelta(minutes=waiting / order.rate) if waiting else None,
    )
