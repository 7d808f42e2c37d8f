"""The main job, done once: CCS's extracts through the hub to DACS, and DACS's acknowledgements back (issue 2)."""

import time
from collections.abc import Callable, Sequence

from demo.effects import Effect, Neighbourhood, Started, effects
from demo.extracts import CONTACT, SERVICE, SERVICE_POINT
from demo.show import Bars, Show

# Batch, what it extracts, and whether CCS zips the file (seed 001 chapter 3).
EXTRACTS = (("C1-DCTEX", CONTACT, False), ("C1-DSPEX", SERVICE_POINT, True), ("C1-DMSEX", SERVICE, False))
POLL_SECONDS = 0.25


def put_extracts(places: Neighbourhood, *, changes: int, start: Callable[[str], str]) -> list[Started]:
    """CCS changes `changes` customers for each extract and puts the files; `start` runs the flow for a batch.

    `start` takes the batch code and gives the instance's id.
    """
    extracts = []
    for code, entity, zipped in EXTRACTS:
        places.ccs.change(entity, changes)
        extracts.append(places.ccs.extract(code, places.source, zipped=zipped))
    return [Started(extract, start(extract.batch)) for extract in extracts]


def wait_for_effects(
    started: Sequence[Started],
    places: Neighbourhood,
    *,
    show: Show,
    watch: Callable[[], None],
    patience: float,
) -> list[Effect]:
    """Look at the neighbours until every effect is there, or nothing new has come for `patience` seconds.

    `watch` is called between looks; what it raises ends the wait.
    """
    with show.bars("Customer sync, CCS → hub → DACS and back") as bars:
        return look_until_seen(
            lambda: effects(started, places), bars=bars, watch=watch, patience=patience, every=POLL_SECONDS
        )


def look_until_seen(
    look: Callable[[], list[Effect]],
    *,
    bars: Bars,
    watch: Callable[[], None],
    patience: float,
    every: float,
) -> list[Effect]:
    """The effects of the last `look`: all there, or nothing new for `patience` seconds; `every` so many of them."""
    last: object = None
    moved = time.monotonic()
    while True:
        seen = look()
        bars.update(seen)
        now = [one.seen for one in seen]
        if now != last:
            last, moved = now, time.monotonic()
        if all(one.ok for one in seen) or time.monotonic() - moved > patience:
            return seen
        watch()
        time.sleep(every)
