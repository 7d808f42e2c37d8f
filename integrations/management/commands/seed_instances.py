"""`manage.py seed_instances N`: made-up instances, to see the console with as many as a utility keeps."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from integrations.engine.faults import Fault
from integrations.services.instances_seed import instances_seed


class Command(BaseCommand):
    """Fill the instances, their keys, attempts, lines and errors."""

    help = "Write N made-up instances of this hub's flows, with keys, lines and errors; not in production."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many, over how long."""
        parser.add_argument("number", type=int, metavar="N", help="how many instances")
        parser.add_argument("--days", type=int, default=90, help="spread over so many days; 90")
        parser.add_argument("--lines", type=int, default=3, choices=range(5), help="activity lines each; 3")
        parser.add_argument("--seed", type=int, default=1, help="another number makes other rows")

    def handle(self, *_: Any, **options: Any) -> None:
        """Seed, with progress, and say what there is now."""
        number, days = options["number"], options["days"]
        if number < 1 or days < 1:
            raise CommandError("N and --days are at least 1")
        began = time.monotonic()
        with Progress(
            TextColumn("Instances"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        ) as bar:
            task = bar.add_task("", total=number)
            try:
                still_open = instances_seed(
                    number=number,
                    days=days,
                    seed=options["seed"],
                    lines=options["lines"],
                    made=lambda count: bar.update(task, completed=count),
                )
            except Fault as fault:
                raise CommandError(f"{fault.text}. {fault.hint}".strip()) from None
        took = time.monotonic() - began
        self.stdout.write(
            f"{number:,} instances over {days} days, {still_open:,} with an open error, in {took:.0f} s"
        )
