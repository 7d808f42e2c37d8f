"""Where service points hang, out of passing bytes however these are cut (seed 002, SP Network Location Transfer)."""

import random
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.engine.csv_records import LONGEST_LINE
from integrations.engine.network_locations import AT_ONCE, LONGEST, NetworkLocationTap
from integrations.models import FileTransfer, NetworkLocation
from tests.factories import FileTransferFactory

HEADER = b"servicePointId,division,transformerId,feederId,substationId,action,effectiveDateTime\n"
MAY, JUNE = "2026-05-01T00:00:00.000Z", "2026-06-01T00:00:00.000Z"


def line(name: str, transformer: str = "TX", effective: str = MAY) -> bytes:
    return f"{name},CA,{transformer},FD,SUB,ADD,{effective}\n".encode()


def tapped(content: bytes, size: int = 65536, transfer: FileTransfer | None = None) -> Any:
    """The tap after the whole content has passed, with what it said."""
    said: list[str] = []
    run: Any = SimpleNamespace(note=lambda text, warning=False: said.append(text))
    tap = NetworkLocationTap(run, transfer or FileTransferFactory())
    for start in range(0, len(content), size):
        tap.feed(content[start : start + size])
    tap.feed(b"")
    return SimpleNamespace(noted=tap.noted, unusable=tap.unusable, said=said)


def known() -> dict[str, str]:
    return dict(NetworkLocation.objects.values_list("service_point_id", "transformer_id"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.integers(1, 10_000), unique=True, max_size=12), size=st.integers(1, 90))
def test_every_service_point_is_noted_however_the_bytes_are_cut(db: None, numbers: list[int], size: int):
    NetworkLocation.objects.all().delete()
    content = HEADER + b"".join(line(f"{number}", f"TX{number}") for number in numbers)
    found = tapped(content, size)
    assert (found.noted, found.unusable) == (len(numbers), 0)
    assert known() == {f"{number}": f"TX{number}" for number in numbers}


def test_more_than_a_batch_is_noted_and_each_row_names_its_file(db: None):
    transfer = FileTransferFactory()
    found = tapped(HEADER + b"".join(line(f"{number}") for number in range(2 * AT_ONCE + 1)), 7000, transfer)
    assert found.noted == NetworkLocation.objects.filter(file_transfer=transfer).count() == 2 * AT_ONCE + 1
    assert found.said == [f"Network places of {found.noted} service point(s) noted from {transfer}"]


def test_columns_come_in_any_order_and_any_case_and_may_lack(db: None):
    tapped(b"TRANSFORMERID,ServicePointId\nTX-7,1\n")
    row = NetworkLocation.objects.get()
    assert (row.service_point_id, row.transformer_id, row.feeder_id, row.effective_at) == (
        "1",
        "TX-7",
        "",
        None,
    )


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_bom_are_as_they_like(db: None, begin: bytes, end: bytes):
    content = begin + (HEADER + line("1") + line("2")).replace(b"\n", end).removesuffix(end)
    assert tapped(content).noted == 2
    assert set(known()) == {"1", "2"}


def test_the_same_file_again_changes_nothing(db: None):
    content = HEADER + line("1", "TX-1") + line("2", "TX-2")
    tapped(content)
    assert tapped(content).noted == 2
    assert known() == {"1": "TX-1", "2": "TX-2"}


def test_an_older_effective_date_does_not_overwrite(db: None):
    tapped(HEADER + line("1", "NEW", JUNE))
    tapped(HEADER + line("1", "OLD", MAY))
    assert known() == {"1": "NEW"}
    tapped(HEADER + line("1", "SAME DAY", JUNE))
    assert known() == {"1": "SAME DAY"}


def test_of_one_service_point_the_last_record_counts(db: None):
    assert tapped(HEADER + line("1", "FIRST") + line("1", "LAST")).noted == 1
    assert known() == {"1": "LAST"}


@pytest.mark.parametrize("written", ["", "soon", "2026-05-01T00:00:00", "2026-02-31T00:00:00Z"])
def test_a_date_that_is_none_is_unknown_and_the_place_is_noted(db: None, written: str):
    tapped(HEADER + line("1", "TX", written))
    assert NetworkLocation.objects.get().effective_at is None
    tapped(HEADER + line("1", "TX", JUNE))
    assert NetworkLocation.objects.get().effective_at == datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "record",
    [b"1,CA\n", b"1,CA,TX,FD,SUB,ADD,x,more\n", line(""), line("x" * (LONGEST + 1)), line("1", "y" * 61)],
)
def test_a_record_that_is_odd_is_counted_and_said(db: None, record: bytes):
    found = tapped(HEADER + record + line("2"))
    assert (found.noted, found.unusable, set(known())) == (1, 1, {"2"})
    assert any("1 record(s)" in text and "were not understood" in text for text in found.said)


@pytest.mark.parametrize(
    ("content", "noted"),
    [
        (b"a,b\n1,2\n", 0),
        (b"PK\x03\x04" + b"x" * 50, 0),
        (HEADER + line("1") + b"\xff\n", 0),
        (HEADER + b"x" * (LONGEST_LINE + 70_000), 0),
        (b"", 0),
        (HEADER, 0),
    ],
    ids=["another header", "zip", "Latin-1", "a line without end", "empty", "header alone"],
)
def test_what_is_no_csv_stops_nothing(db: None, content: bytes, noted: int):
    found = tapped(content)
    assert found.noted == noted
    assert len(found.said) == (1 if content in (b"", HEADER) else 2)


def test_bytes_of_any_kind_raise_nothing(db: None):
    dice = random.Random(2)
    for _ in range(30):
        tapped(HEADER + dice.randbytes(400), dice.randint(1, 99))
