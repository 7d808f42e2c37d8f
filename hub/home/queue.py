"""The queue: what is due and not yet claimed, since when, and when it will be clear."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.home.figures import Figure, capped, listed, span
from integrations.models import Tally
from integrations.services.standing_count import PACE, backlog, paces

SLOW_AFTER = timedelta(seconds=60)
MINUTES = PACE.total_seconds() / 60


@dataclass(frozen=True)
class Queue:
    """`came` and `done` are numbers of the last five minutes; `counted_at` is set where the beat counted."""

    at: datetime
    due: int
    more: bool
    oldest: datetime | None
    came: int
    done: int
    counted_at: datetime | None = None

    @property
    def slow(self) -> bool:
        """Whether something has been due for longer than a minute."""
        return self.oldest is not None and self.at - self.oldest > SLOW_AFTER

    @property
    def waited(self) -> str:
        """How long the oldest has been due; "" where nothing waits."""
        return "" if self.oldest is None else span((self.at - self.oldest).total_seconds())


def count_queue(at: datetime, standing: Tally | None) -> Queue:
    """Counted here as far as it is short; the rest as the beat counted it."""
    rows = backlog(at)
    due, more = capped(rows)
    oldest = rows.order_by("due_at").values_list("due_at", flat=True).first() if due else None
    (came, many), (done, very_many) = (capped(part) for part in paces(at))
    if not (more or many or very_many) or standing is None:
        return Queue(at, due, more, oldest, came, done)
    kept = standing.content
    due, more = (kept["backlog"], False) if more and kept["backlog"] > due else (due, more)
    return Queue(at, due, more, oldest, kept["came"], kept["done"], standing.counted_at)


def outlook(queue: Queue) -> str:
    """When it will be clear, as far as the last five minutes tell; "" where nothing waits."""
    if not queue.due:
        return ""
    if not queue.done:
        return "not clearing: nothing has ended in the last 5 min" if queue.slow else "being claimed"
    gain = (queue.done - queue.came) / MINUTES
    if gain > 0:
        return f"clear in about {span(queue.due / gain * 60)}"
    if not queue.slow:
        return "being claimed"
    grows = round(-gain)
    return f"not clearing: it grows by {grows:,} a minute" if grows else "not clearing: as many come as end"


def pace(queue: Queue) -> str:
    """What comes and what ends, a minute."""
    return f"{queue.came / MINUTES:,.0f} came and {queue.done / MINUTES:,.0f} ended a minute"


def queue_figure(queue: Queue) -> tuple[str, Figure]:
    """The backlog, as a figure with its age and outlook."""
    notes = [f"oldest due for {queue.waited}" if queue.oldest else "", outlook(queue)]
    if queue.due and queue.slow and queue.done:
        notes.append(pace(queue))
    clearing = not outlook(queue).startswith("not clearing")
    tone = ("warn" if clearing else "bad") if queue.slow else ""
    link = listed("integrations.instance", status__in="ready,waiting", due_at__lte=queue.at)
    note = ", ".join(note for note in notes if note)
    return "integrations.instance", Figure("Queue backlog", queue.due, link, tone, note, queue.more)
