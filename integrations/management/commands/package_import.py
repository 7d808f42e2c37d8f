"""`manage.py package_import`: look at a package file, and import it."""

import getpass
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from integrations.engine.faults import Fault
from integrations.models import PackageImport
from integrations.services.package_format import Entry
from integrations.services.package_import import counts, package_apply, package_preview, package_upload
from integrations.services.package_read import LARGEST_ZIP
from integrations.storage import StorageError, payload_bytes

LEFT_OUT = 2  # the exit code where something of the package was left out


class Command(BaseCommand):
    """Preview, confirm, import, list what arrived."""

    help = "Import a package: shows what would change, keeps a backup, lists what arrived."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and how far to go."""
        parser.add_argument("file", metavar="FILE")
        parser.add_argument(
            "--preview", action="store_true", help="show what would change, and change nothing"
        )
        parser.add_argument("--yes", action="store_true", help="import without asking")
        parser.add_argument("--backup", metavar="FILE", help="write the backup here too")

    def handle(self, *_: Any, **options: Any) -> None:
        """Exit 0; 1 for a file that is no package or a no; 2 where something is left out."""
        try:
            row = self._uploaded(Path(options["file"]))
            entries = package_preview(row)
            self._print("What it would change", entries)
            if not options["preview"]:
                self._confirm(yes=options["yes"])
                entries = package_apply(row=row, actor=getpass.getuser())
                self._print("What arrived", entries)
                self._keep(row, options["backup"])
        except Fault as fault:
            raise CommandError(f"{fault.text}. {fault.hint}".strip()) from None
        except (OSError, StorageError) as error:
            raise CommandError(str(error)) from None
        if counts(entries)["refused"]:
            sys.exit(LEFT_OUT)

    def _uploaded(self, path: Path) -> PackageImport:
        with path.open("rb") as file:
            content = file.read(LARGEST_ZIP + 1)
        return package_upload(content=content, name=path.name, actor=getpass.getuser())

    def _confirm(self, *, yes: bool) -> None:
        if yes:
            return
        if not sys.stdin.isatty():
            raise CommandError("Say --yes to import, or --preview to look only")
        if input("Import it? [y/N] ").strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was imported")

    def _keep(self, row: PackageImport, path: str | None) -> None:
        if row.backup is not None and path:
            Path(path).write_bytes(payload_bytes(row.backup))
        kept = f", also in {path}" if path else ""
        self.stdout.write(f"A backup of what it touched is kept under Packages, import {row.pk}{kept}.")

    def _print(self, title: str, entries: Sequence[Entry]) -> None:
        console = Console(file=self.stdout, width=None if self.stdout.isatty() else 160)  # type: ignore[arg-type]  # writes text as files do
        table = Table(title=title, title_justify="left")
        for name in ("Kind", "Name", "State", "Changes, and what is left to do"):
            table.add_column(name, overflow="fold")
        for entry in entries:
            said = [
                f"{what}: {before or 'none'} → {after or 'none'}"
                for what, before, after in entry.changes[:20]
            ]
            more = [f"and {len(entry.changes) - 20} more changes"] if len(entry.changes) > 20 else []  # noqa: PLR2004
            lines = [*entry.problems, *entry.notes, *([] if entry.state == "added" else [*said, *more])]
            state = "left out" if entry.state == "refused" else entry.state
            table.add_row(entry.kind, Text(entry.name), state, Text("\n".join(lines)))
        console.print(table)
