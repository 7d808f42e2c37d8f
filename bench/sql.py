"""Counting what the hub asks its database."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

_VERB = re.compile(r"\s*(\w+)")
_TABLE = re.compile(r'(?:FROM|INTO|UPDATE)\s+"(\w+)"')
WRITES = ("INSERT", "UPDATE", "DELETE")


@dataclass(slots=True)
class Statements:
    """What was asked: statements by verb and table, and how often a transaction that wrote was committed."""

    kinds: Counter[str] = field(default_factory=Counter)
    commits: int = 0

    @property
    def total(self) -> int:
        """All that ask or write; beginnings of transactions and savepoints not counted."""
        return sum(count for kind, count in self.kinds.items() if kind.split()[0] in ("SELECT", *WRITES))

    @property
    def writes(self) -> int:
        """Those that write."""
        return sum(count for kind, count in self.kinds.items() if kind.split()[0] in WRITES)


@contextmanager
def counted() -> Iterator[Statements]:
    """Count the statements of this thread's connection until the block ends."""
    found = Statements()
    open_writes = False

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal open_writes
        verb = _verb(sql)
        table = _TABLE.search(sql)
        found.kinds[f"{verb} {table[1]}" if table else verb] += 1
        if verb == "BEGIN":
            open_writes = False
        if verb in WRITES:
            if not connection.in_atomic_block:
                found.commits += 1
            elif not open_writes:
                found.commits += 1
                open_writes = True
        elif not connection.in_atomic_block:
            open_writes = False
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def _verb(sql: str) -> str:
    match = _VERB.match(sql)
    return match[1].upper() if match else "?"
