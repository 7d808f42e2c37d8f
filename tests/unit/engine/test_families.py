"""What makes two errors the same."""

import pytest

from integrations.engine.families import normalised


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("C1-DCTEX_0033_00.csv was cut at 512", "C1-DCTEX_0034_00.csv was cut at 77"),
        ("0198c1d2-aaaa-7bbb-8ccc-ddddeeeeffff failed", "0198c1d2-0000-7111-8222-333344445555 failed"),
        ("no value 'ABC' in lookup", "no value 'XYZ' in lookup"),
        ("at 2026-01-02T03:04:05Z", "at 2027-11-12T13:14:15.123+01:00"),
    ],
)
def test_what_changes_from_instance_to_instance_is_taken_out(one: str, other: str):
    assert normalised(one) == normalised(other)


def test_different_causes_stay_apart():
    assert normalised("CCS refused the login") != normalised("DACS refused the login")
