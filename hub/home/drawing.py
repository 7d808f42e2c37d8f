"""Bars as SVG paths, drawn here: no script and no request from outside."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, GAP, HEIGHT = 4, 1, 24
LEAST = 1.5  # so that one failure among thousands is still seen


@dataclass(frozen=True)
class Spark:
    """A row of small bars; `good` and `bad` are paths, `words` what they say."""

    width: int
    good: str
    bad: str
    words: str


def _height(number: int, highest: int) -> float:
    return max(HEIGHT * number / highest, LEAST) if number else 0.0


def spark(good: Sequence[int], bad: Sequence[int], words: str) -> Spark:
    """Bars of good with bad on top, all in one scale; as many of each."""
    highest = max(map(sum, zip(good, bad, strict=True)), default=0) or 1
    paths: dict[str, list[str]] = {"good": [], "bad": []}
    for place, (well, ill) in enumerate(zip(good, bad, strict=True)):
        top = _height(ill, highest)
        bottom = min(_height(well, highest), HEIGHT - top)
        left = place * (WIDTH + GAP)
        if bottom:
            paths["good"].append(f"M{left} {HEIGHT}v-{bottom:.1f}h{WIDTH}v{bottom:.1f}z")
        if top:
            paths["bad"].append(f"M{left} {HEIGHT - bottom:.1f}v-{top:.1f}h{WIDTH}v{top:.1f}z")
    width = max(len(good) * (WIDTH + GAP) - GAP, 1)
    return Spark(width, "".join(paths["good"]), "".join(paths["bad"]), words)
