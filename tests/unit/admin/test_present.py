"""How values are shown."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations import present


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (None, ""),
        (0.4, "0.4 ms"),
        (340, "340 ms"),
        (3400, "3.4 s"),
        (130_000, "2 min 10 s"),
        (3_900_000, "1 h 5 min"),
        (90_000_000, "1 d 1 h"),
    ],
)
def test_a_duration(milliseconds, shown):
    assert present.duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(None, ""), (0, "0 B"), (812, "812 B"), (3174, "3.1 KB"), (2**40, "1024.0 GB")]
)
def test_a_size(count, shown):
    assert present.size(count) == shown


def test_a_clock_that_went_back_is_no_negative_duration():
    now = datetime.now(UTC)
    assert present.between(now, now - timedelta(seconds=5)) == "0.0 ms"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{", b"[" * 100_000])
def test_what_is_no_json_is_shown_as_text(content):
    assert present.pretty_json(content) == content.decode("utf-8", "replace")


def test_a_badge_is_escaped():
    assert "<b>" not in present.badge("<b>", "<b>")


def test_differences_are_lines():
    lines = present.differences(b'{"a": 1}', b'{"a": 2}')
    assert {(line["kind"], line["text"]) for line in lines} >= {("drop", '-  "a": 1'), ("add", '+  "a": 2')}
