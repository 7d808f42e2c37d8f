"""Sync requests: noted as an extract passes, acknowledged one by one (seed 001 chapter 2).

An incremental extract's records carry their sync request in External Reference Id and the flag F1IC; an
initial load's (F1IL) expect no acknowledgement and are not noted.
"""

import re
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Count, Field, Q, QuerySet
from django.utils import timezone

from hub.asked import Asked
from integrations.engine.rows import change_rows, insert_unless_there
from integrations.engine.taps import MarkedLines, Unreadable, Unzipped
from integrations.models import FileTransfer, Instance, SyncRequest
from integrations.models.instance import ENDED

if TYPE_CHECKING:
    from integrations.engine.context import Run

Status = SyncRequest.Status
# A record of an incremental extract up to its columns External Reference Id and External Id, which are the first
# and fourth of all three extracts (X1-COUP, X1-MSPUP, X1-MSUPL), the flag being the third; any other line gives blanks.
RECORD = re.compile(r"(?:([^\t\n]++)\t[^\t\n]*+\tF1IC\t([^\t\n]*+))?[^\n]*+\n")
FLAGGED = re.compile(rb"F1IC\t")  # without the tab before it, which is searched for twice as fast
AT_ONCE = 1000
LONGEST_ID = 120
_known = Asked(
    lambda package, sync_request_id: SyncRequest.objects.filter(
        package=package, sync_request_id=sync_request_id
    ),
    str,
    str,
)


class SyncRequestTap:
    """Notes the sync requests of an extract while its bytes pass. What it cannot read stops no file.

    A file without any costs a search of its bytes and no query.
    """

    def __init__(self, run: "Run", transfer: FileTransfer, entity: str) -> None:
        """`entity`: what the extract's records are, e.g. Contact."""
        self._run, self._transfer, self._entity = run, transfer, entity
        lines = MarkedLines(FLAGGED, self._block)
        self._first = Unzipped(lines.feed) if transfer.source_name.lower().endswith(".zip") else lines
        self._found: list[tuple[str, str]] = []
        self._broken = False
        self.noted = 0

    def feed(self, chunk: bytes) -> None:
        """The next bytes; b"" ends the file and writes what is left."""
        if not self._broken:
            try:
                self._first.feed(chunk)
            except Unreadable as error:
                self._broken = True
                self._run.note(f"Sync requests of {self._transfer} are not all noted: {error}", warning=True)
        if not chunk:
            self._write()

    def _block(self, block: bytes) -> None:
        """Whole lines, at least one of which has the flag somewhere."""
        records = RECORD.findall(block.decode("utf-8", "replace"))
        self._found += (
            (reference[:LONGEST_ID], external_id.removesuffix("\r")[:LONGEST_ID])
            for reference, external_id in records
            if reference
        )
        while len(self._found) >= AT_ONCE:
            self._write()

    def _write(self) -> None:
        """New ones as pending; one in error that is extracted again waits anew; early ones get their file."""
        found, self._found = self._found[:AT_ONCE], self._found[AT_ONCE:]
        if not found:
            return
        self._add(found)
        self.noted += len(found)
        known = SyncRequest.objects.filter(
            package=self._run.spec.package.name, sync_request_id__in=[reference for reference, _ in found]
        ).exclude(file_transfer=self._transfer)
        known = known.filter(status__in=[Status.ERROR, Status.UNKNOWN])
        if known.exists():  # as a rule there is none, and one question is cheaper than five updates
            self._wait_anew(known)

    def _wait_anew(self, known: QuerySet[SyncRequest]) -> None:
        again = {"file_transfer": self._transfer, "instance": self._run.instance, "entity": self._entity}
        self._expect_anew(known.filter(status=Status.ERROR))
        known.filter(status=Status.ERROR).update(
            status=Status.RETRIED, positive=None, message="", acknowledged_at=None, **again
        )
        early = known.filter(status=Status.UNKNOWN)
        early.filter(acknowledged_at=None).update(status=Status.PENDING, **again)
        early.filter(positive=True).update(status=Status.SYNCHRONISED, **again)
        early.filter(positive=False).update(status=Status.ERROR, **again)

    def _add(self, found: list[tuple[str, str]]) -> None:
        """Rows for those that are not known yet; the others stay as they are."""
        same = {
            "package": self._run.spec.package.name,
            "entity": self._entity,
            "status": Status.PENDING,
            "file_transfer": self._transfer.pk,
            "source": self._transfer.source_id,
            "instance": self._run.instance.pk,
            "message": "",
            "parts": {},
        }
        columns, casts, values = zip(*(_column(name, value) for name, value in same.items()), strict=True)
        pairs = ", ".join(["(%s, %s)"] * len(found))
        # By hand, as the ORM takes ten times as long over it, and an incremental extract may hold a million.
        statement = f"""
            INSERT INTO {SyncRequest._meta.db_table}
                (sync_request_id, external_id, noted_at, {", ".join(columns)})
            SELECT column1, column2, CURRENT_TIMESTAMP, {", ".join(casts)}
            FROM (VALUES {pairs}) AS found WHERE true ON CONFLICT DO NOTHING
        """  # noqa: S608  (names are the model's own, values are parameters)
        with connection.cursor() as cursor:
            cursor.execute(statement, [*values, *chain.from_iterable(found)])

    @staticmethod
    def _expect_anew(retried: QuerySet[SyncRequest]) -> None:
        """A retried request gets a second acknowledgement under the same id: the first one's is let go of."""
        Instance.objects.filter(pk__in=retried.values("acknowledgement"), status__in=ENDED).update(
            message_id=None
        )


def _column(name: str, value: Any) -> tuple[str, str, Any]:
    """A field's column, its parameter's place in SQL and the parameter, as this database has them."""
    field = SyncRequest._meta.get_field(name)
    assert isinstance(field, Field)  # noqa: S101  (none of them is a relation from elsewhere)
    return (
        str(field.column),
        f"CAST(%s AS {field.db_type(connection)})",
        field.get_db_prep_save(value, connection),
    )


def files_delivered(run: "Run", transfers: Sequence[FileTransfer]) -> list[tuple[str, int]]:
    """The files are at the target: their noted sync requests now await their acknowledgement. How many, by file."""
    now = timezone.now()
    waiting = SyncRequest.objects.filter(
        status__in=[Status.PENDING, Status.RETRIED], file_transfer__in=[transfer.pk for transfer in transfers]
    )
    counts = waiting.values_list("file_transfer__source_name").annotate(Count("pk"))
    found = list(counts.order_by("file_transfer__source_name"))
    if found:
        waiting.update(
            status=Status.AWAITING, sent_at=now, overdue_at=now + run.instance.flow.acknowledgement_span
        )
    return found


def expected(
    run: "Run", sync_request_id: str, *, entity: str, external_id: str, parts: Sequence[str]
) -> None:
    """One that is about to be sent in parts, each of which is acknowledged; answers to an earlier attempt stay.

    One that was in error and comes again, corrected, waits anew for all of them.
    """
    this = {"package": run.spec.package.name, "sync_request_id": sync_request_id}
    with run.claim.writing():
        row = SyncRequest.objects.select_for_update().filter(**this).first()
        again = row is not None and _first(row.instance) != _first(run.instance)
        known = {} if row is None or again else row.parts
        fresh: dict[str, Any] = {
            "entity": entity,
            "external_id": external_id[:LONGEST_ID],
            "instance": run.instance,
            "parts": {part: known.get(part) for part in parts},
        }
        if row is None:
            SyncRequest.objects.create(**this, status=Status.PENDING, **fresh)
            return
        if again:
            SyncRequestTap._expect_anew(SyncRequest.objects.filter(pk=row.pk))
            fresh |= {"status": Status.RETRIED, "positive": None, "message": "", "acknowledged_at": None}
        SyncRequest.objects.filter(pk=row.pk).update(**fresh)


def _first(instance: Instance | None) -> object:
    """The instance a message came with, of it or its replay."""
    return instance and (instance.replay_of_id or instance.pk)


def all_sent(run: "Run", sync_request_id: str) -> None:
    """All parts are at the target: their acknowledgements are awaited, those that have not come meanwhile."""
    now = timezone.now()
    waiting = SyncRequest.objects.filter(
        package=run.spec.package.name,
        sync_request_id=sync_request_id,
        status__in=[Status.PENDING, Status.RETRIED],
    )
    overdue = now + run.instance.flow.acknowledgement_span
    run.stream.also(lambda: waiting.update(status=Status.AWAITING, sent_at=now, overdue_at=overdue))


def sent(run: "Run", sync_request_id: str, *, entity: str, external_id: str = "") -> None:
    """One that came as a message has reached the target: from now on its acknowledgement is awaited.

    One that was in error and comes again waits anew; one that was acknowledged before its answer came stays so.
    """
    now = timezone.now()
    waits: dict[str, Any] = {
        "entity": entity,
        "external_id": external_id[:LONGEST_ID],
        "status": Status.AWAITING,
        "instance": run.instance,
        "sent_at": now,
        "overdue_at": now + run.instance.flow.acknowledgement_span,
    }
    row, made = SyncRequest.objects.get_or_create(
        package=run.spec.package.name, sync_request_id=sync_request_id[:LONGEST_ID], defaults=waits
    )
    answered = row.instance_id == run.instance.pk and row.acknowledged_at is not None
    if made or answered or row.status == Status.SYNCHRONISED:
        return
    early = row.status == Status.UNKNOWN and row.acknowledged_at is not None
    if early:
        waits["status"] = Status.SYNCHRONISED if row.positive else Status.ERROR
    else:
        waits.update(positive=None, message="", acknowledged_at=None)
    SyncRequest.objects.filter(pk=row.pk).update(**waits)


def received(run: "Run", sync_request_id: str, *, positive: bool, text: str) -> None:
    """Write an acknowledgement to its sync request before it is passed on; unknown ids get a row of their own."""
    package = run.spec.package.name
    if not positive:
        run.stream.also(lambda: _expect_corrected(run, sync_request_id))
    said = {"positive": positive, "message": text, "acknowledgement": run.instance.pk}
    this = {"package": package, "sync_request_id": sync_request_id}
    if _known.first(package, sync_request_id) is not None:
        run.stream.also(lambda: change_rows(SyncRequest, this, **said))
        return
    said["acknowledgement"] = run.instance
    row = SyncRequest(**this, status=Status.UNKNOWN, **said)
    run.stream.also(lambda: insert_unless_there(row) or change_rows(SyncRequest, this, **said))
    run.note(
        f"Sync request {sync_request_id} was never seen in a file here; it is kept as unknown", warning=True
    )


def _expect_corrected(run: "Run", sync_request_id: str) -> None:
    """What is refused comes again under the same id, corrected: the message it came with lets go of it, before the
    source system hears of the refusal and can be quicker than the end of this run."""
    row = _known.first(run.spec.package.name, sync_request_id)
    if row is not None and row.instance_id is not None:
        came_with = Q(pk=row.instance_id) | Q(replays=row.instance_id)
        Instance.objects.filter(
            pk__in=Instance.objects.filter(came_with, status__in=ENDED).values("pk")
        ).update(message_id=None)


def delivered(run: "Run", sync_request_id: str) -> None:
    """The source system took the acknowledgement: synchronised, or error with the reason; written with the outcome."""
    this = (run.spec.package.name, sync_request_id)
    run.stream.also(lambda: _settle(*this))


def _settle(package: str, sync_request_id: str) -> None:
    row = _known.first(package, sync_request_id)
    assert row is not None  # noqa: S101  (received made it)
    settled = Status.SYNCHRONISED if row.positive else Status.ERROR
    change_rows(
        SyncRequest,
        {"pk": row.pk},
        acknowledged_at=timezone.now(),
        status=row.status if row.status == Status.UNKNOWN else settled,
    )
