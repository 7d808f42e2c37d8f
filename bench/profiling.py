"""Where the time goes: one flow under cProfile in this process, in a throw-away hub.

`python -m bench.profiling sync`, `small [count] [route]` or `large [MiB] [route]`; the last two move files over real
servers (route: sftp-sftp, sftp-os, os-os or os-sftp), and first without the profiler, which makes Python dearer than it
is and the servers and the disk cheaper.
"""

import cProfile
import os
import pstats
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.processes import hub_environment

if TYPE_CHECKING:
    from bench.routes import Batch

MOST_LINES = 45
REQUESTS, FILES, LARGE_MIB, ROUTE = 200, 500, 256, "sftp-sftp"


def main() -> None:
    """Profile and print, the dearest first, by own time and by time with all below."""
    kinds: dict[str, Callable[..., None]] = {"sync": _sync, "files": _small, "small": _small, "large": _large}
    if len(sys.argv) < 2 or sys.argv[1] not in kinds:
        sys.exit(f"Name what to profile: {', '.join(kinds)}")
    with tempfile.TemporaryDirectory(prefix="busbar-profile-", dir=os.environ.get("HUB_VAR")) as folder:
        os.environ.clear()
        os.environ.update(hub_environment(Path(folder), {}))
        kinds[sys.argv[1]](*sys.argv[2:])


class Profiles:
    """This thread under the profiler, and beside it each thread it starts."""

    def __init__(self) -> None:
        """Nothing is profiled yet."""
        self.own = cProfile.Profile()
        self.others: list[cProfile.Profile] = []

    def run(self, work: Callable[[], None]) -> None:
        """Do it. A thread can only be profiled by a hook that it calls itself, before its first function."""
        threading.setprofile(self._begin)
        try:
            self.own.runcall(work)
        finally:
            threading.setprofile(None)

    def _begin(self, *_: Any) -> None:
        profile = cProfile.Profile()
        self.others.append(profile)
        profile.enable()

    def show(self, count: int, unit: str) -> None:
        """This thread's time, then that of all others together, whose waiting is in it."""
        stats = pstats.Stats(self.own)
        sys.stdout.write(f"{1000 * _total(stats) / count:.2f} ms a {unit} under the profiler\n")
        _print(stats)
        if self.others:
            sys.stdout.write(f"\nThe {len(self.others)} other threads together, waiting included\n")
            _print(pstats.Stats(*self.others))


def _total(stats: pstats.Stats) -> float:
    return float(stats.total_tt)  # type: ignore[attr-defined]  # pstats has it, its stubs do not


def _print(stats: pstats.Stats) -> None:
    for order in ("tottime", "cumulative"):
        stats.strip_dirs().sort_stats(order).print_stats(MOST_LINES)


def _show(work: Callable[[], None], count: int, unit: str) -> None:
    profiles = Profiles()
    profiles.run(work)
    profiles.show(count, unit)


def _sync() -> None:
    from bench.hub import prepare, reaches  # noqa: PLC0415  (settings are read from the environment just set)
    from bench.neighbours import ccs_process  # noqa: PLC0415  (as above)
    from bench.sync_flow import hub_in_this_process  # noqa: PLC0415  (as above)

    with ccs_process(REQUESTS + 20) as ccs:
        prepare(reaches(ccs.reach), {})
        post = hub_in_this_process()
        for key in ccs.take(20):
            post(key)
        keys = ccs.take(REQUESTS)

        def work() -> None:
            for key in keys:
                post(key)

        _show(work, REQUESTS, "request")


def _small(count: str = str(FILES), route: str = ROUTE) -> None:
    from bench.routes import SMALL_BYTES, Batch  # noqa: PLC0415  (as above)

    _files(Batch(int(count), SMALL_BYTES), route)


def _large(mib: str = str(LARGE_MIB), route: str = ROUTE) -> None:
    from bench.routes import MIB, Batch  # noqa: PLC0415  (as above)

    _files(Batch(1, int(mib) * MIB), route)


def _files(batch: "Batch", name: str) -> None:
    """A run to warm up, one whose time and CPU are said, one under the profiler."""
    from bench.routes import SMALL_BYTES, Batch, Route  # noqa: PLC0415  (as above)
    from bench.runs import in_this_process  # noqa: PLC0415  (as above)

    with Route.made(name, Path(os.environ["HUB_VAR"])) as route:
        route.fill(Batch(2, SMALL_BYTES))
        in_this_process(route)
        route.fill(batch)
        began, used = time.perf_counter(), time.process_time()
        in_this_process(route)
        took, used = time.perf_counter() - began, time.process_time() - used
        each = 1000 / batch.amount
        sys.stdout.write(
            f"{route.title}, {batch.name}: {batch.amount / took:.1f} {batch.units}/s without the profiler: "
            f"{took * each:.2f} ms a {batch.unit}, {used * each:.2f} of them CPU here\n"
        )
        route.again()
        _show(lambda: in_this_process(route), int(batch.amount), batch.unit)


if __name__ == "__main__":
    main()
