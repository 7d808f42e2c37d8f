"""The CSV files of DERMS, made a thousand lines at a time, so that a million rows fit into any memory."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from demo.derms_devices import HEAD_ENDS, nic_of
from demo.derms_messages import END, START

RESERVATION_HEADER = "recordId,nicId,headEndSystemId,reservationStartDateTime,reservationEndDateTime"
OUTCOME_HEADER = (
    "recordId,eventId,nicId,headEndSystemId,outcome,errorMessage,"
    "participationStartDateTime,participationEndDateTime"
)
NETWORK_HEADER = "servicePointId,division,transformerId,feederId,substationId,action,effectiveDateTime"
# One device in ten each time leaves the event, does not answer, or fails.
ODD_OUTCOMES = {3: ("OVERRIDE", ""), 6: ("NON_RESPONSIVE", ""), 9: ("ERROR", "The head end did not answer")}
_AT_ONCE = 1000


def reservation(count: int, *, first: int = 0, start: str = "", end: str = "") -> Iterator[bytes]:
    """The file that reserves `count` devices; `start`, `end`: a window of their own, the event's where blank."""
    return _file(
        RESERVATION_HEADER,
        count,
        lambda row: f"{row + 1},{_device(first + row)},{start},{end}",
    )


def outcomes(
    event: str, count: int, *, first: int = 0, start: str = START, end: str = END
) -> Iterator[bytes]:
    """The file that says how `count` devices took part in an event."""
    return _file(
        OUTCOME_HEADER,
        count,
        lambda row: f"{row + 1},{event},{_device(first + row)},{_outcome(first + row, start, end)}",
    )


def network_locations(
    count: int, *, first: int = 0, division: str = "EAST", action: str = "ADD", effective: str = START
) -> Iterator[bytes]:
    """The file that says where `count` service points are in the network."""

    def line(row: int) -> str:
        point = first + row
        place = f"TR{point // 8:06},FD{point // 800:04},SUB{point // 8000:03}"
        return f"{point + 1:012},{division},{place},{action},{effective}"

    return _file(NETWORK_HEADER, count, line)


def write(path: Path, chunks: Iterable[bytes]) -> Path:
    """Put a file there; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(chunks)
    return path


def _file(header: str, count: int, line: Callable[[int], str]) -> Iterator[bytes]:
    yield f"{header}\n".encode()
    rows = iter(range(count))
    while some := list(islice(rows, _AT_ONCE)):
        yield "".join(f"{line(row)}\n" for row in some).encode()


def _device(number: int) -> str:
    return f"{nic_of(number)},{HEAD_ENDS[number % len(HEAD_ENDS)]}"


def _outcome(number: int, start: str, end: str) -> str:
    """Outcome, error message and times; a device that did not take part has none."""
    outcome, text = ODD_OUTCOMES.get(number % 10, ("SUCCESS", ""))
    times = f"{start},{end}" if outcome in ("SUCCESS", "OVERRIDE") else ","
    return f"{outcome},{text},{times}"
