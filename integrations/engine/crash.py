"""Crash points: named places where the fault tests kill or freeze the process; nothing at all in a hub that runs.

`HUB_CRASH_POINTS="after_publish:3"` strikes at the third passing; several are separated by commas.
`HUB_CRASH_MARK` names a folder where a strike leaves a mark, so that a point strikes once over restarts.
`HUB_CRASH_SIGNAL=STOP` freezes instead of killing.
"""

import os
import signal
from collections import Counter
from pathlib import Path


def _plan(text: str) -> dict[str, int]:
    pairs = (item.partition(":") for item in text.split(",") if item)
    return {name: int(count or 1) for name, _, count in pairs}


_wanted = _plan(os.environ.get("HUB_CRASH_POINTS", ""))
_signal = signal.Signals[f"SIG{os.environ.get('HUB_CRASH_SIGNAL', 'KILL')}"]
_passed: Counter[str] = Counter()


def _strike(name: str) -> None:
    """Kill or freeze this process at its n-th passing of the point, once."""
    if name not in _wanted:
        return
    _passed[name] += 1
    if _passed[name] != _wanted[name]:
        return
    if folder := os.environ.get("HUB_CRASH_MARK"):
        mark = Path(folder) / name
        if mark.exists():
            return
        mark.touch()
    os.kill(os.getpid(), _signal)


def _nothing(name: str) -> None:
    """What `crash` is without a plan."""


crash = _strike if _wanted else _nothing
