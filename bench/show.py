"""The figures on the terminal."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.figures import Fact, Figure
from bench.figures import Progress as News

PIPED_WIDTH = 140


class Show:
    """Progress while it runs, then a table; whole lines where the output is no terminal."""

    def __init__(self) -> None:
        """Nothing is shown yet."""
        self.console = Console(highlight=False)
        if not self.console.is_terminal:
            self.console = Console(highlight=False, width=PIPED_WIDTH)

    def line(self, text: str) -> None:
        """One line."""
        self.console.print(text)

    def trouble(self, text: str) -> None:
        """Why it does not go on, word for word."""
        self.console.print("✗", style="bold red", end=" ")
        self.console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def bar(self, what: str) -> Iterator["Bar"]:
        """A bar for one part; a line with its time once it is over."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<58}"),
            BarColumn(24),
            TimeElapsedColumn(),
        )
        shown = Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)
        with shown:
            task = shown.add_task(what, total=None)
            yield Bar(shown, task, what)
            seconds = shown.tasks[0].elapsed or 0
        self.console.print(f"[green]✓[/] {what} [dim]{seconds:.0f} s[/]")

    def figures(self, news: Iterable[Figure | Fact]) -> None:
        """Figures with yardstick and ratio, then what was counted."""
        news = list(news)
        heads = ("Measured", "Hub", "Yardstick", "", "Ratio", "Better", "Peak MiB", "CPU ms")
        table = Table(*heads, title="Figures (medians; memory: the most; CPU: a file or a MiB)")
        for column in (1, 2, 4, 6, 7):
            table.columns[column].justify = "right"
        part = ""
        for one in news:
            if isinstance(one, Figure):
                if one.part != part:
                    table.add_section()
                    table.add_row(f"[bold]{one.part}[/]")
                    part = one.part
                table.add_row(*_cells(one))
        self.console.print(table)
        facts = Table("Counted and read", "", "", title="Beside them")
        facts.columns[1].justify = "right"
        for fact in news:
            if isinstance(fact, Fact):
                facts.add_row(f"{fact.part}: {fact.what}", str(fact.value), fact.unit)
        self.console.print(facts)


class Bar:
    """A part's bar."""

    def __init__(self, shown: Progress, task: TaskID, what: str) -> None:
        """`what` stands in front of what the part does now."""
        self._shown, self._task, self._what = shown, task, what

    def update(self, news: News) -> None:
        """As far as the part says it is."""
        said = f"{self._what}: {news.doing}"
        self._shown.update(self._task, description=said, completed=news.done, total=news.total)


def _cells(one: Figure) -> list[str]:
    unit = one.unit if one.unit.startswith("/") else f" {one.unit}"
    better = "higher" if one.more_is_better else "lower"
    value, yardstick = (f"{number_text(number)}{unit}" for number in (one.value, one.yardstick))
    beside = (_both(one.peak_mib, one.yardstick_peak_mib), _both(one.cpu_ms, one.yardstick_cpu_ms))
    return [f"  {one.what}", value, yardstick, one.yardstick_what, f"{one.ratio:.3g}", better, *beside]


def _both(*numbers: float | None) -> str:
    return " / ".join(number_text(number) for number in numbers if number is not None)


def number_text(number: float) -> str:
    """Three digits that mean something, thousands apart."""
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"
