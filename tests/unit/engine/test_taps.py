"""Lines out of passing bytes, plain and zipped, and the records of an extract out of those."""

import io
import random
import zipfile
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.engine.sync_requests import FLAGGED, RECORD, SyncRequestTap
from integrations.engine.taps import LONGEST_LINE, PORTION, MarkedLines, Unreadable, Unzipped
from integrations.models import SyncRequest
from tests.factories import FileTransferFactory, InstanceFactory, SyncRequestFactory

ANY_LINE = st.binary(max_size=40).filter(lambda line: b"\n" not in line)
FLAGGED_LINE = st.tuples(ANY_LINE, ANY_LINE).map(lambda sides: sides[0] + b"\tF1IC\t" + sides[1])


def blocks_of(content: bytes, size: int = 7) -> list[bytes]:
    found: list[bytes] = []
    lines = MarkedLines(FLAGGED, found.append)
    for start in range(0, len(content), size):
        lines.feed(content[start : start + size])
    lines.feed(b"")
    return found


def records_of(content: bytes, size: int = 7) -> list[tuple[str, str]]:
    return [pair for block in blocks_of(content, size) for pair in RECORD.findall(block.decode()) if pair[0]]


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


@given(st.lists(ANY_LINE | FLAGGED_LINE, max_size=12), st.integers(1, 99))
def test_every_flagged_line_comes_out_whole_once_and_in_order_however_the_bytes_are_cut(
    lines: list[bytes], size: int
):
    content = b"".join(line + b"\n" for line in lines)
    clean = content.replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf")
    blocks = blocks_of(content, size)
    assert all(block.endswith(b"\n") and FLAGGED.search(block.split(b"\n")[0]) for block in blocks)
    given_out = [line for block in blocks for line in block.split(b"\n") if FLAGGED.search(line)]
    assert given_out == [line for line in clean.split(b"\n") if FLAGGED.search(line)]


def test_what_is_not_flagged_does_not_come_out():
    assert blocks_of(b"1\t2\tF1IL\t3\n" * 1000, 4096) == []


def test_a_block_begins_with_the_first_flagged_line():
    assert blocks_of(b"a\nb\tF1IC\tc\nd\ne", 99) == [b"b\tF1IC\tc\nd\n"]


@pytest.mark.parametrize("size", [1, 5, 99])
@pytest.mark.parametrize(
    "content",
    [
        b"11\tt\tF1IC\tPER11\n12\tt\tF1IC\tPER12\tRES\n",
        b"11\tt\tF1IC\tPER11\n12\tt\tF1IC\tPER12",
        b"\xef\xbb\xbf11\tt\tF1IC\tPER11\n12\tt\tF1IC\tPER12\tx\r\n",
        b"1\x001\tt\tF1\x00IC\tPER11\n\x0012\tt\tF1IC\tPER12\n",
        b"11\tt\tF1IC\tPER11\n\n\t\tF1IC\tno reference\n12\tt\tF1IC\tPER12\n",
        b"11\tt\tF1IC\tPER11\n9\tt\tF1IL\tinitial\n12\tt\tF1IC\tPER12\n",
        b"11\tt\tF1IC\tPER11\n9\tt\tx\tF1IC\tanother column\nF1IC\t1\n12\tt\tF1IC\tPER12\n",
        b"9\tt\tF1IC\n11\tt\tF1IC\tPER11\n12\tt\tF1IC\tPER12\n9\tt\tXF1IC\tPER9\n9\tt\tF1ICX\tPER9\n",
    ],
    ids=[
        "plain",
        "no last end",
        "BOM and CRLF",
        "NUL",
        "no reference",
        "initial",
        "other column",
        "too short",
    ],
)
def test_only_records_of_an_incremental_extract_are_found(content: bytes, size: int):
    assert records_of(content, size) == [("11", "PER11"), ("12", "PER12")]


def test_a_line_without_end_is_refused_before_it_fills_memory():
    with pytest.raises(Unreadable, match="longer than"):
        blocks_of(b"x" * (LONGEST_LINE + 2), size=LONGEST_LINE + 2)
    with pytest.raises(Unreadable, match="longer than"):
        blocks_of(b"x" * (LONGEST_LINE + 2), size=60_000)


def test_what_came_before_a_line_without_end_is_given_out():
    found: list[bytes] = []
    with pytest.raises(Unreadable):
        MarkedLines(FLAGGED, found.append).feed(b"1\tF1IC\t2\n" + b"x" * (LONGEST_LINE + 1))
    assert found == [b"1\tF1IC\t2\n"]


@pytest.mark.parametrize("size", [1, 13, 4096, 5 * PORTION])
def test_a_zip_is_read_as_it_passes(size: int):
    content = random.Random(size).randbytes(300 if size == 1 else 4 * PORTION) + b"a\tb\tc\n" * 500
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


@pytest.fixture
def listen(db):
    """A tap on a new file of one run; it is fed the content and the end."""
    instance = InstanceFactory()
    run = SimpleNamespace(
        instance=instance, spec=SimpleNamespace(package=SimpleNamespace(name="test.package"))
    )

    def feed(content: bytes) -> SyncRequestTap:
        tap = SyncRequestTap(run, FileTransferFactory(instance=instance), "Contact")  # type: ignore[arg-type]
        tap.feed(content)
        tap.feed(b"")
        return tap

    return feed


def test_an_initial_load_asks_the_database_nothing(listen, django_assert_num_queries):
    with django_assert_num_queries(1):  # the insertion of the file's own row
        assert listen(b"\tt\tF1IL\tPER1\n" * 5000).noted == 0


def test_a_small_incremental_file_costs_two_statements(listen, django_assert_num_queries):
    with django_assert_num_queries(3):  # and the insertion of the file's own row
        listen(b"11\tt\tF1IC\tPER11\n")


def test_thousands_of_requests_of_one_block_are_all_noted_and_each_once(listen):
    lines = [b"%d\tt\tF1IC\tPER%d\n" % (number, number) for number in range(2500)]
    assert listen(b"".join(lines)).noted == 2500
    assert listen(b"".join(lines)).noted == 2500
    rows = SyncRequest.objects.order_by("id").values_list("sync_request_id", "external_id", "status")
    assert list(rows) == [(str(number), f"PER{number}", "pending") for number in range(2500)]


def test_a_noted_request_has_its_file_its_run_and_its_source(listen):
    listen(b"11\tt\tF1IC\tPER11\tZ\xc3\xa4hler\n")
    row = SyncRequest.objects.get()
    assert (row.package, row.entity, row.message, row.positive) == ("test.package", "Contact", "", None)
    assert (row.file_transfer.instance, row.source) == (row.instance, row.file_transfer.source)
    assert row.noted_at is not None


def test_ids_longer_than_their_columns_are_cut(listen):
    listen(b"1" * 300 + b"\tt\tF1IC\t" + b"P" * 300 + b"\n")
    row = SyncRequest.objects.get()
    assert (row.sync_request_id, row.external_id) == ("1" * 120, "P" * 120)


@pytest.mark.parametrize(
    ("status", "then"),
    [
        ("error", "retried"),
        ("unknown", "pending"),
        ("synchronised", "synchronised"),
        ("awaiting", "awaiting"),
    ],
)
def test_a_request_known_from_before_waits_anew_where_it_has_to(listen, status: str, then: str):
    SyncRequestFactory(sync_request_id="11", status=status)
    listen(b"11\tt\tF1IC\tPER11\n12\tt\tF1IC\tPER12\n")
    assert SyncRequest.objects.get(sync_request_id="11").status == then
    assert SyncRequest.objects.get(sync_request_id="12").status == "pending"
