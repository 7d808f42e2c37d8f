"""ChangedTroubleTickets: more comment, more contacts for tickets that are there (seed 004 section 5.2)."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Max, Q, QuerySet

from crm.models import CallerContact, TroubleTicket
from crm.operations.base import Asked, Done, Operation, Plain
from crm.operations.problems import Stop
from crm.operations.ticket_replies import FAILED, UPDATED, status
from crm.outage.bulk import put_rows, set_rows
from crm.outage.comments import joined
from crm.outage.contacts import CONTACT, Way, contact_row, ways_of
from crm.wire.values import text_of, uuid_or_none


@dataclass
class Change:
    """One ticket of the message. `found`: whom it is about; `taking`: those of them that it changes."""

    given: Plain
    mrid: str
    name: str
    label: str
    fatal: bool = False
    comment: str = ""
    ways: list[Way] = field(default_factory=list)
    found: list[TroubleTicket] = field(default_factory=list)
    taking: list[TroubleTicket] = field(default_factory=list)

    @property
    def named(self) -> str:
        """How the ticket is asked for: the mRID, else the name."""
        return self.mrid or self.name

    @property
    def identity(self) -> UUID | str:
        """The same for all spellings of an mRID."""
        return (uuid_or_none(self.mrid) or self.mrid) if self.mrid else self.name


class ChangedTroubleTickets(Operation):
    """Comments are appended, contacts added; nothing else can be changed from outside (table 10.6)."""

    name = "ChangedTroubleTickets"
    service = "ReceiveTroubleTickets"
    verb, noun, replies = "changed", "TroubleTickets", "TroubleTickets"
    asks_in = answers_in = "TroubleTickets"
    item_path = ("TroubleTickets", "TroubleTicket")

    def prepare(self, asked: Asked) -> list[Change]:
        """The changes, each checked by itself. Stop where one has no csrId."""
        given = self.items(asked.payload)
        if any(not text_of(one.get("csrId")) for one in given):
            raise Stop("CsrIDMissing")
        changes = [_change(one, place) for place, one in enumerate(given, 1)]
        counted = Counter(change.identity for change in changes)
        for change in changes:
            _check(change, counted[change.identity] > 1, asked)
        return changes

    def perform(self, asked: Asked, prepared: Any) -> Done:
        """Append and add."""
        changes: list[Change] = prepared
        good = [change for change in changes if not change.fatal]
        found = _tickets(good)
        for change in good:
            change.found = found.get(change.identity, [])
            _take(change, asked)
        _save(good, asked)
        replies = [one for change in changes for one in _reply(change)]
        done = sum(1 for change in changes if change.taking)
        return Done({"TroubleTickets": {"TroubleTicket": replies}}, len(changes), done)


def _change(given: Plain, place: int) -> Change:
    name = text_of(given.get("name"))
    change = Change(given, text_of(given.get("mRID")), name, name or str(place))
    change.comment = text_of(given.get("comment"))
    change.ways = ways_of(given.get("CustomerData"))
    return change


def _check(change: Change, twice: bool, asked: Asked) -> None:
    problems = asked.problems
    if not change.named:
        change.fatal = True
        problems.add("MrIDMissing", named=change.label)
    elif twice:
        change.fatal = True
        problems.add("DuplicateMRIDs", value=str(change.identity))
    if not change.comment and not change.ways:
        change.fatal = True
        problems.add("UpdateDataMissing", named=change.label)


def _tickets(changes: list[Change]) -> dict[UUID | str, list[TroubleTicket]]:
    """Active tickets by the mRID or name they are asked for; several may have one name."""
    keys = {change.identity for change in changes if isinstance(change.identity, UUID)}
    names = {change.name for change in changes if not change.mrid}
    rows = _locked(TroubleTicket.objects.filter(archived_at__isnull=True))
    found: dict[UUID | str, list[TroubleTicket]] = {}
    # The second half in the words of the index of names, or SQLite would not use it.
    for row in rows.filter(Q(pk__in=keys) | (Q(name__in=names) & ~Q(name=""))):
        if row.pk in keys:
            found[row.pk] = [row]
        if row.name in names:
            found.setdefault(row.name, []).append(row)
    return found


def _locked(rows: QuerySet[TroubleTicket]) -> QuerySet[TroubleTicket]:
    return rows.select_for_update(of=("self",)).order_by("pk")


def _take(change: Change, asked: Asked) -> None:
    """Append the comment; where it becomes too long, nothing of that ticket is changed."""
    if not change.found:
        asked.problems.add("EntityNotFound", value=change.named, named=change.label)
        return
    limit = asked.settings.comment_limit
    change.taking = [
        row for row in change.found if not change.comment or len(joined(row.comment, change.comment)) <= limit
    ]
    if len(change.taking) < len(change.found):
        asked.problems.add("CommentExceedsLimit", named=change.label)
    for row in change.taking:
        row.comment = joined(row.comment, change.comment)


def _reply(change: Change) -> list[Plain]:
    if not change.found:
        return [{"mRID": change.mrid or None, "status": status(FAILED)}]
    return [
        {"mRID": str(row.pk), "status": status(UPDATED if row in change.taking else FAILED)}
        for row in change.found
    ]


def _save(changes: list[Change], asked: Asked) -> None:
    rows: dict[UUID, TroubleTicket] = {}
    adding: list[tuple[TroubleTicket, list[Way]]] = []
    for change in changes:
        for row in change.taking:
            row.last_update_user, row.updated_at = text_of(change.given.get("csrId")), asked.now
            rows[row.pk] = row
            adding.append((row, change.ways))
    set_rows(
        TroubleTicket,
        ("comment", "last_update_user", "updated_at"),
        [(row.comment, row.last_update_user, row.updated_at, row.pk.hex) for row in rows.values()],
    )
    _add_contacts([(row, ways) for row, ways in adding if ways], asked)


def _add_contacts(adding: list[tuple[TroubleTicket, list[Way]]], asked: Asked) -> None:
    """After those that are there, which stay as they are; the same one is not added twice."""
    tickets = {row.pk for row, _ in adding}
    known = CallerContact.objects.filter(ticket__in=tickets).order_by()
    last = dict(known.values("ticket").annotate(last=Max("position")).values_list("ticket", "last"))
    there = set(known.values_list("ticket", "first_name", "last_name", "media", "value"))
    made = []
    for row, ways in adding:
        for way in ways:
            first, named, media, value, _ = way
            if (known_as := (row.pk, first, named, media, value)) in there:
                continue
            there.add(known_as)
            last[row.pk] = last.get(row.pk, -1) + 1
            made.append(contact_row(row.pk.hex, last[row.pk], way, asked.now))
    put_rows(CallerContact, CONTACT, made)
