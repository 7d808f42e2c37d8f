"""One part in a process of its own: `python -m bench.part NAME`, set up by its environment (FULL)."""

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

MODULES: Mapping[str, str] = {
    "sync": "bench.sync_flow",
    "segments": "bench.segments",
    "files": "bench.file_flow",
    "lookups": "bench.lookups_mapping",
    "pickup": "bench.pickup",
    "storm": "bench.storm",
    "console": "bench.console",
}
ROUTES = ("sftp-sftp", "sftp-os", "os-os", "os-sftp")
PARTS = ("sync", "segments", *(f"files.{route}" for route in ROUTES), "lookups", "pickup", "storm", "console")


def main() -> None:
    """Measure; KeyError for a part there is not."""
    name, _, route = sys.argv[1].partition(".")
    module: Any = import_module(MODULES[name])
    measure: Callable[..., None] = module.measure
    more = {"route": route} if route else {}
    measure(full=os.environ.get("FULL", "") not in ("", "0"), **more)


if __name__ == "__main__":
    main()
