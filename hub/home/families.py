"""Open error families: how many, since when, whose, and whether it gets worse."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.home.drawing import Spark, spark
from hub.home.figures import Figure, ago, capped, listed, page_of
from integrations.models import ErrorFamily, Tally
from integrations.services.standing_count import HOUR, open_errors, open_families, recent_errors

ERROR = "integrations.errorinstance"
LIVE = 1_000  # errors that are counted while a person waits


@dataclass
class Families:
    """As standing_count counts them; `counted_at` is set where the beat counted."""

    at: datetime
    open: int
    families: int
    top: list[dict[str, Any]]
    more: bool = False
    counted_at: datetime | None = None
    rows: dict[int, ErrorFamily] = field(default_factory=dict)


def count_families(at: datetime, standing: Tally | None) -> Families:
    """Counted here where they are few; else what the beat counted, or the number alone where it has not."""
    number, more = capped(open_errors())
    if number <= LIVE and capped(recent_errors(at), LIVE)[1] is False:
        counted, counted_at = open_families(at), None
    elif standing is not None:
        counted, counted_at = standing.content["families"], standing.counted_at
    else:
        return Families(at, number, 0, [], more)
    keys = [one["family"] for one in counted["top"]]
    rows = ErrorFamily.objects.select_related("flow", "owner").in_bulk(keys)
    total = counted["open"]
    return Families(at, total, counted["families"], counted["top"], False, counted_at, rows)


@dataclass(frozen=True)
class FamilyRow:
    """A line of the table."""

    row: ErrorFamily
    open: int
    link: str
    every_link: str
    page: str
    flow: str
    owner: str
    last_hour: int
    last_hour_link: str
    trend: str
    trend_words: str
    spark: Spark
    first_seen: str
    last_seen: str


def family_rows(families: Families) -> list[FamilyRow]:
    """Those shown, in their order; one deleted since it was counted is left out."""
    return [
        _row(families.rows[one["family"]], one, families)
        for one in families.top
        if one["family"] in families.rows
    ]


def _row(row: ErrorFamily, one: dict[str, Any], families: Families) -> FamilyRow:
    def link(state: str, **more: object) -> str:
        return listed(ERROR, family__id__exact=row.pk, state__exact=state, **more)

    at = families.at
    hours: list[int] = one["hours"]
    now, before = hours[-1], hours[-2]
    trend, words = _trend(now, before)
    return FamilyRow(
        row=row,
        open=one["open"],
        link=link("open"),
        every_link=link("all"),
        page=page_of(row),
        flow=row.flow.identifier,
        owner=row.owner.get_username() if row.owner else "",
        last_hour=now,
        last_hour_link=link("all", last_failed_at__gte=(families.counted_at or at) - HOUR),
        trend=trend,
        trend_words=words,
        spark=spark([0] * len(hours), hours, f"Failed by hour, last 24 hours: {sum(hours)} in all"),
        first_seen=ago(row.first_seen, at),
        last_seen=ago(row.last_seen, at),
    )


def _trend(now: int, before: int) -> tuple[str, str]:
    """up, down, level or quiet, and the same in words."""
    if now == before:
        return ("level", "as many as the hour before") if now else ("quiet", "none in the last two hours")
    return ("up" if now > before else "down"), f"{before} the hour before"


def error_figure(families: Families) -> tuple[str, Figure]:
    """Open errors, with the number of families."""
    many = families.families
    note = f"in {many} {'family' if many == 1 else 'families'}" if many else ""
    return ERROR, Figure(
        "Open errors",
        families.open,
        listed(ERROR, state__exact="open"),
        "bad" if families.open else "",
        note,
        families.more,
    )
