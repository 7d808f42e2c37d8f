"""Retries are values: when to try again, or not (reliability rule 12)."""

import random
from dataclasses import dataclass
from datetime import timedelta

from integrations.engine.faults import Fault

BASE_SECONDS, LONGEST_SECONDS = 1.0, 300.0
MOST_ASKED_FOR = 3600.0  # a target that asks for a year is not obeyed


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after `wait`; `counted` is false for waiting on a breaker, which is nobody's failure."""

    wait: timedelta
    counted: bool = True


def retry_for(
    fault: Fault, *, made: int, allowed: int, waits: bool, roll: float | None = None
) -> Retry | None:
    """What a fault asks for after `made` retries of `allowed`; None: it is final.

    `waits`: a caller waits, so nothing is retried by itself. `roll` in [0, 1) is the jitter.
    """
    if waits or not fault.passing:
        return None
    if fault.code == "HUB-BREAKER-OPEN":
        return Retry(timedelta(seconds=fault.retry_after or BASE_SECONDS), counted=False)
    if made >= allowed:
        return None
    backoff = min(BASE_SECONDS * 2**made, LONGEST_SECONDS)
    jitter = 0.5 + (random.random() if roll is None else roll) / 2  # noqa: S311  (spreads load, guards nothing)
    return Retry(timedelta(seconds=max(backoff * jitter, min(fault.retry_after or 0, MOST_ASKED_FOR))))
