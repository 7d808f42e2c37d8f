"""What a measurement gives: figures beside their yardsticks, counted facts, and news of how far it is."""

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

__all__ = ["Fact", "Figure", "Progress", "median", "percentile", "tell"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value and what the same run measured as its yardstick, in one unit; ratio = value / yardstick.

    `peak_mib`: the most memory resident, where it was watched; `cpu_ms`: CPU of a file or a MiB, where it is about
    these; `ratios`: of each round.
    """

    part: str
    what: str
    value: float
    unit: str
    yardstick: float
    yardstick_what: str
    more_is_better: bool
    rounds: int = 1
    peak_mib: float | None = None
    yardstick_peak_mib: float | None = None
    cpu_ms: float | None = None
    yardstick_cpu_ms: float | None = None
    ratios: Sequence[float] = ()

    @property
    def ratio(self) -> float:
        """Value over yardstick; not a number where the yardstick is nothing."""
        return self.value / self.yardstick if self.yardstick else math.nan


@dataclass(frozen=True, slots=True)
class Fact:
    """Something counted or read that has no yardstick, e.g. SQL statements a request."""

    part: str
    what: str
    value: float | str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a part is: `done` of `total` rounds, and what it does now."""

    doing: str
    done: int
    total: int


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all values do not exceed; ValueError for no values."""
    if not values:
        raise ValueError("There is no percentile of nothing")
    ranked = sorted(values)
    return ranked[max(0, math.ceil(percent / 100 * len(ranked)) - 1)]


def tell(news: Figure | Fact | Progress) -> None:
    """One JSON line to whoever started this part."""
    kind = type(news).__name__
    sys.stdout.write(json.dumps({"kind": kind, **asdict(news)}) + "\n")
    sys.stdout.flush()


def heard(line: str) -> Figure | Fact | Progress:
    """What `tell` wrote; ValueError for anything else."""
    content = json.loads(line)
    kinds = {"Figure": Figure, "Fact": Fact, "Progress": Progress}
    if not isinstance(content, dict) or content.get("kind") not in kinds:
        raise ValueError(f"This is no news of a part: {line[:200]!r}")
    made: Figure | Fact | Progress = kinds[content.pop("kind")](**content)
    return made
