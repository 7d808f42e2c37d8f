"""Crash points: named places where the fault tests kill or freeze the process; nothing at all in a hub that runs.

`HUB_CRASH_POINTS="after_publish:3"` strikes at the third passing; several are separated by commas.
`HUB_CRASH_MARK` names a folder where a strike leaves a mark, so that a point strikes once over restarts.
`HUB_CRASH_SIGNAL=STOP` freezes instead of killing.

`HUB_CRASH_FILE` names a file instead, which a test writes while the hub runs: `[earlier>]name[:count] HOW number`, HOW
being KILL or STOP. Passings count from then on, with `earlier>` from when this process has passed that point; `number`
tells two like plans apart. Who strikes renames the file to `<file>.struck` first: a plan strikes once, whoever passes.
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
_file = Path(os.environ.get("HUB_CRASH_FILE", ""))
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


def _strike_as_filed(name: str) -> None:
    """As `_strike`, by the plan that is in the file now."""
    try:
        text = _file.read_text()
    except FileNotFoundError:
        return
    point, how, _ = text.split()
    earlier, _, wanted = point.rpartition(">")
    ((last, count),) = _plan(wanted).items()
    if name == earlier:
        _passed[f"{text} {earlier}"] += 1
    if name != last or (earlier and not _passed[f"{text} {earlier}"]):
        return
    _passed[text] += 1
    if _passed[text] == count and _taken():
        os.kill(os.getpid(), signal.Signals[f"SIG{how}"])


def _taken() -> bool:
    """Whether it is this process that strikes: several may come to the point at once."""
    try:
        _file.rename(f"{_file}.struck")
    except FileNotFoundError:
        return False
    return True


def _nothing(name: str) -> None:
    """What `crash` is without a plan."""


crash = _strike if _wanted else _strike_as_filed if "HUB_CRASH_FILE" in os.environ else _nothing
