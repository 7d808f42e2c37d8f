"""How far a mapping may go before it is stopped."""

from dataclasses import dataclass

EXPRESSION_CHARACTERS = 100_000  # of one expression, base or site
PAD_CHARACTERS = 100_000  # that $pad may make at once


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one evaluation. `milliseconds` of wall time, `depth` of calls, `items` of one list, `output`
    characters of JSON."""

    milliseconds: int
    depth: int
    items: int
    output: int


# Mappings that ship with the code: a guard against a loop that only some messages start.
BASE = Limits(milliseconds=5_000, depth=500, items=100_000, output=32 * 1024 * 1024)
# Expressions a site wrote in the console (contract, "Mapping extensions"; security case S18).
SITE = Limits(milliseconds=1_500, depth=200, items=20_000, output=1024 * 1024)

CPU_SECONDS = 2  # of one extension at one message, all items of a list together
MEMORY_BYTES = 256 * 1024 * 1024  # above what the worker process needs to start
WALL_SECONDS = 4.0  # as CPU_SECONDS, for a machine that is busy; time spent answering lookups not counted
QUESTIONS = 10_000  # lookups one extension may ask for at one message
MOST_WORKERS = 4  # sandbox processes at once in one process of the hub; one stays warm
OUT_OF_MEMORY = 86  # exit status of a sandbox process that could not get what Python asked for
