"""`manage.py crm_import`: fill service delivery points and the landbase from files, or from the network's list."""

import getpass
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from crm.services.import_rows import Imported, read_csv
from crm.services.landbase_import import landbase_import
from crm.services.service_points_from_network import service_points_from_network
from crm.services.service_points_import import service_points_import
from integrations.engine.faults import Fault
from integrations.models import NetworkLocation

SERVICES: dict[str, Callable[..., Imported]] = {
    "service-points": service_points_import,
    "landbase": landbase_import,
}
CHUNK = 5000


class Command(BaseCommand):
    """Import one file, or once what the network's files said before."""

    help = "Import service delivery points or landbase objects from a CSV file; problems are printed line by line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What, and from where."""
        what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
        for name, columns in (
            ("service-points", "servicePointId, customerPriority, transformerId, x, y, address"),
            ("landbase", "searchType, x, y, and one for each search parameter"),
        ):
            one = what.add_parser(name, help=f"a CSV file with columns {columns}")
            one.add_argument("file", metavar="FILE", help="UTF-8, its first line names the columns")
            one.add_argument(
                "--projection", default="", metavar="EPSG:…", help="of x and y; default: the model's"
            )
        what.add_parser("network", help="all service points that network location files named so far")

    def handle(self, *_: Any, **options: Any) -> None:
        """Import, then say what came of it; exit 1 where a row was left out."""
        try:
            done = self._network() if options["what"] == "network" else self._file(options)
        except Fault as fault:
            raise CommandError(f"{fault.text}. {fault.hint}".strip()) from None
        for problem in done.problems:
            self.stderr.write(problem)
        if done.bad > len(done.problems):
            self.stderr.write(f"… {done.bad} rows in all were left out")
        self.stdout.write(
            f"{done.added} added, {done.changed} changed, {done.unchanged} unchanged, {done.bad} left out"
        )
        if done.bad:
            sys.exit(1)

    def _file(self, options: dict[str, Any]) -> Imported:
        service, path = SERVICES[options["what"]], Path(options["file"])
        with _bar() as bar, _opened(path, bar) as file:
            return service(rows=read_csv(file), actor=getpass.getuser(), projection=options["projection"])

    def _network(self) -> Imported:
        rows = NetworkLocation.objects.order_by("service_point_id")
        with _bar() as bar:
            task = bar.add_task("Network locations", total=rows.count())
            return service_points_from_network(locations=_counted(rows.iterator(chunk_size=CHUNK), bar, task))


def _bar() -> Progress:
    """A bar on a terminal, nothing elsewhere; beside what is printed, not in it."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _opened(path: Path, bar: Progress) -> TextIO:
    """The file; the bar shows how much of it is read."""
    try:
        return bar.open(path, "r", encoding="utf-8-sig", newline="", description=f"Importing {path.name}")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None


def _counted(rows: Iterable[NetworkLocation], bar: Progress, task: TaskID) -> Iterator[NetworkLocation]:
    for row in rows:
        yield row
        bar.advance(task)
