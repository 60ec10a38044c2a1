"""The demo on the screen."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from core.monitoring import ScheduleSnapshot
from project.demo.report import Figures

console = Console(record=True)


@contextmanager
def progress(engine: str, total: int) -> Iterator[Callable[[int, int], None]]:
    """Show how many orders are through; yield what to call with (done, total)."""
    columns = (TextColumn(f"{engine:<9}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TextColumn("orders"), console=console) as bar:
        task = bar.add_task(engine, total=total)
        yield lambda done, _: bar.update(task, completed=done)


def table(rows: Mapping[str, Figures]) -> Table:
    """Return the table of all engines."""
    shown = Table(title="The same shop, the same code, one setting")
    shown.add_column("TASK_BACKEND")
    for name in ("orders", "mailed", "stock moved", "sold out", "retries", "seconds"):
        shown.add_column(name, justify="right")
    for engine, row in rows.items():
        shown.add_row(
            engine,
            str(row.orders),
            str(row.mailed),
            str(row.moved),
            str(row.sold_out),
            str(row.retries),
            f"{row.seconds:.1f}",
        )
    return shown


def save(path: str) -> None:
    """Save what was shown as SVG, without the web fonts that rich asks for."""
    drawn = console.export_svg(title="make demo")
    alone = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    Path(path).write_text(alone)


def reports(rows: Mapping[str, Figures]) -> None:
    """Print where a report of each engine is."""
    for engine, row in rows.items():
        console.print(f"A report by {engine}: {row.pdf}", soft_wrap=True)


def schedules(found: Iterable[ScheduleSnapshot]) -> None:
    """Print the schedules and how often they have fired."""
    for one in found:
        fired = f"; fired: {one.fires}" if one.fires else ""
        upcoming = f"next {one.next_at:%Y-%m-%d %H:%M} UTC" if one.next_at else "over"
        console.print(f"Schedule {one.name}: {one.rule}; {upcoming}{fired}")
