"""Charts that the server draws as SVG, each beside the table of its numbers (``http/templates/charts.html``)."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

PLAIN: Final = "plain"
"""What a colour says where it says nothing; else ``good``, ``warning`` or ``bad``."""
GAP: Final = 0.2
"""The part of a column's room that stays empty."""


class Bar(Struct, frozen=True):
    """A line of a table with a bar: ``width`` is that of the longest in hundredths, ``share`` the part of all."""

    name: str
    count: int
    width: float
    share: float
    kind: str = PLAIN
    link: str | None = None


class Line(Struct, frozen=True):
    """What a bar is made of; ``link`` leads to those who are counted."""

    name: str
    count: int
    kind: str = PLAIN
    link: str | None = None


def bars(lines: Sequence[Line]) -> Sequence[Bar]:
    """The bars of a chart in the order of the lines, without those that count nobody."""
    shown = [line for line in lines if line.count > 0]
    longest, total = max((line.count for line in shown), default=0), sum(line.count for line in shown)
    return [
        Bar(line.name, line.count, round(100 * line.count / longest, 2), line.count / total, line.kind, line.link)
        for line in shown
    ]


class Series(Struct, frozen=True):
    """What one colour of a chart of columns counts."""

    name: str
    kind: str = PLAIN


class Block(Struct, frozen=True):
    """A part of a column, in hundredths of the picture, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    kind: str


class Columns(Struct, frozen=True):
    """A chart of columns, one for each name, of parts that stand on each other; ``highest`` is the highest sum."""

    series: Sequence[Series]
    names: Sequence[str]
    counts: Sequence[Sequence[int]]
    """For each column its numbers, in the order of the series."""
    highest: int

    @property
    def blocks(self) -> Sequence[Block]:
        """What is drawn."""
        found: list[Block] = []
        room = 100 / len(self.names) if self.names else 0
        for index, column in enumerate(self.counts):
            y = 100.0
            for series, count in zip(self.series, column, strict=True):
                height = 100 * count / self.highest if self.highest else 0
                y -= height
                if count:
                    x, width = room * (index + GAP / 2), room * (1 - GAP)
                    found.append(Block(round(x, 2), round(y, 2), round(width, 2), round(height, 2), series.kind))
        return found


def columns(series: Sequence[Series], rows: Sequence[tuple[str, Sequence[int]]]) -> Columns:
    """A chart of columns; each row has the name of its column and the number of each series."""
    return Columns(
        series, [name for name, _ in rows], [counts for _, counts in rows], max((sum(c) for _, c in rows), default=0)
    )
