"""The CSV files of OUAI, made a thousand lines at a time, and the little ways in which such files differ.

Of the three, the columns of the kWh file are published; the others are this project's own reading.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from io import StringIO
from itertools import chain, islice

KWH_PREFIX, FORECAST_PREFIX = "ouai.kwh_avoided", "ouai.load_forecast"
KWH_HEADER = (
    "EventId,EventType,ProgramId,SPId,ActualStartTime,ActualEndTime,"
    "IntervalSize(Seconds),TotalKwh,TotalKwhSavedForPeriod"
)
FORECAST_HEADER = "ProgramId,SPId,ForecastDate,StartTime,IntervalSize(Seconds),TemperatureBand"
FEEDBACK_HEADER = (
    "syncRequestId,subscriptionId,servicePointId,status,errorCode,errorMessage,processedDateTime"
)
PROGRAM = "1234512345"
REFUSED = "ENROLLMENT_REFUSED"
INTERVAL = 900  # seconds
LONGEST_HOURS = 3  # events last one hour, two or three, in turn
_A_DAY = 24 * 60 * 60
_START = datetime(2026, 7, 1, 14, 30, tzinfo=timezone(timedelta(hours=-5)))
_BANDS = ("", "BELOW-80", "80-90", "ABOVE-90")
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written: line ends, a byte order mark, a newline at the end, a blank line in the middle."""

    crlf: bool = False
    bom: bool = False
    final_newline: bool = True
    blank_line: bool = False


PLAIN = Layout()


def kwh_avoided(events: Sequence[str], points: int, *, layout: Layout = PLAIN) -> Iterator[bytes]:
    """What each of so many service points has saved in each event, at intervals of 15 minutes."""
    widest = min(len(events), LONGEST_HOURS) * 3600 // INTERVAL
    header = _with_columns(KWH_HEADER, "KwhSaved", widest)
    lines = (
        _kwh(number, event, point, widest) for number, event in enumerate(events) for point in range(points)
    )
    return written(header, lines, layout)


def load_forecast(
    points: int,
    *,
    days: int = 1,
    first_day: date | None = None,
    interval: int = 3600,
    layout: Layout = PLAIN,
) -> Iterator[bytes]:
    """By how many kW each of so many service points could go down, day by day, at `interval` seconds."""
    start = first_day or _START.date()
    columns = _A_DAY // interval
    header = _with_columns(FORECAST_HEADER, "KwReduction", columns)
    lines = (
        _forecast(point, start + timedelta(days=day), interval, columns)
        for day in range(days)
        for point in range(points)
    )
    return written(header, lines, layout)


def feedback(
    sync_requests: Iterable[str],
    errors: Mapping[str, str] | None = None,
    *,
    processed: datetime | None = None,
    layout: Layout = PLAIN,
) -> Iterator[bytes]:
    """What became of each enrolment. `errors`: sync request id → why it was refused."""
    refused = errors or {}
    at = (processed or datetime.now(UTC)).isoformat(timespec="seconds")
    lines = (_fed_back(number, key, refused.get(key), at) for number, key in enumerate(sync_requests))
    return written(FEEDBACK_HEADER, lines, layout)


def feedback_name(day: date) -> str:
    """E.g. feedback.dacs.program_subscription.20230210.csv (seed 003, Enrollment Acknowledgement)."""
    return f"feedback.dacs.program_subscription.{day:%Y%m%d}.csv"


def written(header: str, lines: Iterable[str], layout: Layout) -> Iterator[bytes]:
    """The bytes of a file: its header, then its lines; the blank line comes after the first of them."""
    end = "\r\n" if layout.crlf else "\n"
    rest = iter(lines)
    yield (("\ufeff" if layout.bom else "") + header).encode()
    if layout.blank_line:
        rest = chain(islice(rest, 1), [""], rest)
    while some := list(islice(rest, _AT_ONCE)):
        yield "".join(end + line for line in some).encode()
    if layout.final_newline:
        yield end.encode()


def _with_columns(header: str, name: str, count: int) -> str:
    return ",".join((header, *(f"{name}{n}" for n in range(1, count + 1))))


def _kwh(number: int, event: str, point: int, widest: int) -> str:
    """One record: the saved values sum up to their total, and intervals fill the time from start to end."""
    hours = number % LONGEST_HOURS + 1
    start = _START + timedelta(days=number)
    saved = [100 + 25 * ((point + n) % 7) for n in range(hours * 3600 // INTERVAL)]  # hundredths of a kWh
    named = (event, "Emergency" if number % 4 == 3 else "Economic", PROGRAM, _point(point))
    times = (_moment(start), _moment(start + timedelta(hours=hours)), str(INTERVAL))
    values = (_hundredths(one) for one in (sum(saved) * 2 + 900, sum(saved), *saved))
    return ",".join((*named, *times, *values, *[""] * (widest - len(saved))))


def _forecast(point: int, day: date, interval: int, columns: int) -> str:
    named = (PROGRAM, _point(point), day.isoformat(), "00:00:00", str(interval), _BANDS[point % len(_BANDS)])
    return ",".join((*named, *(_hundredths(20 + (point + n) % 90) for n in range(columns))))


def _fed_back(number: int, key: str, refusal: str | None, at: str) -> str:
    """Texts have commas and quotation marks in them, so that this file is quoted where it has to be."""
    said = ("SUCCESS", "", "") if refusal is None else ("ERROR", REFUSED, refusal)
    line = StringIO()
    csv.writer(line, lineterminator="").writerow(
        (key, f"{2_000_000_000 + number}", _point(number), *said, at)
    )
    return line.getvalue()


def _point(number: int) -> str:
    return f"{4_000_000_000 + number}"


def _moment(when: datetime) -> str:
    return when.isoformat(timespec="seconds")


def _hundredths(value: int) -> str:
    return f"{value // 100}.{value % 100:02}"
