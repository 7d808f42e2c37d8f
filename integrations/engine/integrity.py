"""What interval files say of themselves, checked as they pass (wire-facts 3.6: kWh avoided, load forecast).

A file that fails is moved all the same, as its flow transforms nothing; an operator sees it in the activity stream.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from integrations.engine.csv_tap import CsvTap

if TYPE_CHECKING:
    from integrations.engine.context import Run
    from integrations.models import FileTransfer

SHOWN = 5  # warnings of a file that are told one by one
MOST_RECORDS = 1_000_000  # looked at; a larger file is told to have been looked at so far
CENT = Decimal("0.01")  # rounding that a sum may be off by

Row = dict[str, str]


@dataclass(frozen=True)
class IntervalFile:
    """The shape of a file: ids that have to be there, and what else has to hold of a record, as sentences."""

    ids: tuple[str, ...]
    interval: str
    values: str
    check: "Callable[[Row, list[Decimal], int], list[str]]"


class IntegrityTap(CsvTap):
    """Checks every record of an interval file and says what does not hold."""

    def __init__(self, run: "Run", transfer: "FileTransfer", shape: IntervalFile) -> None:
        """`shape`: what the file is."""
        super().__init__()
        self._run, self._transfer, self._shape = run, transfer, shape
        self._names: list[str] = []
        self._wrong = 0

    def header(self, cells: list[str]) -> None:
        """ValueError where a column is missing that is needed to check anything."""
        self._names = cells
        missing = [name for name in (*self._shape.ids, self._shape.interval) if name not in cells]
        if missing:
            raise ValueError(f"its header has no {', '.join(missing)}")

    def record(self, cells: list[str]) -> None:
        """One record's sentences."""
        if self.number > MOST_RECORDS:
            return
        row = dict(zip(self._names, (cell.strip() for cell in cells), strict=True))
        for said in self._said(row):
            self._tell(said)

    def odd(self, cells: list[str]) -> None:
        """A record of another length than the header."""
        self._tell(f"has {len(cells)} fields, the header {len(self._names)}")

    def ended(self) -> None:
        """What was not told one by one."""
        if self.broken:
            self._run.note(f"{self._transfer} could not be checked: {self.broken}", warning=True)
        if self._wrong > SHOWN:
            self._run.note(f"{self._transfer}: {self._wrong} findings in all", warning=True)
        if self.number > MOST_RECORDS:
            self._run.note(f"{self._transfer}: the first {MOST_RECORDS} records were checked")
        if not self._wrong and not self.broken:
            self._run.note(f"{self._transfer}: {min(self.number, MOST_RECORDS)} record(s) hold what they say")

    def _said(self, row: Row) -> list[str]:
        shape = self._shape
        said = [f"{name} is blank" for name in shape.ids if not row[name]]
        try:
            seconds = int(row[shape.interval])
            given = [row[name] for name in self._names if name.startswith(shape.values)]
            values = [Decimal(text) for text in given if text]
            return said + shape.check(row, values, seconds)
        except InvalidOperation:
            return [*said, "cannot be read: a value is no number"]
        except (
            ValueError,
            TypeError,
            ArithmeticError,
        ) as error:  # TypeError: one moment with a zone, one without
            return [*said, f"cannot be read: {error}"]

    def _tell(self, said: str) -> None:
        self._wrong += 1
        if self._wrong <= SHOWN:
            self._run.note(f"{self._transfer}, record {self.number}: {said}", warning=True)


def _kwh(row: Row, values: list[Decimal], seconds: int) -> list[str]:
    said = []
    total = Decimal(row["TotalKwhSavedForPeriod"])
    if abs(sum(values) - total) > CENT:
        said.append(f"the saved values add up to {sum(values)}, the period's total is {total}")
    start, end = (datetime.fromisoformat(row[name]) for name in ("ActualStartTime", "ActualEndTime"))
    if len(values) * seconds != (end - start).total_seconds():
        said.append(
            f"{len(values)} values of {seconds} s do not cover {start.isoformat()} to {end.isoformat()}"
        )
    return said


def _forecast(row: Row, values: list[Decimal], seconds: int) -> list[str]:
    date.fromisoformat(row["ForecastDate"])
    said = [] if seconds > 0 else [f"the interval is {seconds} s"]
    return said if values else [*said, "there is no forecast value"]


KWH_AVOIDED = IntervalFile(
    ids=("EventId", "ProgramId", "SPId", "ActualStartTime", "ActualEndTime", "TotalKwhSavedForPeriod"),
    interval="IntervalSize(Seconds)",
    values="KwhSaved",
    check=_kwh,
)
LOAD_FORECAST = IntervalFile(
    ids=("ProgramId", "SPId", "ForecastDate"),
    interval="IntervalSize(Seconds)",
    values="KwReduction",
    check=_forecast,
)
