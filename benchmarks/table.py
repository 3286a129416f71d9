"""A figure's numbers, and its table on the terminal and in the README."""

from dataclasses import dataclass, field

from rich.table import Table

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def duration(seconds: float | None) -> str:
    """A time in the unit that fits, three digits."""
    if seconds is None:
        return "failed"
    scale, unit = next((row for row in UNITS if abs(seconds) >= row[0]), UNITS[-1])
    number = seconds / scale
    return f"{number:.0f} {unit}" if abs(number) >= 100 else f"{number:.3g} {unit}"


def ratio(value: float | None) -> str:
    """A factor; a fraction of at most a half reads better as 1/n."""
    if value is None:
        return "failed"
    return f"1/{1 / value:.1f}" if 0 < value <= 0.5 else f"{value:.2f} ×"


@dataclass
class Row:
    """One case: seconds of each side (None where it failed), the score, the bar to stay under."""

    case: str
    seconds: list[float | None]
    score: float | None = None
    bar: float | None = None

    @property
    def verdict(self) -> str:
        if self.bar is None:
            return ""
        if self.score is None:
            return "failed"
        return "yes" if self.score <= self.bar else "no"


@dataclass
class Figure:
    """A table: what was measured, on which sides, and what came out."""

    name: str
    title: str
    sides: list[str]
    score: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    score_is_time: bool = False

    def headings(self) -> list[str]:
        return ["", *self.sides, self.score, "bar", "met"]

    def cells(self, row: Row) -> list[str]:
        """The row as text, in the order of `headings`."""
        show = duration if self.score_is_time else ratio
        bar = "" if row.bar is None else f"≤ {show(row.bar)}"
        return [row.case, *map(duration, row.seconds), show(row.score), bar, row.verdict]

    def on_terminal(self) -> Table:
        table = Table(title=self.title, title_justify="left", caption_justify="left")
        for number, heading in enumerate(self.headings()):
            table.add_column(heading, justify="left" if number == 0 else "right")
        for row in self.rows:
            table.add_row(*self.cells(row))
        return table

    def in_markdown(self) -> str:
        """Title, table and notes for the README."""
        head = self.headings()
        lines = [head, ["---"] + ["---:"] * (len(head) - 1), *map(self.cells, self.rows)]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return "\n\n".join([f"**{self.title}**", table, *self.notes])


def difference(one: float | None, other: float | None) -> float | None:
    """`one - other`, None when either failed."""
    return None if one is None or other is None else one - other


def quotient(one: float | None, other: float | None) -> float | None:
    """`one / other`, None when either failed."""
    return None if one is None or not other else one / other
