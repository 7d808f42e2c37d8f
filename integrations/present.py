"""How values look in the console: badges, durations, sizes, JSON, differences. Data is always escaped."""

import difflib
import json
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

SECOND, MINUTE, HOUR, DAY = 1000.0, 60_000.0, 3_600_000.0, 86_400_000.0

_STATES = {
    "good": "succeeded sent done synchronised recovered passed set active closed",
    "bad": "bad failed error open crashed refused missing expired given-up",
    "warn": "held waiting warning unknown retry overdue not-set fenced retried debug not-tested",
    "busy": "running ready pending sending copying publishing awaiting resubmitted intent new info",
}
VARIANTS = {
    state.replace("-", " "): variant for variant, states in _STATES.items() for state in states.split()
}


def variant_of(value: str) -> str:
    """The colour a state is shown in; "plain" for a state without one."""
    return VARIANTS.get(value, "plain")


def badge(value: str, text: str = "", variant: str = "") -> SafeString:
    """A state as a coloured label, its text escaped."""
    return format_html('<span class="bb-badge bb-{}">{}</span>', variant or variant_of(value), text or value)


def link(url: str, text: str) -> SafeString:
    """A link, both parts escaped."""
    return format_html('<a class="bb-link" href="{}">{}</a>', url, text)


def duration(milliseconds: float | None) -> str:
    """`340 ms`, `3.4 s`, `2 min 10 s`, `1 h 5 min`; "" for none."""
    if milliseconds is None:
        return ""
    if milliseconds < SECOND:
        return f"{milliseconds:.0f} ms" if milliseconds >= 1 else f"{milliseconds:.1f} ms"
    if milliseconds < MINUTE:
        return f"{milliseconds / SECOND:.1f} s"
    if milliseconds < HOUR:
        return f"{milliseconds // MINUTE:.0f} min {milliseconds % MINUTE / SECOND:.0f} s"
    if milliseconds < DAY:
        return f"{milliseconds // HOUR:.0f} h {milliseconds % HOUR / MINUTE:.0f} min"
    return f"{milliseconds // DAY:.0f} d {milliseconds % DAY / HOUR:.0f} h"


def between(start: datetime | None, end: datetime | None) -> str:
    """How long from start to end, or until now while it is not over; "" if it has not begun."""
    if start is None:
        return ""
    return duration(max(((end or timezone.now()) - start).total_seconds() * 1000, 0))


def size(count: int | None) -> str:
    """`812 B`, `3.1 KB`, `48.0 MB`; "" for none."""
    if count is None:
        return ""
    value = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1024 or unit == "GB":  # noqa: PLR2004  (a binary thousand)
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return ""


def pretty_json(content: bytes) -> str:
    """JSON bytes indented; anything else as text, undecodable bytes replaced."""
    try:
        return json.dumps(json.loads(content), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return content.decode("utf-8", "replace")


def differences(before: bytes, after: bytes) -> list[dict[str, str]]:
    """The lines of a unified difference of two payloads: `kind` is add, drop, place or same."""
    lines = difflib.unified_diff(
        pretty_json(before).splitlines(),
        pretty_json(after).splitlines(),
        "original",
        "edited",
        lineterm="",
        n=2,
    )
    kinds = {"+": "add", "-": "drop", "@": "place"}
    return [{"kind": kinds.get(line[:1], "same"), "text": line} for line in list(lines)[2:]]


def short(text: str, length: int = 90) -> str:
    """The first line of a text, cut."""
    first = text.strip().splitlines()[0] if text.strip() else ""
    return first if len(first) <= length else first[: length - 1] + "…"


def as_text(value: Any) -> str:
    """A JSON value on one line, for tables."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def in_words(times: list[datetime]) -> list[str]:
    """Times in their own zones: `Sat 30 Nov 2024 02:00 GMT`."""
    return [f"{time:%a %d %b %Y %H:%M %Z}" for time in times]
