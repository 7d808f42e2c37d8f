"""What `make run` says on the terminal, in whole lines where it is none."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from demo.effects import Effect


class Show:
    """The terminal. Everything is printed once, so that a log of it reads well too."""

    def __init__(self, console: Console | None = None) -> None:
        """`console`: rich's own by default."""
        self.console = console or Console(highlight=False)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Say what is done now, then that it is done and how long it took."""
        began = time.monotonic()
        with self.console.status(f"{what} …"):
            yield
        self.done(what, time.monotonic() - began)

    def line(self, text: str) -> None:
        """One line."""
        self.console.print(text)

    def trouble(self, text: str) -> None:
        """Why it does not go on, word for word."""
        self.console.print("✗", style="bold red", end=" ")
        self.console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def bars(self, what: str) -> Iterator["Bars"]:
        """Bars, one for each kind of effect that comes in numbers; then how long it took."""
        began = time.monotonic()
        columns = (
            TextColumn("  {task.description:<46}"),
            BarColumn(24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(
            *columns, console=self.console, transient=True, disable=not self.console.is_terminal
        ) as shown:
            yield Bars(shown)
        self.console.print(f"  {what} [dim]{time.monotonic() - began:.1f} s[/]")

    def done(self, what: str, seconds: float) -> None:
        """Something has come about, and how long it took."""
        self.console.print(f"[green]✓[/] {what} [dim]{seconds:.1f} s[/]", soft_wrap=True)

    def effects(self, effects: Sequence[Effect], title: str = "") -> None:
        """The short table: what had to happen, and what was seen at the neighbours."""
        head = ("", "Effect, checked at the neighbour", "Expected", "Seen")
        table = Table(*head, title=title or None, title_justify="left", title_style="bold")
        for one in effects:
            mark = "[green]✓[/]" if one.ok else "[bold red]✗[/]"
            table.add_row(mark, one.what, str(one.expected), str(one.seen), style="" if one.ok else "red")
        self.console.print(table)

    def log_ins(self, demo: Mapping[str, Any]) -> None:
        """Where to go from here."""
        self.console.print(f"\nConsole  [bold]{demo['console']}[/]")
        table = Table("User", "Password", "Role", box=None, pad_edge=False)
        for user in demo["users"]:
            table.add_row(user["username"], user["password"], user["role"])
        self.console.print(table)


class Bars:
    """Progress by what is counted."""

    def __init__(self, progress: Progress) -> None:
        """`progress`: rich's."""
        self._progress = progress
        self._tasks: dict[str, Any] = {}

    def update(self, effects: Sequence[Effect]) -> None:
        """Show how far each effect has come."""
        for one in effects:
            if one.total > 1:
                if one.what not in self._tasks:
                    self._tasks[one.what] = self._progress.add_task(one.what, total=one.total)
                self._progress.update(self._tasks[one.what], completed=one.done)
