"""Rows out of passing bytes, however these are cut; what cannot be read ends the reading and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from integrations.engine.csv_records import LONGEST_LINE
from integrations.engine.csv_tap import CsvTap


class Kept(CsvTap):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.rows: list[list[str]] = []
        self.odd_ones: list[int] = []
        self.ends = 0

    def header(self, cells: list[str]) -> None:
        if "refuse" in cells:
            raise ValueError("it is refused")
        self.names = cells

    def record(self, cells: list[str]) -> None:
        self.rows.append(cells)

    def odd(self, cells: list[str]) -> None:
        self.odd_ones.append(self.number)

    def ended(self) -> None:
        self.ends += 1


def tapped(content: bytes, size: int = 65536) -> Kept:
    tap = Kept()
    for start in range(0, len(content), size):
        tap.feed(content[start : start + size])
    tap.feed(b"")
    return tap


@given(
    rows=st.lists(st.tuples(st.integers(0, 10**9), st.sampled_from(["", "x", "ü電"])), max_size=20),
    size=st.integers(1, 40),
    end=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
    final=st.booleans(),
)
def test_rows_are_the_same_however_the_bytes_are_cut(rows: list, size: int, end: str, bom: bool, final: bool):
    lines = ["one,two", *(f"{number},{text}" for number, text in rows)]
    content = (("\ufeff" if bom else "") + end.join(lines) + (end if final else "")).encode()
    found = tapped(content, size)
    assert (found.names, found.broken, found.ends) == (["one", "two"], "", 1)
    assert found.rows == [[str(number), text] for number, text in rows]
    assert found.number == len(rows)


def test_blank_lines_are_no_records_and_count_none():
    found = tapped(b"\none,two\n\n1,2\n\r\n3,4\n\n")
    assert found.rows == [["1", "2"], ["3", "4"]]


def test_a_record_of_another_length_is_odd_and_counted():
    found = tapped(b"one,two\n1,2\n3\n4,5,6\n7,8\n")
    assert (found.odd_ones, found.number, len(found.rows)) == ([2, 3], 4, 2)


def test_a_file_that_is_no_text_is_broken_and_the_rest_is_not_looked_at():
    for content in (b"PK\x03\x04", b"\xff\xfe\n1,2\n", b"one,two\n\xc3\n1,2\n"):
        found = tapped(content * 3, 7)
        assert found.broken
        assert found.ends == 1


def test_a_line_without_end_is_given_up_before_it_fills_the_memory():
    tap = Kept()
    for _ in range(40):
        tap.feed(b"x" * 65536)
    assert tap.broken == "it is no CSV file of lines"
    assert len(tap._rest) <= LONGEST_LINE + 65536


def test_a_header_that_is_refused_ends_the_reading():
    found = tapped(b"refuse,two\n1,2\n")
    assert (found.broken, found.rows) == ("it is refused", [])


def test_nothing_at_all_is_nothing_wrong():
    found = tapped(b"")
    assert (found.broken, found.number, found.ends) == ("", 0, 1)


def test_a_newline_in_quotes_is_part_of_its_field_where_it_comes_in_one_block():
    assert tapped(b'one,two\n1,"a\nb"\n').rows == [["1", "a\nb"]]
