"""Where the time goes: `python -m bench.profiling sync|files` runs one flow under cProfile in a throw-away hub."""

import cProfile
import os
import pstats
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.processes import hub_environment

MOST_LINES = 45
REQUESTS, FILES = 200, 100


def main() -> None:
    """Profile and print, the dearest first, by own time and by time with all below."""
    what = {"sync": _sync, "files": _files}[sys.argv[1]]
    with tempfile.TemporaryDirectory(prefix="busbar-profile-") as folder:
        os.environ.clear()
        os.environ.update(hub_environment(Path(folder), {}))
        what()


def _show(work: Callable[[], None], count: int, unit: str) -> None:
    profile = cProfile.Profile()
    profile.runcall(work)
    stats = pstats.Stats(profile)
    sys.stdout.write(f"{1000 * stats.total_tt / count:.1f} ms a {unit} under the profiler\n")  # type: ignore[attr-defined]  # pstats has it, its stubs do not
    for order in ("tottime", "cumulative"):
        stats.strip_dirs().sort_stats(order).print_stats(MOST_LINES)


def _sync() -> None:
    from bench.hub import prepare, reaches  # noqa: PLC0415  (settings are read from the environment just set)
    from bench.neighbours import ccs_process  # noqa: PLC0415  (as above)
    from bench.sync_flow import hub_in_this_process  # noqa: PLC0415  (as above)

    with ccs_process(REQUESTS + 20) as ccs:
        prepare(reaches(ccs.url, ccs.user, ccs.password, None), {})
        post = hub_in_this_process()
        for key in ccs.take(20):
            post(key)
        keys = ccs.take(REQUESTS)

        def work() -> None:
            for key in keys:
                post(key)

        _show(work, REQUESTS, "request")


def _files() -> None:
    from bench.file_flow import Places, in_this_process  # noqa: PLC0415  (as above)

    with Places.made(Path(os.environ["HUB_VAR"])) as places:
        places.fill(2)
        in_this_process(places)
        places.fill(FILES)
        _show(lambda: in_this_process(places), FILES, "file")


if __name__ == "__main__":
    main()
