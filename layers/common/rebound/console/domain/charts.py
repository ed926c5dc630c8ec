"""Charts that the server draws as SVG, each beside the table of its numbers (``http/templates/charts.html``)."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

PLAIN: Final = "plain"
"""What a colour says where it says nothing; else ``good``, ``warning`` or ``bad``."""


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
