"""What other apps have the beat do every so often; they register it when they are ready."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Chore:
    """Something done every so often by whichever beat leads it."""

    name: str
    every: float
    do: Callable[[], object]


_chores: dict[str, Chore] = {}


def chore(name: str, every_seconds: float, do: Callable[[], object]) -> None:
    """Have the beat do this every so many seconds. Of two chores of one name the later counts."""
    _chores[name] = Chore(name, every_seconds, do)


def chores() -> list[Chore]:
    """What is registered."""
    return list(_chores.values())
