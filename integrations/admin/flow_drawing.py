"""A flow as a picture: its steps downward, what each uses beside it. Inline SVG; no font is measured, lines are cut by
counting. Two forms of one story: a wide one, and a narrow one for phones, of which the page's style shows one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from integrations.admin.flow_parts import Side
from integrations.admin.flow_story import Step

LINE = 17  # from one line of text to the next
PAD, GAP = 10, 26
WIDE, NARROW = 960, 340
SPINE_X, SPINE = 330, 300  # of the wide form: where the column of steps begins, and how wide it is
SIDE = 280
RIGHT_X = WIDE - SIDE
INDENT = 30
LEFT = ("lookup",)
CAPTIONS = {"lookup": "Lookup", "connection": "Connection", "caller": "Caller", "flow": "Flow"}
_BREAKS = re.compile(r"(?<=[-_./ ])")


@dataclass(frozen=True, slots=True)
class Box:
    """Where something is drawn."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Half its height down."""
        return self.y + self.height / 2


def drawing(steps: Sequence[Step], name: str) -> SafeString:
    """Both forms of the picture."""
    return format_html("{}{}", _svg(_wide(steps), WIDE, name), _svg(_narrow(steps), NARROW, name))


def lines_of(text: str, width: float) -> list[str]:
    """A text in lines that fit so many pixels, broken after spaces, hyphens, underscores, dots and slashes."""
    lines, line, used = [], "", 0.0
    for piece in _BREAKS.split(text):
        size = sum(8.8 if one.isupper() or one in "_W@mw" else 6.9 for one in piece)
        if line and used + size > width:
            lines.append(line.rstrip())
            line, used = "", 0.0
        line, used = line + piece, used + size
    return [*lines, line.rstrip()] if line else lines


def _svg(drawn: tuple[SafeString, float], width: int, name: str) -> SafeString:
    form = "wide" if width == WIDE else "narrow"
    return format_html(
        '<svg class="bb-flow bb-flow-{0}" role="group" aria-label="{1}, drawn; the list below says the same"'
        ' viewBox="0 0 {2} {3}" width="{2}" height="{3}"><defs><marker id="arrow-{0}" viewBox="0 0 10 10" refX="9"'
        ' refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 10 5 0 10z" class="bb-flow-head"/>'
        "</marker></defs>{4}</svg>",
        form,
        name,
        width,
        f"{drawn[1]:.0f}",
        drawn[0],
    )


def _wide(steps: Sequence[Step]) -> tuple[SafeString, float]:
    """Steps in the middle, who calls and lookups on their left, connections and flows on their right."""
    parts: list[SafeString] = []
    y, before = 4.0, None
    for step in steps:
        left = [side for side in step.sides if side.kind in LEFT or step.kind == "source"]
        right = [side for side in step.sides if side not in left]
        row = max(_step_height(step, SPINE), *(_column_height(sides, SIDE) for sides in (left, right)))
        box = Box(SPINE_X, y + (row - _step_height(step, SPINE)) / 2, SPINE, _step_height(step, SPINE))
        if before is not None:
            parts.append(_arrow(SPINE_X + SPINE / 2, before, box.y, "wide", dashed=step.kind == "failure"))
        parts.append(_step(step, box))
        for sides, x, edge in ((left, 0, SPINE_X), (right, RIGHT_X, SPINE_X + SPINE)):
            parts += _beside(sides, x, y + (row - _column_height(sides, SIDE)) / 2, edge, box.middle)
        before, y = box.y + box.height, y + row + GAP
    return mark_safe("".join(parts)), y - GAP + 6  # noqa: S308  (each part is escaped)


def _narrow(steps: Sequence[Step]) -> tuple[SafeString, float]:
    """All in one column; what a step uses hangs below it."""
    parts: list[SafeString] = []
    y, before = 4.0, None
    for step in steps:
        box = Box(2, y, NARROW - 4, _step_height(step, NARROW - 4))
        if before is not None:
            parts.append(_arrow(14, before, y, "narrow", dashed=step.kind == "failure"))
        parts.append(_step(step, box))
        before, y = box.y + box.height, box.y + box.height + 8
        for side in step.sides:
            place = Box(INDENT, y, NARROW - INDENT - 2, _side_height(side, NARROW - INDENT))
            parts += [_tie(14, place.middle, INDENT, place.middle), _side(side, place)]
            y += place.height + 8
        y += GAP - 8
    return mark_safe("".join(parts)), y - GAP + 10  # noqa: S308  (each part is escaped)


def _beside(sides: Sequence[Side], x: float, y: float, edge: float, middle: float) -> list[SafeString]:
    parts = []
    for side in sides:
        box = Box(x + 1, y, SIDE - 2, _side_height(side, SIDE))
        near = box.x + box.width if x < edge else box.x
        parts += [_tie(near, box.middle, edge, middle), _side(side, box)]
        y += box.height + 8
    return parts


def _column_height(sides: Sequence[Side], width: float) -> float:
    return sum(_side_height(side, width) + 8 for side in sides) - 8 if sides else 0.0


def _side_height(side: Side, width: float) -> float:
    return LINE * (1 + len(lines_of(side.name, width - 2 * PAD))) + PAD


def _step_lines(step: Step, width: float) -> list[tuple[str, str]]:
    inner = width - 2 * PAD - 6
    found = [("title", line) for line in lines_of(step.title, inner)]
    found += [("soft", line) for line in lines_of(step.detail, inner)]
    return found + ([("took", step.took)] if step.took else [])


def _step_height(step: Step, width: float) -> float:
    return LINE * len(_step_lines(step, width)) + 2 * PAD - 4


def _step(step: Step, box: Box) -> SafeString:
    body = _rect(box, f"step bb-flow-{step.kind}", 18 if step.kind in ("source", "answer") else 6)
    return _linked(step.url, body + _text(_step_lines(step, box.width), box.x + PAD + 3, box.y + LINE + 3))


def _side(side: Side, box: Box) -> SafeString:
    caption = CAPTIONS[side.kind] + (f", {side.state}" if side.state else "")
    kind = "connection" if side.kind == "caller" else side.kind
    trouble = {"": "", "inactive": " bb-flow-off"}.get(side.state, " bb-flow-trouble")
    body = _rect(box, f"side bb-flow-{kind}{trouble}", {"connection": 16, "flow": 2}.get(kind, 6))
    if kind == "flow":  # a called process, as flow charts draw it
        body += format_html(
            '<path class="bb-flow-bar" d="M{0} {1}v{3}M{2} {1}v{3}"/>',
            box.x + 5,
            box.y,
            box.x + box.width - 5,
            box.height,
        )
    told = [("soft", caption), *(("name", line) for line in lines_of(side.name, box.width - 2 * PAD))]
    return _linked(side.url, body + _text(told, box.x + PAD + 2, box.y + LINE))


def _rect(box: Box, kind: str, radius: int) -> SafeString:
    return format_html(
        '<rect class="bb-flow-{}" x="{}" y="{}" width="{}" height="{}" rx="{}"/>',
        kind,
        box.x,
        f"{box.y:.1f}",
        box.width,
        f"{box.height:.1f}",
        radius,
    )


def _text(lines: Sequence[tuple[str, str]], x: float, y: float) -> SafeString:
    return format_html_join(
        "",
        '<text class="bb-flow-{}" x="{}" y="{}">{}</text>',
        ((kind, x, f"{y + place * LINE:.1f}", line) for place, (kind, line) in enumerate(lines)),
    )


def _linked(url: str, body: SafeString) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, body) if url else format_html("<g>{}</g>", body)


def _arrow(x: float, start: float, end: float, form: str, *, dashed: bool) -> SafeString:
    kind = "line bb-flow-dashed" if dashed else "line"
    return format_html(
        '<path class="bb-flow-{}" d="M{} {}V{}" marker-end="url(#arrow-{})"/>',
        kind,
        x,
        f"{start:.1f}",
        f"{end - 1:.1f}",
        form,
    )


def _tie(x1: float, y1: float, x2: float, y2: float) -> SafeString:
    half = (x1 + x2) / 2
    return format_html(
        '<path class="bb-flow-tie" d="M{} {}H{}V{}H{}"/>', x1, f"{y1:.1f}", half, f"{y2:.1f}", x2
    )
