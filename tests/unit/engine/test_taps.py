"""Lines out of passing bytes, plain and zipped."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.engine.taps import LONGEST_LINE, Lines, Unreadable, Unzipped


def lines_of(content: bytes, size: int = 7) -> list[bytes]:
    found: list[bytes] = []
    lines = Lines(found.append)
    for start in range(0, len(content), size):
        lines.feed(content[start : start + size])
    lines.feed(b"")
    return found


def zipped(content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("C1-DCTEX_0033_00.csv", content)
    return packed.getvalue()


def unzipped(content: bytes, size: int) -> bytes:
    out: list[bytes] = []
    tap = Unzipped(out.append)
    for start in range(0, len(content), size):
        tap.feed(content[start : start + size])
    tap.feed(b"")
    return b"".join(out)


@given(
    st.lists(st.binary(max_size=40).filter(lambda b: b"\n" not in b and not b.endswith(b"\r"))),
    st.integers(1, 99),
)
def test_lines_come_out_whole_however_the_bytes_are_cut(lines: list[bytes], size: int):
    if lines and lines[0].startswith(b"\xef\xbb\xbf"):
        return
    assert lines_of(b"".join(line + b"\n" for line in lines), size) == lines


def test_a_last_line_without_an_end_counts():
    assert lines_of(b"one\ntwo") == [b"one", b"two"]


def test_windows_line_ends_and_a_bom_are_dropped():
    assert lines_of(b"\xef\xbb\xbfone\r\ntwo\r\n") == [b"one", b"two"]


def test_a_line_without_end_is_refused_before_it_fills_memory():
    with pytest.raises(Unreadable, match="longer than"):
        lines_of(b"x" * (LONGEST_LINE + 2), size=LONGEST_LINE + 2)


@pytest.mark.parametrize("size", [1, 13, 4096])
def test_a_zip_is_read_as_it_passes(size: int):
    content = b"a\tb\tc\n" * 500
    assert unzipped(zipped(content), size) == content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no zip at all, but long enough to be looked at", "no zip"),
        (zipped(b"stored", zipfile.ZIP_STORED), "method is 0"),
        (zipped(b"x" * 1000)[:50] + b"\xff" * 40, "damaged"),
    ],
    ids=["no zip", "stored", "damaged"],
)
def test_what_cannot_be_unzipped_is_said(content: bytes, said: str):
    with pytest.raises(Unreadable, match=said):
        unzipped(content, 4096)


def test_a_bomb_unpacks_piece_by_piece():
    sizes: list[int] = []
    tap = Unzipped(lambda piece: sizes.append(len(piece)))
    tap.feed(zipped(b"\0" * 50_000_000))
    assert sum(sizes) == 50_000_000
    assert max(sizes) <= 256 * 1024
