"""Noting where service points hang in the network, as such a file passes (seed 002, SP Network Location Transfer).

The file itself goes on its way whatever is in it; what cannot be read of it is said in the activity stream.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.dispatch import Signal
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware

from integrations.engine.csv_tap import CsvTap
from integrations.models import FileTransfer, NetworkLocation

if TYPE_CHECKING:
    from integrations.engine.context import Run

COLUMNS = {
    "servicepointid": "service_point_id",
    "division": "division",
    "transformerid": "transformer_id",
    "feederid": "feeder_id",
    "substationid": "substation_id",
    "effectivedatetime": "effective_at",
}
NEEDED = "service_point_id"
AT_ONCE = 500
LONGEST = 60

Found = dict[str, str]
# Sent with `rows`, the NetworkLocation rows of a batch that were written, inside the transaction that writes them.
locations_noted = Signal()


class NetworkLocationTap(CsvTap):
    """Listens to a network location file's bytes and keeps each service point's newest place."""

    def __init__(self, run: "Run", transfer: FileTransfer) -> None:
        """`transfer`: the file's ledger row, kept beside what it said."""
        super().__init__()
        self._run, self._transfer = run, transfer
        self._names: list[str] = []
        self._found: list[Found] = []
        self.noted = self.unusable = 0

    def header(self, cells: list[str]) -> None:
        """Which column is what; the others are not looked at."""
        self._names = [COLUMNS.get(cell.lower(), "") for cell in cells]
        if NEEDED not in self._names:
            raise ValueError("its header has no servicePointId")

    def record(self, cells: list[str]) -> None:
        """Kept until there are enough to be written."""
        self._found.append(dict(zip(self._names, (cell.strip() for cell in cells), strict=True)))
        if len(self._found) >= AT_ONCE:
            self._write()

    def odd(self, cells: list[str]) -> None:
        """Counted, to be said at the end."""
        self.unusable += 1

    def ended(self) -> None:
        """Write what is left and say what was noted."""
        self._write()
        self._run.note(f"Network places of {self.noted} service point(s) noted from {self._transfer}")
        if self.broken:
            self._run.note(f"{self._transfer} was not read to its end: {self.broken}", warning=True)
        if self.unusable:
            self._run.note(
                f"{self.unusable} record(s) of {self._transfer} were not understood and not noted",
                warning=True,
            )

    def _write(self) -> None:
        """Upsert a batch: of one service point the newest record; none that is older than what is known."""
        found, self._found = self._found[:AT_ONCE], self._found[AT_ONCE:]
        rows: dict[str, NetworkLocation] = {}
        for row in map(self._row, filter(self._usable, found)):
            before = rows.get(row.service_point_id)
            if before is None or not _older(row, before.effective_at):
                rows[row.service_point_id] = row
        known = NetworkLocation.objects.filter(service_point_id__in=rows, effective_at__isnull=False)
        for name, effective in known.values_list("service_point_id", "effective_at"):
            if _older(rows[name], effective):
                del rows[name]
        # In one order, or two files at a time would lock each other out.
        _put([rows[name] for name in sorted(rows)])
        self.noted += len(rows)

    def _usable(self, one: Found) -> bool:
        good = bool(one[NEEDED]) and all(
            len(one.get(name, "")) <= LONGEST and "\x00" not in one.get(name, "") for name in COLUMNS.values()
        )
        self.unusable += not good
        return good

    def _row(self, one: Found) -> NetworkLocation:
        texts = {name: one.get(name, "") for name in COLUMNS.values() if name != "effective_at"}
        return NetworkLocation(
            **texts, effective_at=_moment(one.get("effective_at", "")), file_transfer=self._transfer
        )


def _put(rows: list[NetworkLocation]) -> None:
    if not rows:
        return
    with transaction.atomic():
        NetworkLocation.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=[NEEDED],
            update_fields=[*{*COLUMNS.values()} - {NEEDED}, "file_transfer", "noted_at"],
        )
        locations_noted.send(NetworkLocation, rows=rows)


def _older(row: NetworkLocation, than: datetime | None) -> bool:
    return row.effective_at is not None and than is not None and row.effective_at < than


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and is_aware(found) else None
