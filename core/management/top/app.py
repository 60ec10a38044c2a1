"""The live page, in a terminal."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.db import connections
from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Footer, Static

from core.management.tasks_verbs.verb import cell
from core.management.top import acts, text
from core.management.top.parts import PARTS
from core.management.top.screens import Question, Reading
from core.management.top.view import View, look
from core.secrets.redaction import told


class Rows(DataTable[Text]):
    """One of the tables."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "Why?")]


class Top(App[None]):
    """Looks again and again; acts on what the cursor is on."""

    CSS_PATH = "top.tcss"
    TITLE = "tasks top"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("tab", "app.focus_next", "Next"),
        Binding("p", "pause", "Pause, resume"),
        Binding("r", "requeue", "Requeue dead"),
    ]

    def __init__(self, broker: str, every: float) -> None:
        super().__init__()
        self._broker = broker
        self._every = every
        self._view: View | None = None

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        yield Static(id="head")
        with VerticalScroll():
            yield Static(id="wrong")
            yield Static(id="brokers")
            for name, part in PARTS.items():
                table = Rows(id=name, cursor_type="row")
                table.border_title = name
                table.add_columns(*part.heads)
                yield table
        yield Footer()

    def on_mount(self) -> None:
        """Look now, and from now on."""
        self.query_one("#queues").focus()
        self._look()

    @work(thread=True)
    def _look(self) -> None:
        self._in_thread(self._show, partial(look, self._broker))
        self.call_from_thread(self.set_timer, self._every, self._look)

    def _in_thread(self, then: Callable[[Any], Any], do: Callable[[], Any]) -> None:
        """Do something that asks the database; then go on in the page."""
        try:
            found = do()
        except Exception as error:  # whatever it is: the page stays, and says so
            self.call_from_thread(self._say, f"Cannot look: {told(error)}")
        else:
            self.call_from_thread(then, found)
        finally:
            connections.close_all()

    def _say(self, line: str) -> None:
        self.query_one("#head", Static).update(Text(line))

    def _show(self, view: View) -> None:
        before = {name: self._chosen(name) for name in PARTS}
        self._view = view
        self._say(view.headline)
        problems = self.query_one("#wrong", Static)
        problems.update(Text(text.wrong(view)))
        problems.set_class(bool(view.wrong), "-bad")
        self.query_one("#brokers", Static).update(Text(text.brokers(view)))
        for name in PARTS:
            self._fill(name, before[name])

    def _fill(self, name: str, before: Any) -> None:
        """Show what there is; the cursor stays on what it is on."""
        part, found = PARTS[name], getattr(self._view, name)
        table = self.query_one(f"#{name}", Rows)
        index = table.cursor_row
        if before is not None:
            same = [
                n for n, one in enumerate(found) if part.key(one) == part.key(before)
            ]
            index = (same or [index])[0]
        table.clear()
        for row in part.rows(found):
            table.add_row(*(Text(cell(value)) for value in row))
        table.move_cursor(row=index)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Explain the row."""
        name = str(event.data_table.id)
        self._explain(PARTS[name].why, self._chosen(name))

    @work(thread=True)
    def _explain(self, why: Callable[[Any], str], chosen: Any) -> None:
        if chosen is not None:
            say = partial(why, chosen)
            self._in_thread(lambda words: self.push_screen(Reading(words)), say)

    def _chosen(self, table: str) -> Any:
        rows = getattr(self._view, table, ())
        index = self.query_one(f"#{table}", Rows).cursor_row
        return rows[index] if 0 <= index < len(rows) else None

    def action_pause(self) -> None:
        """Ask whether the queue is to be paused, or to go on."""
        self._offer(acts.hold, self._chosen("queues"))

    def action_requeue(self) -> None:
        """Ask whether the dead runs of the actor are to be requeued."""
        self._offer(acts.requeue, self._chosen("errors"))

    @work(thread=True)
    def _offer(self, of: Callable[[Any], acts.Offer], chosen: Any) -> None:
        if chosen is not None:
            self._in_thread(self._ask, partial(of, chosen))

    def _ask(self, offer: acts.Offer) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._do(offer)

        self.push_screen(Question(f"{offer.question}  y/n"), answered)

    @work(thread=True)
    def _do(self, offer: acts.Offer) -> None:
        self._in_thread(self.notify, offer.do)
