"""What a file is called that stopped at a record, and how its records are read (seed 003, Enrollment Ack)."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.adapters.contract import FileInfo
from integrations.engine import records
from integrations.engine.faults import InvalidMessage
from integrations.engine.records import RecordJob, original_name, stopped_name

HEADER = b"syncRequestId,status,errorMessage\n"
SAMPLE = "feedback.dacs.program_subscription.20230210"


@pytest.mark.parametrize(
    ("name", "record", "stopped"),
    [
        (f"{SAMPLE}.csv", 6, f"{SAMPLE}_ErrInRcd_6.csv"),  # the seed's own sample
        (f"{SAMPLE}_ErrInRcd_6.csv", 9, f"{SAMPLE}_ErrInRcd_9.csv"),
        ("feedback", 1, "feedback_ErrInRcd_1"),
        ("feedback_ErrInRcd_1", 12, "feedback_ErrInRcd_12"),
        ("a.b.c.CSV", 1_000_000, "a.b.c_ErrInRcd_1000000.CSV"),
        ("a_ErrInRcd_x.csv", 2, "a_ErrInRcd_x_ErrInRcd_2.csv"),
        (".csv", 2, "_ErrInRcd_2.csv"),
    ],
)
def test_the_number_is_before_the_extension(name: str, record: int, stopped: str):
    assert stopped_name(name, record) == stopped


@pytest.mark.parametrize("name", ["a_ErrInRcd_6.b.csv", "_ErrInRcd_6", "a_ErrInRcd_.csv", "a_errinrcd_6.csv"])
def test_what_only_looks_like_it_is_left_alone_or_taken_off_at_the_end(name: str):
    assert original_name(original_name(name)) == original_name(name)


@given(
    stem=st.text(st.characters(codec="utf-8", exclude_characters="./\n"), min_size=1, max_size=30).filter(
        lambda text: "_ErrInRcd_" not in text
    ),
    extension=st.sampled_from(["", ".csv", ".tar.gz", "."]),
    numbers=st.lists(st.integers(1, 10**9), min_size=1, max_size=4),
)
def test_the_first_name_is_found_again_however_often_it_stopped(
    stem: str, extension: str, numbers: list[int]
):
    first = name = f"{stem}{extension}"
    for number in numbers:
        name = stopped_name(name, number)
        assert original_name(name) == first
    assert name.count("_ErrInRcd_") == 1


# -- reading ---------------------------------------------------------------------------------------------


class Counted:
    """A file made while it is read, which counts what was taken of it."""

    def __init__(self, lines: int, odd: dict[int, bytes] | None = None) -> None:
        self.taken, self._rest = 0, b""
        self._lines = self._made(lines, odd or {})

    def read(self, size: int = -1, /) -> bytes:
        while len(self._rest) < size and (line := next(self._lines, b"")):
            self._rest += line
        found, self._rest = self._rest[:size], self._rest[size:]
        self.taken += len(found)
        return found

    @staticmethod
    def _made(lines: int, odd: dict[int, bytes]) -> Iterator[bytes]:
        yield HEADER
        for number in range(1, lines + 1):
            yield odd.get(number, b"%014d,SUCCESS,%s\n" % (number, b"x" * 200))


def numbered(monkeypatch: pytest.MonkeyPatch, file: Counted) -> Iterator[tuple[int, dict[str, str]]]:
    """The records of this file with their numbers, as a run reads them."""

    @contextmanager
    def opened(directory: str, name: str) -> Iterator[Counted]:
        yield file

    store = SimpleNamespace(open=opened)
    monkeypatch.setattr(records, "store_of", lambda run, connection: store)
    job = RecordJob(
        "source", "/in", "f", "Sent-", ("syncRequestId", "status"), lambda: None, lambda *_: False
    )
    run: Any = SimpleNamespace()
    return records._numbered(run, job, FileInfo("f.csv", 0, ""))


def test_20000_records_are_read_as_they_are_sent_in_little_memory(monkeypatch: pytest.MonkeyPatch):
    # the issue: files of 2 GiB of records; what is held is a block, whatever the file's size
    file = Counted(20_000)
    found = numbered(monkeypatch, file)
    tracemalloc.start()
    number, first = next(found)
    taken_for_one = file.taken
    last = max(place for place, _ in found)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (number, last, first["syncRequestId"]) == (1, 20_000, "00000000000001")
    assert file.taken > 4_000_000
    assert taken_for_one < 600_000
    assert peak < 3_000_000


@pytest.mark.parametrize("odd", [1, 2, 500, 1500, 3000])
def test_those_before_one_that_cannot_be_read_are_there(monkeypatch: pytest.MonkeyPatch, odd: int):
    found = numbered(monkeypatch, Counted(3000, {odd: b"one,two\n"}))
    assert [next(found)[0] for _ in range(1, odd)] == list(range(1, odd))
    with pytest.raises(InvalidMessage, match=f"2 fields in record {odd}"):
        next(found)


@pytest.mark.parametrize("quoted", [1, 700, 2000])
def test_numbers_count_on_where_quotes_begin(monkeypatch: pytest.MonkeyPatch, quoted: int):
    odd = {quoted: b'%014d,ERROR,"a, ""b""\nc"\n' % quoted}
    found = dict(numbered(monkeypatch, Counted(2000, odd)))
    assert len(found) == 2000
    assert all(record["syncRequestId"] == f"{number:014}" for number, record in found.items())
    assert found[quoted]["errorMessage"] == 'a, "b"\nc'
