"""What interval files say of themselves, as sentences (wire-facts 3.6); the flows' tests see them in the streams."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.engine.integrity import KWH_AVOIDED, LOAD_FORECAST, SHOWN, IntegrityTap, IntervalFile

KWH = (
    "EventId,ProgramId,SPId,ActualStartTime,ActualEndTime,IntervalSize(Seconds),TotalKwhSavedForPeriod,"
    "KwhSaved1,KwhSaved2"
)
FORECAST = "ProgramId,SPId,ForecastDate,IntervalSize(Seconds),KwReduction1"
GOOD = "E,P,S,2026-07-01T14:00:00-05:00,2026-07-01T14:30:00-05:00,900,1.25,1.00,0.25"


def said(content: str, shape: IntervalFile = KWH_AVOIDED, size: int = 65536) -> list[tuple[str, bool]]:
    """The notes a file leaves, each with whether it is a warning."""
    notes: list[tuple[str, bool]] = []
    run: Any = SimpleNamespace(note=lambda text, warning=False: notes.append((text, warning)))
    transfer: Any = "f.csv"
    tap = IntegrityTap(run, transfer, shape)
    data = content.encode()
    for start in range(0, len(data), size):
        tap.feed(data[start : start + size])
    tap.feed(b"")
    return notes


def test_a_file_that_holds_what_it_says_is_told_in_one_line():
    assert said(f"{KWH}\n{GOOD}\n{GOOD}\n") == [("f.csv: 2 record(s) hold what they say", False)]


@pytest.mark.parametrize(
    ("total", "wrong"), [("1.25", False), ("1.26", False), ("1.24", False), ("1.2700", True), ("-1.25", True)]
)
def test_a_sum_may_be_off_by_a_rounding(total: str, wrong: bool):
    notes = said(f"{KWH}\n{GOOD.replace('1.25', total)}\n")
    assert any(warning for _, warning in notes) == wrong


def test_sums_are_those_of_decimals():  # 0.1 three times is 0.3, which floats miss
    notes = said(f"{KWH}\n{GOOD.replace('1.25,1.00,0.25', '0.3,0.1,0.2')}\n")
    assert notes == [("f.csv: 1 record(s) hold what they say", False)]


@pytest.mark.parametrize("zone", ["Z", "+00:00", ""])
def test_a_period_may_cross_midnight_in_any_zone(zone: str):
    line = f"E,P,S,2026-06-30T23:45:00{zone},2026-07-01T00:15:00{zone},900,1.25,1.00,0.25"
    assert said(f"{KWH}\n{line}\n") == [("f.csv: 1 record(s) hold what they say", False)]


def test_a_period_across_the_change_of_the_clocks_is_as_long_as_it_was():
    line = "E,P,S,2026-11-01T01:45:00-04:00,2026-11-01T01:15:00-05:00,900,1.25,1.00,0.25"
    assert said(f"{KWH}\n{line}\n") == [("f.csv: 1 record(s) hold what they say", False)]


@pytest.mark.parametrize(
    "line",
    [
        GOOD.replace("14:00:00-05:00", "14:00:00"),
        GOOD.replace("1.00", "9e999999").replace("0.25", "9e999999"),
        GOOD.replace("1.00", "NaN"),
        GOOD.replace("1.00", "sNaN"),
        GOOD.replace("1.00", "Infinity").replace("0.25", "-Infinity"),
        GOOD.replace(",900,", f",{'9' * 6000},"),
        GOOD.replace(",900,", ",,"),
        GOOD.replace("2026-07-01T14:00:00-05:00", ""),
        GOOD.replace("2026-07-01T14:00:00-05:00", "10000-01-01"),
        GOOD.replace("1.25", "ü"),
    ],
)
def test_whatever_a_record_holds_it_is_said_and_stops_nothing(line: str):
    notes = said(f"{KWH}\n{line}\n{GOOD}\n")
    assert any(text.startswith("f.csv, record 1: ") and warning for text, warning in notes)
    assert not any("record 2" in text for text, _ in notes)


@given(
    cells=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters='",\r\n'), max_size=8), min_size=9, max_size=9
    )
)
def test_no_record_at_all_breaks_the_reading(cells: list[str]):
    notes = said(f"{KWH}\n{','.join(cells)}\n{GOOD}\n")
    assert notes


def test_the_first_findings_are_told_and_all_counted():
    bad = GOOD.replace("1.25", "9")
    notes = said(f"{KWH}\n" + f"{bad}\n" * 100)
    assert len([text for text, _ in notes if ", record " in text]) == SHOWN
    assert ("f.csv: 100 findings in all", True) in notes


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("P,S,2026-07-01,3600,1", ""),
        ("P,S,2026-07-01,3600,", "there is no forecast value"),
        ("P,S,2026-07-01,-1,1", "the interval is -1 s"),
        ("P,S,01/07/2026,3600,1", "cannot be read"),
        (",S,2026-07-01,3600,1", "ProgramId is blank"),
        ("P,S,2026-07-01,3600,one", "a value is no number"),
    ],
)
def test_a_forecast_has_a_date_an_interval_and_values(line: str, wrong: str):
    notes = said(f"{FORECAST}\n{line}\n", LOAD_FORECAST)
    assert any(wrong in text and warning for text, warning in notes) == bool(wrong)


def test_what_cannot_be_checked_says_why_once():
    (only,) = said("a,b\n1,2\n3,4\n")
    missing = "EventId, ProgramId, SPId, ActualStartTime, ActualEndTime, TotalKwhSavedForPeriod"
    assert only == (
        f"f.csv could not be checked: its header has no {missing}, IntervalSize(Seconds)",
        True,
    )
