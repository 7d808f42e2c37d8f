"""`manage.py package_export`: packages as a zip."""

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.engine.faults import Fault
from integrations.services.package_export import package_export


class Command(BaseCommand):
    """Write a package file."""

    help = "Export packages (none named: all) as a zip: settings, connections without secrets, lookups, extensions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Names, and where to."""
        parser.add_argument("names", nargs="*", metavar="NAME", help="a package; none: all")
        parser.add_argument("--output", required=True, metavar="FILE")
        parser.add_argument(
            "--samples", action="store_true", help="extensions' samples too, which may hold customers' data"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Exit 1 where there is no such package, or the file cannot be written."""
        try:
            content = package_export(
                names=options["names"], samples=options["samples"], actor=getpass.getuser()
            )
            Path(options["output"]).write_bytes(content)
        except Fault as fault:
            raise CommandError(f"{fault.text}. {fault.hint}".strip()) from None
        except OSError as error:
            raise CommandError(f"{options['output']} cannot be written: {error}") from None
        self.stdout.write(f"{options['output']}: {len(content):,} bytes")
