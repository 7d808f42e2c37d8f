"""One part in a process of its own: `python -m bench.part NAME`, set up by its environment (FULL, BENCH_WORK)."""

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

PARTS: Mapping[str, str] = {
    "sync": "bench.sync_flow",
    "files": "bench.file_flow",
    "lookups": "bench.lookups_mapping",
    "pickup": "bench.pickup",
}


def main() -> None:
    """Measure; KeyError for a part there is not."""
    module: Any = import_module(PARTS[sys.argv[1]])
    measure: Callable[..., None] = module.measure
    measure(full=os.environ.get("FULL", "") not in ("", "0"))


if __name__ == "__main__":
    main()
