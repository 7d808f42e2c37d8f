"""CSV records out of passing bytes, however these are cut (seed 002, ReadFileinSegments)."""

import csv
import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.engine.csv_records import LONGEST_LINE, MOST_COLUMNS, CsvRecords
from integrations.engine.faults import InvalidMessage

FIELD = st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=8)


class Dribble:
    """A reader that gives at most `step` bytes at a time, as sockets do."""

    def __init__(self, content: bytes, step: int) -> None:
        self._bytes, self._step = io.BytesIO(content), step

    def read(self, size: int = -1, /) -> bytes:
        return self._bytes.read(self._step if size < 0 else min(size, self._step))


def records(
    content: bytes, *, step: int = 65536, size: int = 1000, columns: tuple[str, ...] = ("a", "b")
) -> list:
    found = CsvRecords(Dribble(content, step), columns, name="x.csv")
    return [record for segment in found.segments(size) for record in segment.records()]


def written(rows: list[list[str]], end: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(FIELD, min_size=2, max_size=2), max_size=8),
    step=st.integers(1, 40),
    size=st.integers(1, 4),
    end=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
)
def test_every_record_comes_out_once_and_in_order_however_the_bytes_are_cut(
    rows: list[list[str]], step: int, size: int, end: str, bom: bool
):
    content = (b"\xef\xbb\xbf" if bom else b"") + written([["a", "b"], *rows], end)
    assert records(content, step=step, size=size) == [{"a": one, "b": other} for one, other in rows]


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (4, [4]), (5, [4, 1]), (8, [4, 4])])
def test_segments_are_full_but_the_last(count: int, sizes: list[int]):
    content = b"a,b\n" + b"1,2\n" * count
    found = CsvRecords(Dribble(content, 3), ("a",), name="x").segments(4)
    assert [len(segment.records()) for segment in found] == sizes
    assert CsvRecords(Dribble(content, 3), ("a",), name="x").count() == count


def test_names_are_as_the_flow_spells_them_and_others_as_they_came():
    assert records(b" A ,B,Other\n1,2,3\n") == [{"a": "1", "b": "2", "Other": "3"}]


def test_a_blank_line_is_no_record_but_a_record_of_blanks_is_one():
    assert records(b"a,b\n\n,\n\r\n1,2\n") == [{"a": "", "b": ""}, {"a": "1", "b": "2"}]


@pytest.mark.parametrize("step", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"a,c\n", "has no column b in its header, line 1"),
        (b"a,b,a\n", "names a twice in its header, line 1"),
        (b"a,b\n1,2\n3\n", "has 1 fields in record 2, and 2 in its header"),
        (b'a,b\n1,"2"\n3\n', "has 1 fields in record 2, and 2 in its header"),
        (b"a,b\n1,2\n\xff,4\n", "is not UTF-8 in line 3"),
        (b"a,b\n1,2\n3,\xc3", "ends in the middle of a character"),
        (b"a,b\n1,2\n\x00,4\n", "holds a NUL in line 3"),
        (b'a,b\n1,"2\n3,4\n', "cannot be read after record"),
        (b'a,b\n1,"2"3\n', "cannot be read after record"),
    ],
)
def test_what_cannot_be_read_names_file_and_place_however_it_is_cut(content: bytes, said: str, step: int):
    for use in (lambda found: list(found.segments(1000)), CsvRecords.count):
        with pytest.raises(InvalidMessage) as raised:
            use(CsvRecords(Dribble(content, step), ("a", "b"), name="x.csv"))
        assert raised.value.text.startswith(f"The file x.csv {said}")
        assert raised.value.hint


def test_a_zip_file_is_known_by_its_beginning():
    with pytest.raises(InvalidMessage, match="is a zip file"):
        records(b"PK\x03\x04" + b"\x00" * 30)


def test_the_most_columns_are_taken_and_one_more_is_not():
    names = ["a", "b", *(f"c{number}" for number in range(MOST_COLUMNS - 2))]
    line = ",".join(names)
    assert len(records(f"{line}\n{line}\n".encode())[0]) == MOST_COLUMNS
    with pytest.raises(InvalidMessage, match=f"has {MOST_COLUMNS + 1} columns"):
        records(f"{line},more\n".encode())


def test_a_line_without_end_is_refused_before_it_fills_memory():
    class Endless:
        """A reader that never comes to an end."""

        def __init__(self) -> None:
            self.given = len(b"a,b\n1,2\n")
            self.first = True

        def read(self, size: int = -1, /) -> bytes:
            if self.first:
                self.first = False
                return b"a,b\n1,2\n"
            self.given += size
            return b"x" * size

    reader = Endless()
    tracemalloc.start()
    with pytest.raises(InvalidMessage, match=f"line longer than {LONGEST_LINE} characters after line 2"):
        for _ in CsvRecords(reader, ("a",), name="x.csv").segments(10):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reader.given < 3 * LONGEST_LINE
    assert peak < 8 * LONGEST_LINE


def test_a_million_records_are_read_in_constant_memory():
    class Lines:
        """A reader of so many lines."""

        def __init__(self, lines: int) -> None:
            self.left = lines

        def read(self, size: int = -1, /) -> bytes:
            some = min(self.left, 20_000)
            self.left -= some
            return b"a,b\n" * some

    tracemalloc.start()
    counted = CsvRecords(Lines(200_001), ("a",), name="x").count()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counted == 200_000
    assert peak < 8_000_000
