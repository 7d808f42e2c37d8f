"""Sync requests: noted as an extract passes, acknowledged one by one (seed 001 chapter 2).

An incremental extract's records carry their sync request in External Reference Id and the flag F1IC; an
initial load's (F1IL) expect no acknowledgement and are not noted.
"""

from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.utils import timezone

from integrations.engine.taps import Lines, Unreadable, Unzipped
from integrations.models import FileTransfer, Instance, SyncRequest
from integrations.models.instance import ENDED

if TYPE_CHECKING:
    from integrations.engine.context import Run

Status = SyncRequest.Status
INCREMENTAL = "F1IC"
FLAGGED = f"\t{INCREMENTAL}\t".encode()
REFERENCE, FLAG, EXTERNAL_ID = 0, 2, 3  # columns of all three extracts (X1-COUP, X1-MSPUP, X1-MSUPL)
AT_ONCE = 1000
LONGEST_ID = 120


class SyncRequestTap:
    """Notes the sync requests of an extract while its bytes pass. What it cannot read stops no file."""

    def __init__(self, run: "Run", transfer: FileTransfer, entity: str) -> None:
        """`entity`: what the extract's records are, e.g. Contact."""
        self._run, self._transfer, self._entity = run, transfer, entity
        lines = Lines(self._line)
        self._first = Unzipped(lines.feed) if transfer.source_name.lower().endswith(".zip") else lines
        self._rows: list[SyncRequest] = []
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

    def _line(self, line: bytes) -> None:
        clean = line.replace(b"\x00", b"")
        if FLAGGED not in clean:  # an initial load's lines, the bulk of the largest files, go no further
            return
        fields = clean.decode("utf-8", "replace").split("\t")
        if len(fields) <= EXTERNAL_ID or fields[FLAG] != INCREMENTAL or not fields[REFERENCE]:
            return
        self._rows.append(
            SyncRequest(
                package=self._run.spec.package.name,
                sync_request_id=fields[REFERENCE][:LONGEST_ID],
                entity=self._entity,
                external_id=fields[EXTERNAL_ID][:LONGEST_ID],
                file_transfer=self._transfer,
                source=self._transfer.source,
                instance=self._run.instance,
            )
        )
        if len(self._rows) >= AT_ONCE:
            self._write()

    def _write(self) -> None:
        """New ones as pending; one in error that is extracted again waits anew; early ones get their file."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        SyncRequest.objects.bulk_create(rows, ignore_conflicts=True)
        self.noted += len(rows)
        known = SyncRequest.objects.filter(
            package=rows[0].package, sync_request_id__in=[row.sync_request_id for row in rows]
        ).exclude(file_transfer=self._transfer)
        again = {"file_transfer": self._transfer, "instance": self._run.instance, "entity": self._entity}
        self._expect_anew(known.filter(status=Status.ERROR))
        known.filter(status=Status.ERROR).update(
            status=Status.RETRIED, positive=None, message="", acknowledged_at=None, **again
        )
        early = known.filter(status=Status.UNKNOWN)
        early.filter(acknowledged_at=None).update(status=Status.PENDING, **again)
        early.filter(positive=True).update(status=Status.SYNCHRONISED, **again)
        early.filter(positive=False).update(status=Status.ERROR, **again)

    @staticmethod
    def _expect_anew(retried: QuerySet[SyncRequest]) -> None:
        """A retried request gets a second acknowledgement under the same id: the first one's is let go of."""
        Instance.objects.filter(pk__in=retried.values("acknowledgement"), status__in=ENDED).update(
            message_id=None
        )


def file_delivered(run: "Run", transfer: FileTransfer) -> int:
    """The file is at the target: its noted sync requests now await their acknowledgement. How many do."""
    now = timezone.now()
    waiting = SyncRequest.objects.filter(status__in=[Status.PENDING, Status.RETRIED], file_transfer=transfer)
    return waiting.update(
        status=Status.AWAITING, sent_at=now, overdue_at=now + run.instance.flow.acknowledgement_span
    )


def received(run: "Run", sync_request_id: str, *, positive: bool, text: str) -> None:
    """Write an acknowledgement to its sync request before it is passed on; unknown ids get a row of their own."""
    said = {"positive": positive, "message": text, "acknowledgement": run.instance}
    row, made = SyncRequest.objects.get_or_create(
        package=run.spec.package.name,
        sync_request_id=sync_request_id,
        defaults={"status": Status.UNKNOWN, **said},
    )
    if made:
        run.note(
            f"Sync request {sync_request_id} was never seen in a file here; it is kept as unknown",
            warning=True,
        )
    else:
        SyncRequest.objects.filter(pk=row.pk).update(**said)


def delivered(run: "Run", sync_request_id: str) -> None:
    """The source system took the acknowledgement: synchronised, or error with the reason."""
    row = SyncRequest.objects.get(package=run.spec.package.name, sync_request_id=sync_request_id)
    row.acknowledged_at = timezone.now()
    if row.status != Status.UNKNOWN:
        row.status = Status.SYNCHRONISED if row.positive else Status.ERROR
    row.save(update_fields=["acknowledged_at", "status"])
