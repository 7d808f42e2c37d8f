"""`make run`: the hub and its neighbours on this machine, all projects' jobs done once, the console to look at.

Environment: PORT (8000), ONCE (1: stop after them, exit 0 only if every effect was seen at the neighbours),
HUB_VAR (var/), DEMO_CUSTOMERS (300), DEMO_CHANGES (24 an extract), DEMO_PATIENCE (30 s without news).
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import django
from django.core.management import call_command
from django.db import connections

from demo.children import ChildDiedError
from demo.day import play_day
from demo.day_analytics_effects import analytics
from demo.day_calls import Operator, trouble_calls
from demo.day_points import service_points
from demo.day_steps import programs
from demo.day_story import Script
from demo.effects import Effect
from demo.faults import MODES
from demo.job import put_extracts, wait_for_effects
from demo.kept import Kept, port_is_free, write_private
from demo.lock import AlreadyRunsError, RunLock
from demo.show import Show
from demo.stage import ROOT, CannotStartError, NotReadyError, Stage, collect_static, log_to, variables
from demo.world import NEIGHBOURS, World

CUSTOMER_SYNC = "Customer sync, CCS and DACS"


class StoppedError(BaseException):
    """Ctrl-C or SIGTERM. Not an Exception, so that nothing on the way takes it for a fault."""


@dataclass(frozen=True, slots=True)
class Options:
    """How this run was asked for."""

    port: int
    once: bool
    var: Path
    customers: int
    changes: int
    patience: float
    breaks: tuple[tuple[str, str], ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit code."""
    show = Show()
    try:
        options = options_from(arguments)
        if not port_is_free(options.port):
            raise CannotStartError(
                f"Port {options.port} is taken. Stop what listens there, or choose another: "
                f"make run PORT={options.port + 1}"
            )
        _listen_to_signals()
        with RunLock(options.var / "run.lock") as lock:
            return _run(options, lock, show)
    except (CannotStartError, AlreadyRunsError) as error:
        show.trouble(str(error))
        return 1


def options_from(arguments: Sequence[str] | None) -> Options:
    """Options from the command line and the environment; CannotStartError for values that mean nothing."""
    parser = argparse.ArgumentParser(prog="python -m demo.run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--break", dest="breaks", action="append", default=[], metavar="NEIGHBOUR:MODE")
    given = parser.parse_args(arguments)
    return Options(
        port=_number("PORT", 8000, most=65535),
        once=os.environ.get("ONCE", "").lower() in ("1", "true", "yes"),
        var=Path(os.environ.get("HUB_VAR") or ROOT / "var").resolve(),
        customers=_number("DEMO_CUSTOMERS", 300),
        changes=_number("DEMO_CHANGES", 24),
        patience=float(_number("DEMO_PATIENCE", 30)),
        breaks=tuple(_break(text) for text in given.breaks),
    )


def _break(text: str) -> tuple[str, str]:
    name, _, mode = text.partition(":")
    if name not in NEIGHBOURS or mode not in MODES:
        raise CannotStartError(
            f"--break {text}: it takes one of {', '.join(NEIGHBOURS)}, a colon, and one of {', '.join(MODES)}"
        )
    return name, mode


def _number(name: str, default: int, *, most: int = 1_000_000) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdigit() or not 0 < int(text) <= most:
        raise CannotStartError(f"{name} is {text!r}; it has to be a whole number from 1 to {most}")
    return int(text)


def _listen_to_signals() -> None:
    def stop(number: int, _: FrameType | None) -> None:
        raise StoppedError(signal.Signals(number).name)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _run(options: Options, lock: RunLock, show: Show) -> int:
    """Everything from the neighbours on, with everything stopped in the end whatever comes."""
    began = time.monotonic()
    kept = Kept(options.var / "demo" / "kept.json")
    stage = Stage(var=options.var, port=options.port, lock=lock)
    world = World(
        options.var / "demo",
        hub_url=stage.url,
        kept=kept,
        population=options.customers,
        breaks=options.breaks,
    )
    try:
        with show.step("Neighbours"):
            world.start()
        reason = _play(options, stage, world, show)
        if not options.once:
            show.line("\nUp until Ctrl-C.")
            while True:
                stage.watch()
                time.sleep(0.5)
        show.line(f"[dim]{time.monotonic() - began:.0f} s in all[/]")
    except StoppedError as stopped:
        reason = f"Stopped by {stopped} before every effect was seen" if options.once else ""
    except (ChildDiedError, NotReadyError, CannotStartError) as error:
        reason = str(error)
    finally:
        _stop(stage, world, show)
    if reason:
        show.trouble(reason)
    return 1 if reason else 0


def _stop(stage: Stage, world: World, show: Show) -> None:
    """Stop all; a second Ctrl-C meanwhile changes nothing."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    with show.step("Stopped"):
        killed = stage.stop()
        world.stop()
    if killed:
        show.trouble(f"Had to be killed: {', '.join(killed)}")


def _play(options: Options, stage: Stage, world: World, show: Show) -> str:
    """Set up, start, do the jobs; why it is not right, "" where it is."""
    variables(
        [
            ("HUB_ENV", "embedded"),
            ("HUB_VAR", str(options.var)),
            ("HUB_URL", stage.url),
            ("EMAIL_URL", world.mail_url),
            ("DJANGO_SETTINGS_MODULE", "hub.settings"),
        ]
    )
    demo = _set_up(options, world, show)
    with show.step("Web server and worker"):
        stage.start()
        stage.wait_until_ready()
    for name, mode in options.breaks:
        show.line(f"[yellow]{name} is told to fail: {mode}[/]")
    seen = [(CUSTOMER_SYNC, _job(options, stage, world, show))]
    for day in _days(world):
        effects = play_day(
            day, state=_inside().instance_state, show=show, watch=stage.watch, patience=options.patience
        )
        seen.append((day.title, effects))
    for title, effects in seen:
        show.effects(effects, title)
    show.log_ins(demo)
    missing = [f"  {one.reason}" for _, effects in seen for one in effects if not one.ok]
    return "Not everything happened:\n" + "\n".join(missing) if missing else ""


def _days(world: World) -> list[Script]:
    """What is played after the customer sync, in this order."""
    start = _inside().run_flow
    return [
        programs(world.day_places, start=start),
        analytics(world.analytics_places, start=start),
        service_points(world.points_places),
        trouble_calls(world.call_places, Operator(start, _inside("operating").restore_incident)),
    ]


def _set_up(options: Options, world: World, show: Show) -> dict[str, Any]:
    """The database, the packages, the connections; what `var/demo.json` says."""
    with show.step("Database, packages and console"):
        log = options.var / "log" / "setup.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as output:
            django.setup()
            log_to(options.var / "log" / "neighbours.log")
            call_command("migrate", interactive=False, verbosity=1, stdout=output)
        collect_static(options.var / "static", call_command, log)
        demo: dict[str, Any] = _inside().set_up(world, port=options.port)
        connections.close_all()
    write_private(options.var / "demo.json", demo)
    return demo


def _inside(name: str = "setting_up") -> Any:
    """What runs inside the hub: it imports models, which Django allows once it is set up."""
    return import_module(f"demo.{name}")


def _job(options: Options, stage: Stage, world: World, show: Show) -> list[Effect]:
    """The customer sync; what came of it."""
    with show.step("CCS puts its extracts, the hub is told to fetch them"):
        started = put_extracts(world.places, changes=options.changes, start=_inside().run_customer_sync)
    return wait_for_effects(started, world.places, show=show, watch=stage.watch, patience=options.patience)


if __name__ == "__main__":
    sys.exit(main())
